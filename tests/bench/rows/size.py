"""What the process takes: memory with many runs in the store, and time to start."""

import asyncio
import re
from contextlib import ExitStack

from tests.bench import sides
from tests.bench.client import client
from tests.bench.load import Question, Spread, ask
from tests.bench.machine import Server
from tests.bench.report import Findings, Row, at_most
from tests.bench.rows import questions
from tests.bench.rows.bench import Bench
from tests.bench.upstream import unseen

_IN_A_LIST = 100
_AT_ONCE = 4
_BOUND = 256 * 2**20  # TRACKING_CACHE__MAX_BYTES by default
_OVER = 1.5
_MIB = 2**20
_SAMPLE = re.compile(rb"^(tracking_cache_\w+) ([\d.e+]+)$", re.MULTILINE)


def memory(bench: Bench) -> Findings:
    """Resident memory with 10,000 and 50,000 runs that came in lists of 100."""
    with ExitStack() as stack:
        upstream = stack.enter_context(sides.fake(bench.folder, runs=_IN_A_LIST * 2))
        service = stack.enter_context(sides.service(bench.folder, upstream))
        asyncio.run(_fill(service, range(1)))
        idle = service.rss_bytes()
        asyncio.run(_fill(service, range(1, 10_000 // _IN_A_LIST)))
        few = _row(service, idle, 10_000)
        if bench.quick:
            return Findings([few])
        asyncio.run(_fill(service, range(10_000 // _IN_A_LIST, 50_000 // _IN_A_LIST)))
        return Findings([few, _row(service, idle, 50_000)])


async def _fill(service: Server, lists: range) -> None:
    numbers = iter(lists)
    async with client(service) as caller:

        async def fill() -> None:
            for number in numbers:
                await caller.ask(questions.runs(_IN_A_LIST, strategy_id=unseen(number)))

        await asyncio.gather(*(fill() for _ in range(_AT_ONCE)))


def _row(service: Server, idle: int, runs: int) -> Row:
    scraped = asyncio.run(ask(service, Question("metrics"))).body
    store = {name.decode(): float(value) for name, value in _SAMPLE.findall(scraped)}
    used, rss = store["tracking_cache_bytes"], service.rss_bytes()
    over = Spread(*[(rss - idle) / used] * 3)
    wanted, _, met = at_most(over, _OVER)
    return Row(
        f"{runs:,} runs in the store",
        f"RSS {rss / _MIB:.0f} MiB, {idle / _MIB:.0f} idle; {store['tracking_cache_entries']:,.0f} entries, "
        f"{used / _MIB:.0f} MiB by its own count, {store['tracking_cache_evictions_total']:,.0f} dropped",
        f"RSS {wanted} of the count + idle; count ≤ {_BOUND // _MIB} MiB",
        f"{over.median:.2f}",
        met=met and used <= _BOUND,
        figures={"rss": rss, "idle": idle, **store},
    )


def start(bench: Bench) -> Findings:
    """From the start of the process to its first answer."""
    taken = []
    with sides.fake(bench.folder, runs=1) as upstream:
        for _ in range(bench.pick(7, 3)):
            with sides.service(bench.folder, upstream) as service:
                taken.append(service.started_in)
    return Findings(
        [
            Row(
                "start-up, to the first answer of /livez",
                f"{Spread.of(taken):.2f} s",
                figures={"seconds": taken},
            )
        ]
    )
