"""Filters and orders of MLflow's own grammar find in the index what MLflow finds, fake and real."""

import asyncio
from collections.abc import Iterator, Sequence

import pytest
import pytest_asyncio
from hypothesis import given, settings

from service.index.engine import Engine
from service.index.table import RunTable
from service.tracking.runs import Run
from service.tracking.search.listing import parse_order
from service.tracking.search.parsing import parse_filter
from service.tracking.search.queries import RunSearch
from tests.live.logbook import Logbook, unique
from tests.live.search_cases import HardRun, filters, hard_runs, orders, with_run_ids
from tests.tracking.search import plainly
from tests.upstream.readers import read_runs

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = 1_000
AT_ONCE = 8


class Searched:
    """An MLflow with hard runs in an experiment, and the same runs as the service reads them."""

    def __init__(self, mlflow: Logbook, experiment_id: str, runs: Sequence[Run]) -> None:
        self._mlflow = mlflow
        self._experiment_id = experiment_id
        self.runs = runs
        table = RunTable()
        for run in runs:
            table.put(run, asked=0.0)
        self._engine = Engine(table)

    async def of_mlflow(self, text: str, order: list[str]) -> list[str]:
        """The ids of the runs that MLflow finds, in order."""
        body = await self._mlflow.write(
            "runs/search",
            experiment_ids=[self._experiment_id],
            filter=text,
            order_by=order,
            max_results=ALL,
        )
        return [run["info"]["run_id"] for run in body.get("runs", [])]

    async def of_index(self, text: str, order: list[str]) -> list[str]:
        """The ids of the runs that the index finds, in order."""
        search = RunSearch((self._experiment_id,), parse_filter(text), parse_order(order), page_size=ALL)
        return [run.run_id for run in (await self._engine.search(search)).runs]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def searched(mlflow: Logbook) -> Searched:
    """Runs with all kinds of values, written through the REST API."""
    experiment_id = await mlflow.create_experiment(unique("hard"))
    waiting = iter(hard_runs())
    await asyncio.gather(*(_write(mlflow, experiment_id, waiting) for _ in range(AT_ONCE)))
    reply = await mlflow.post("runs/search", experiment_ids=[experiment_id], max_results=ALL)
    page = read_runs(reply.text.encode())
    return Searched(mlflow, experiment_id, page.found)


async def _write(mlflow: Logbook, experiment_id: str, waiting: Iterator[HardRun]) -> None:
    for run in waiting:
        run_id = await mlflow.create_run(
            experiment_id, run.name, tags=run.tags, start_time=run.start_time, user_id=run.user_id
        )
        await mlflow.log(run_id, metrics=run.metrics, params=run.params)
        if run.status != "RUNNING":
            await mlflow.finish(run_id, run.status, run.end_time)


def every_case(examples: int) -> settings:
    """So many filters, the same ones each time."""
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None)


async def assert_same(searched: Searched, text: str, order: list[str]) -> None:
    text = with_run_ids(text, [run.run_id for run in searched.runs])
    expected = await searched.of_mlflow(text, order)
    found = plainly.search(searched.runs, parse_filter(text), parse_order(order))
    assert expected == [run.run_id for run in found]
    assert expected == await searched.of_index(text, order)


@given(text=filters, order=orders)
@every_case(40)
async def test_a_filter_finds_what_mlflow_finds(searched: Searched, text: str, order: list[str]) -> None:
    """Each filter with AND alone, in any order, finds the runs that MLflow finds, in the same order."""
    await assert_same(searched, text, order)


@pytest.mark.slow
@given(text=filters, order=orders)
@every_case(1_000)
async def test_a_thousand_filters_find_what_mlflow_finds(
    searched: Searched, text: str, order: list[str]
) -> None:
    """The same, with 1,000 filters."""
    await assert_same(searched, text, order)
