"""A large comparison, and long histories: from the last byte of the data to the frame that shows them."""

import math
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack

from tests.bench.machine import Server
from tests.console.figures.measure import Bench, Figure, median, painted, until, watch
from tests.console.many import service_over
from tests.fakes.mlflow import FakeMlflow

_SPIKE = 100.0
_HIGHEST = """async (id) => {
  const answer = await fetch(`../api/v1/tracking/runs/${id}/metrics/history?key=equity&max_points=1000`);
  return Math.max(...(await answer.json()).series.equity.max);
}"""
# When the last answer of a route came that an element painted then can show.
_ANSWERED = """performance.getEntriesByType("resource")
  .filter(({ name, responseEnd }) => name.includes(%r) && responseEnd < %f)
  .reduce((last, { responseEnd }) => Math.max(last, responseEnd), 0)"""


def _ids(runs: int) -> list[str]:
    return [f"{number:032x}" for number in range(1, runs + 1)]


def _curve(number: int) -> Iterator[tuple[int, int, float]]:
    for step in range(100_000):
        value = _SPIKE if step == 54_321 else math.sin(step / 5_000 + number)
        yield step, 1_700_000_000_000 + step, value


async def comparing(bench: Bench) -> Sequence[Figure]:
    """10 runs with 1,000 metrics and 100 params."""
    async with FakeMlflow().serve() as mlflow:
        for number, run_id in enumerate(_ids(10)):
            mlflow.add_run(
                run_id=run_id,
                end_time=1_700_000_900_000,
                metrics={f"group_{key % 20}/metric_{key}": number * 0.37 + key for key in range(1_000)},
                params={f"param_{key}": str(number * (key % 3)) for key in range(100)},
            )
        with service_over(bench.folder, Server("fake", mlflow.url, 0, 0.0), "compare") as address:
            async with AsyncExitStack() as stack:
                cells = watch("cells", "main tbody td[data-run]")
                watched = await bench.page(stack, f"{address}console/", cells)

                async def once() -> float:
                    await watched.go(f"compare?ids={','.join(_ids(10))}")
                    seen = await painted(watched, "cells")
                    return seen - float(await until(watched, _ANSWERED % ("/compare/analysis", seen)))

                figure = await median(5, once)
    return [Figure("compare of 10 runs × 1,000 metrics × 100 params: data to paint", figure, "ms", 300)]


async def histories(bench: Bench) -> Sequence[Figure]:
    """10 runs with 100,000 points each, one of them a spike."""
    async with FakeMlflow().serve() as mlflow:
        for number, run_id in enumerate(_ids(10)):
            mlflow.add_run(run_id=run_id, end_time=1_700_000_900_000)
            mlflow.log(run_id, "equity", _curve(number))
        settings = {"UPSTREAM__READ_TIMEOUT": "60", "DEADLINE": "120"}
        with service_over(bench.folder, Server("fake", mlflow.url, 0, 0.0), "history", **settings) as address:
            async with AsyncExitStack() as stack:
                watched = await bench.page(stack, f"{address}console/", watch("plot", "main canvas"))

                async def once() -> float:
                    await watched.go(f"compare?ids={','.join(_ids(10))}&history=equity")
                    seen = await painted(watched, "plot")
                    return seen - float(await until(watched, _ANSWERED % ("/metrics/history", seen)))

                await once()  # which reads the points from MLflow
                figure = await median(3, once)
                highest = await watched.page.evaluate(_HIGHEST, _ids(1)[0])
    kept = "the spike is kept" if highest == _SPIKE else f"the spike is lost: {highest}"
    return [Figure("history of 10 × 100,000 points: data to plot", figure, "ms", 300, note=kept)]
