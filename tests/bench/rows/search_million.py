"""Searches over a million runs, in the bench's own process: what the index's columns alone take."""

from __future__ import annotations

import asyncio
import gc
import resource
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from service.api.search_parsing import groups_of_query, search_of_body, search_of_query
from service.index.engine import Engine
from service.index.table import RunTable
from service.settings.load import config_dir
from service.tracking.directions import load_directions
from service.tracking.runs import Run
from service.tracking.search.queries import RunSearch
from tests.bench.load import Question, Spread
from tests.bench.report import Findings, Row, at_most
from tests.bench.rows import search_questions
from tests.bench.rows.bench import Bench
from tests.bench.rows.search_questions import KINDS
from tests.bench.scale import EXPERIMENT_ID, run_id_at, runs_of

_P99_MS = 150.0
_BYTES = 1_000  # a run
_DISTINCT = 100_000


def search_million(bench: Bench) -> Findings:
    """The kinds of question of `search`, without HTTP."""
    runs = bench.pick(1_000_000, 50_000)
    distinct = list(runs_of(min(runs, _DISTINCT)))
    gc.collect()
    before = _memory()
    table = RunTable()
    for run in _many(distinct, runs):
        table.put(run, asked=0.0)
    engine, number = Engine(table), bench.pick(50, 10)
    rows = []
    for kind in KINDS:
        searches = [_search(kind.question(one)) for one in range(number)]
        rows.append(_row(f"{kind.name}, {runs:,} runs, in process", asyncio.run(_searched(engine, searches))))
    rows.append(_row(f"groups, {runs:,} runs, in process", asyncio.run(_grouped(engine, number))))
    a_run = (_memory() - before) / runs
    wanted, shown, met = at_most(Spread(*[a_run] * 3), _BYTES, " bytes")
    measured = f"{a_run:.0f} bytes a run of the process, {table.bytes_used / runs:.0f} by its own count"
    rows.append(Row(f"memory with {runs:,} runs in the index", measured, wanted, shown, met=met))
    return Findings(rows)


def _memory() -> int:
    """Bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _search(question: Question) -> RunSearch:
    if question.method == "POST":
        asked = search_of_body(question.body)
    else:
        asked = search_of_query(question.path.partition("?")[2])
    return RunSearch((EXPERIMENT_ID,), asked.filter, asked.order, asked.page_size, facets=asked.facets)


async def _searched(engine: Engine, searches: Sequence[RunSearch]) -> list[float]:
    """Milliseconds of each."""
    taken = []
    for search in searches:
        began = time.perf_counter()
        await engine.search(search)
        taken.append((time.perf_counter() - began) * 1_000)
    return taken


async def _grouped(engine: Engine, number: int) -> list[float]:
    directions = load_directions(config_dir() / "metrics.toml")
    taken = []
    for one in range(number):
        query = search_questions.grouping(one).path.partition("?")[2]
        grouping = groups_of_query(query, directions).grouping
        grouping = msgspec.structs.replace(grouping, experiment_ids=(EXPERIMENT_ID,))
        began = time.perf_counter()
        await engine.groups(grouping)
        taken.append((time.perf_counter() - began) * 1_000)
    return taken


def _row(name: str, taken: Sequence[float]) -> Row:
    p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[-1]
    return Row(
        name,
        f"p50 {p50:.2f} ms, p99 {p99:.2f} ms",
        f"p99 ≤ {_P99_MS:g} ms",
        f"{p99:.2f}",
        met=p99 <= _P99_MS,
        figures={"ms": list(taken)},
    )


def _many(distinct: Sequence[Run], count: int) -> Iterator[Run]:
    """So many runs: their values come again and again, but for their ids, names and times."""
    for number in range(count):
        run = distinct[number % len(distinct)]
        turn = number // len(distinct)
        if turn:
            run = msgspec.structs.replace(
                run,
                run_id=run_id_at(number),
                run_name=f"{run.run_name}-{turn}",
                start_time=(run.start_time or 0) + turn,
            )
        yield run
