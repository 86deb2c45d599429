"""The same searches asked of MLflow directly, and of FastTrackML, over the same runs."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from tests.bench import sides
from tests.bench.client import client
from tests.bench.load import Spread
from tests.bench.machine import Server, free_port
from tests.bench.report import Findings, Row, at_least
from tests.bench.rows.bench import Bench
from tests.bench.rows.indexed import indexed, number_of_runs, wait_for_a_snapshot, wait_until_complete
from tests.bench.rows.search_fresh import fresh
from tests.bench.rows.search_questions import KINDS, Kind
from tests.bench.scale import runs_of
from tests.bench.scale_store import write_store

_TIMES = 100
_PATIENCE = 60.0  # seconds after which an answer of MLflow is not waited for any longer


def search_direct(bench: Bench) -> Findings:
    """Each kind that MLflow can answer, of the service and of an MLflow 3.17 with two workers over SQLite.

    And how soon the service knows what happens there.
    """
    runs, port = number_of_runs(bench), free_port()
    with ExitStack() as stack:
        with (
            sides.scale_upstream(bench.folder, runs=runs, scale=0.0, port=port) as quick,
            indexed(bench, quick, "first") as first,
        ):
            wait_for_a_snapshot(first)
        write_store(bench.folder / "mlflow-scale.db", runs_of(runs))
        mlflow = stack.enter_context(sides.mlflow(bench.folder, "mlflow-scale", port))
        service = stack.enter_context(indexed(bench, mlflow))
        wait_until_complete(service)
        # First, since MLflow goes on with a question that nobody waits for, and cannot write meanwhile.
        rows = [asyncio.run(fresh(service, mlflow, bench.pick(20, 3)))]
        rows += [row for kind in KINDS if kind.of_mlflow for row in _rows(bench, kind, service, mlflow)]
    return Findings(rows)


def _rows(bench: Bench, kind: Kind, service: Server, mlflow: Server) -> Iterator[Row]:
    numbers = range(bench.pick(10, 3))
    mine = asyncio.run(_of_service(service, kind, numbers))
    theirs = asyncio.run(_of_mlflow(mlflow, kind, numbers))
    if theirs is None:
        yield Row(
            f"search, {kind.name}, against MLflow directly",
            f"{statistics.median(mine):.2f} ms; MLflow has not answered after {_PATIENCE:g} s",
            f"≥ {_TIMES} times",
            f"> {_PATIENCE * 1_000 / statistics.median(mine):,.0f} times",
            met=True,
            figures={"ms": mine},
        )
        return
    ratio = Spread.of([statistics.median(theirs) / statistics.median(mine)])
    wanted, shown, met = at_least(ratio, _TIMES, " times")
    yield Row(
        f"search, {kind.name}, against MLflow directly",
        f"{statistics.median(mine):.2f} ms; MLflow {statistics.median(theirs):,.0f} ms",
        wanted,
        shown,
        met=met,
        figures={"ms": mine, "mlflow_ms": theirs},
    )


async def _of_service(service: Server, kind: Kind, numbers: Sequence[int]) -> list[float]:
    async with client(service) as caller:
        return [await caller.timed(kind.question(number)) * 1_000 for number in numbers]


async def _of_mlflow(mlflow: Server, kind: Kind, numbers: Sequence[int]) -> list[float] | None:
    """Milliseconds of each, None where one takes longer than is waited for."""
    async with client(mlflow) as caller:
        taken = list[float]()
        for number in numbers:
            began = time.perf_counter()
            try:
                async with asyncio.timeout(_PATIENCE):
                    await caller.ask(kind.ask(number).directly)
            except TimeoutError:
                return None
            taken.append((time.perf_counter() - began) * 1_000)
        return taken
