"""Many callers at once: how often MLflow is asked."""

import asyncio
import statistics
from collections.abc import Sequence
from contextlib import ExitStack

from tests.bench import sides
from tests.bench.client import calls, client, forget_calls
from tests.bench.load import Question, Spread
from tests.bench.machine import Server
from tests.bench.report import Findings, Row, at_least
from tests.bench.rows import questions
from tests.bench.rows.bench import Bench
from tests.bench.rows.browsing import browse
from tests.bench.runs import run_id_of

_HERD = 1_000
_LATENCY = 1.0  # seconds; long enough for all of the herd to be there before the answer is


def herd(bench: Bench) -> Findings:
    """A thousand callers who ask the same at the same moment, of what the store lacks."""
    with ExitStack() as stack:
        upstream = stack.enter_context(sides.fake(bench.folder, runs=200, latency=_LATENCY))
        service = stack.enter_context(sides.service(bench.folder, upstream))
        asyncio.run(_herd(service, upstream, [questions.runs(1)] * 10))  # the experiment's id, once
        # Who asks while a call is under way is answered by the next one, which starts after the question.
        anew = questions.detail(run_id_of(1))._replace(headers={"Cache-Control": "no-cache"})
        return Findings(
            [
                _herd_row(service, upstream, "detail", questions.detail(run_id_of(0))),
                _herd_row(service, upstream, "list of 100", questions.runs(100)),
                _herd_row(service, upstream, "detail with no-cache", anew, most=2),
            ]
        )


def _herd_row(service: Server, upstream: Server, name: str, question: Question, most: int = 1) -> Row:
    seconds, asked = asyncio.run(_herd(service, upstream, [question] * _HERD))
    return Row(
        f"{_HERD:,} identical cold requests, {name}",
        f"all answered in {seconds:.2f} s; MLflow takes {_LATENCY:g} s",
        f"upstream calls: {most}",
        str(asked),
        met=asked <= most,
        figures={"upstream_calls": asked, "seconds": seconds},
    )


async def _herd(service: Server, upstream: Server, asked: Sequence[Question]) -> tuple[float, int]:
    await forget_calls(upstream)
    async with client(service, connections=len(asked)) as callers:
        seconds = await callers.at_once(asked)
    return seconds, sum((await calls(upstream)).values())


def trace(bench: Bench) -> Findings:
    """Users who list, open 5, compare 4 and leave the list open, which polls."""
    rows = []
    for users in (300,) if bench.quick else (30, 300):
        with ExitStack() as stack:
            upstream = stack.enter_context(sides.fake(bench.folder, runs=1_000, latency=0.05))
            service = stack.enter_context(sides.service(bench.folder, upstream))
            polls = bench.pick(6, 1)
            times, asked = asyncio.run(_browse(service, upstream, users, polls))
        ratio = len(times) / sum(asked.values())
        wanted, shown, met = at_least(Spread(ratio, ratio, ratio), 20)
        rows.append(
            Row(
                f"browsing trace, {users} users",
                f"{len(times):,} requests, median {statistics.median(times) * 1_000:.2f} ms; "
                f"upstream {', '.join(f'{count} {name}' for name, count in asked.items())}",
                f"{wanted} times fewer calls" if users == 300 else "",
                shown.partition(" ")[0],
                met=met if users == 300 else None,
                figures={"requests": len(times), "upstream_calls": asked, "polls": polls},
            )
        )
    return Findings(rows)


async def _browse(
    service: Server, upstream: Server, users: int, polls: int
) -> tuple[list[float], dict[str, int]]:
    await forget_calls(upstream)
    async with client(service, connections=users) as caller:
        times = await browse(caller.ask, users, polls)
    return times, await calls(upstream)
