"""What the store lacks: what the service adds to MLflow's own time."""

import asyncio
import statistics
from collections.abc import Sequence
from contextlib import ExitStack

from tests.bench import sides
from tests.bench.client import client, interleaved
from tests.bench.load import Question, Spread
from tests.bench.machine import Server
from tests.bench.report import Findings, Row, at_most
from tests.bench.rows import questions
from tests.bench.rows.bench import Bench
from tests.bench.runs import run_id_of
from tests.bench.upstream import unseen

_WARM = 20  # questions that open the connections and are not counted
_CHUNKS = 5


def cold(bench: Bench) -> Findings:
    """Detail and lists over a fake with 20 ms, comparison over one with 50 ms, detail over FastTrackML."""
    rows = []
    with ExitStack() as stack:
        number = bench.pick(400, 60) + _WARM
        upstream = stack.enter_context(sides.fake(bench.folder, runs=number, latency=0.02))
        service = stack.enter_context(sides.service(bench.folder, upstream))
        asked = [questions.detail(run_id_of(one)) for one in range(number)]
        direct = [questions.direct_detail(run_id_of(one)) for one in range(number)]
        rows.append(_added("cold detail over 20 ms", service, asked, upstream, direct, 2.0))
        for limit in (50, 100):
            number = bench.pick(100, 20) + _WARM
            asked = [questions.runs(limit, strategy_id=unseen(one + limit * 1_000)) for one in range(number)]
            direct = [
                questions.direct_runs(limit, strategy_id=unseen(one + limit * 2_000)) for one in range(number)
            ]
            rows.append(_added(f"cold list of {limit} over 20 ms", service, asked, upstream, direct))
    rows.append(_compare(bench))
    if bench.fasttrackml is not None:
        fast, run_ids = bench.fasttrackml
        run_ids = run_ids[: bench.pick(400, 60) + _WARM]
        with sides.service(bench.folder, fast, "over-fasttrackml") as service:
            asked = [questions.detail(run_id) for run_id in run_ids]
            direct = [questions.direct_detail(run_id) for run_id in run_ids]
            rows.append(_added("cold detail over FastTrackML", service, asked, fast, direct))
    return Findings(rows)


def _added(
    name: str,
    service: Server,
    asked: Sequence[Question],
    upstream: Server,
    direct: Sequence[Question],
    target: float | None = None,
) -> Row:
    """Milliseconds that the service adds at the median; each question is one that it never had."""
    mine, theirs = asyncio.run(_both(service, asked, upstream, direct))
    added = Spread.of(_medians(mine, theirs))
    wanted, shown, met = at_most(added, target or 0.0, " ms")
    return Row(
        name,
        f"{statistics.median(mine):.2f} ms; directly {statistics.median(theirs):.2f} ms",
        f"adds {wanted}" if target else "",
        shown,
        met=met if target else None,
        figures={"service_ms": mine, "direct_ms": theirs},
    )


async def _both(
    service: Server, asked: Sequence[Question], upstream: Server, direct: Sequence[Question]
) -> tuple[list[float], list[float]]:
    async with client(service) as through, client(upstream) as straight:
        mine, theirs = await interleaved((through, asked), (straight, direct))
    return [one * 1_000 for one in mine[_WARM:]], [one * 1_000 for one in theirs[_WARM:]]


def _medians(mine: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """The difference of the medians, of each fifth of the questions."""
    size = len(mine) // _CHUNKS
    starts = range(0, size * _CHUNKS, size)
    return [
        statistics.median(mine[start : start + size]) - statistics.median(theirs[start : start + size])
        for start in starts
    ]


def _compare(bench: Bench) -> Row:
    """Ten runs that the store lacks, against one fetch of one run."""
    number = bench.pick(60, 15) + _WARM // 2
    with ExitStack() as stack:
        upstream = stack.enter_context(sides.fake(bench.folder, runs=number * 10, latency=0.05))
        service = stack.enter_context(sides.service(bench.folder, upstream))
        run_ids = [run_id_of(one) for one in range(number * 10)]
        asked = [questions.compare(run_ids[one * 10 : one * 10 + 10]) for one in range(number)]
        direct = [questions.direct_detail(run_ids[one * 10]) for one in range(number)]
        mine, theirs = asyncio.run(_both(service, asked, upstream, direct))
    ratios = Spread.of(one / other for one, other in zip(mine, theirs, strict=True))
    wanted, shown, met = at_most(
        Spread(statistics.median(mine) / statistics.median(theirs), *ratios[1:]), 1.15
    )
    return Row(
        "cold compare of 10 over 50 ms a fetch",
        f"{statistics.median(mine):.2f} ms; one fetch {statistics.median(theirs):.2f} ms",
        f"{wanted} times one fetch",
        shown,
        met=met,
        figures={"service_ms": mine, "one_fetch_ms": theirs},
    )
