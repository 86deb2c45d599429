"""How the cost grows: with runs in a list, metrics a run, connections; and what computing alone takes."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from service.tracking.comparison import compare
from service.tracking.directions import load_directions
from service.tracking.runs import Run
from tests.bench import sides
from tests.bench.load import Load, Question, Spread, cpu_ratio, rate_ratio, rounds
from tests.bench.machine import Server
from tests.bench.report import Figures, Findings, Row, Table
from tests.bench.rows import questions
from tests.bench.rows.bench import CONNECTIONS, Bench
from tests.bench.rows.hot import in_json, same_answer
from tests.bench.runs import USUAL, Shape, bench_run, finished, run_id_of
from tests.bench.upstream import BenchUpstream
from tests.upstream.readers import read_runs

_HEADER = ("requests/s", "p99 ms", "µs CPU", "bare requests/s", "of bare", "by CPU")
_RUNS = 200


def growth(bench: Bench) -> Findings:
    """Three tables, each with production settings beside a bare handler."""
    newest = finished(1, [run_id_of(number) for number in range(_RUNS)])[0]
    with ExitStack() as stack:
        upstream = stack.enter_context(sides.fake(bench.folder, runs=_RUNS))
        service = stack.enter_context(sides.service(bench.folder, upstream))
        lists = [
            (str(limit), _beside_bare(bench, service, questions.runs(limit)))
            for limit in bench.some(10, 25, 50, 100)
        ]
        crowds = [
            (f"{number:,}", _beside_bare(bench, service, questions.detail(newest), number))
            for number in bench.some(10, 100, 1_000, 5_000)
        ]
    metrics = [(f"{number:,}", _with_metrics(bench, number, newest)) for number in bench.some(10, 100, 1_000)]
    return Findings(
        tables=[
            _table("Hot list, by runs in it", "runs", lists),
            _table("Hot detail, by metrics a run", "metrics", metrics),
            _table("Hot detail, by connections", "connections", crowds),
        ]
    )


def _with_metrics(bench: Bench, number: int, run_id: str) -> list[list[Load]]:
    shape = Shape(metrics=number)
    with (
        sides.fake(bench.folder, runs=_RUNS, shape=shape) as upstream,
        sides.service(bench.folder, upstream) as service,
    ):
        return _beside_bare(bench, service, questions.detail(run_id))


def _beside_bare(
    bench: Bench, service: Server, question: Question, connections: int = CONNECTIONS
) -> list[list[Load]]:
    """The loads of the service and of the bare handler."""
    with sides.bare(bench.folder, question, same_answer([service], question)) as bare:
        loads = asyncio.run(rounds([service, bare], question, bench.plan(5, 1, connections)))
    return [loads[service.name], loads[bare.name]]


def _table(title: str, first: str, measured: Sequence[tuple[str, list[list[Load]]]]) -> Table:
    lines: list[list[str]] = []
    figures: list[Figures] = []
    for name, (mine, theirs) in measured:
        failed = sum(load.failed for load in mine)
        lines.append(
            [
                name,
                f"{Spread.of(load.rate for load in mine).median:,.0f}"
                + (f", {failed} FAILED" if failed else ""),
                f"{Spread.of(load.p99_ms for load in mine).median:,.2f}",
                f"{Spread.of(load.cpu_us for load in mine).median:,.0f}",
                f"{Spread.of(load.rate for load in theirs).median:,.0f}",
                f"{rate_ratio(mine, theirs).median:.2f}",
                f"{cpu_ratio(mine, theirs).median:.2f}",
            ]
        )
        figures.append({first: name, "service": in_json(mine), "bare": in_json(theirs)})
    return Table(title, (first, *_HEADER), lines, figures)


def computing(bench: Bench) -> Findings:
    """What reading, comparing and writing take of the event loop, in this process and without any I/O."""
    turns = bench.pick(50, 20)
    upstream = BenchUpstream(0, USUAL)
    body = upstream.page(100).encode()
    wide = [_wide_run(number) for number in range(10)]
    directions = load_directions(Path("config/metrics.toml"))
    encode = msgspec.json.Encoder().encode
    rows = {
        f"computing: read MLflow's {len(body) // 1_000} kB for 100 runs": lambda: read_runs(body),
        "computing: compare 10 runs of 1,000 metrics and 1,000 parameters": lambda: compare(wide, directions),
        "computing: the same, and write it as JSON": lambda: encode(compare(wide, directions)),
    }
    return Findings([_timed(name, work, turns) for name, work in rows.items()])


def _wide_run(number: int) -> Run:
    made = bench_run(number, Shape(1_000, 1_000))
    return Run(
        run_id=run_id_of(number),
        run_name=made.name,
        status=made.status,
        start_time=made.start_time,
        end_time=made.end_time,
        artifact_uri="",
        params=made.params,
        metrics=made.metrics,
        tags=made.tags,
    )


def _timed(name: str, work: Callable[[], object], turns: int) -> Row:
    taken = []
    for _ in range(turns):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1_000)
    return Row(name, f"{Spread.of(taken):.2f} ms", figures={"ms": taken})
