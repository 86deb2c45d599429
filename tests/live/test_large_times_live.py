"""Filters of times beyond 2^53, on the fake and on a real MLflow: whole numbers are compared as such."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.tracking.search.expressions import Comparison, Operator
from service.tracking.search.fields import Field, FieldKind
from service.upstream.conditions import filter_text
from tests.live.logbook import Logbook, names, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

NS = 1_764_201_600_000_000_000
TIMES = (2**63 - 1, 2**63 - 2, NS + 2, NS + 1, NS, 2**53 + 2, 2**53 + 1, 2**53, -(2**63) + 1, -(2**63))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def large(mlflow: Logbook) -> AsyncIterator[str]:
    """An experiment with a run for each time, which is its name."""
    experiment = await mlflow.create_experiment(unique("large-times"))
    for time in TIMES:
        run_id = await mlflow.create_run(experiment, f"{time}", start_time=time)
        await mlflow.finish(run_id, "FINISHED", time)
    yield experiment


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("key", ["start_time", "end_time"])
async def test_a_condition_finds_exactly_the_runs_up_to_a_time(
    mlflow: Logbook, large: str, key: str, time: int
) -> None:
    """No run a millisecond later is found, and none is missing, though their doubles are the same."""
    text = filter_text([Comparison(Field(FieldKind.ATTRIBUTE, key), Operator.LE, time)])
    reply = await mlflow.post("runs/search", experiment_ids=[large], filter=text)
    assert {f"{one}" for one in TIMES if one <= time} == set(names(reply))


async def test_they_come_newest_first(mlflow: Logbook, large: str) -> None:
    """MLflow's own order tells them apart, too."""
    reply = await mlflow.post("runs/search", experiment_ids=[large])
    assert [f"{time}" for time in TIMES] == list(names(reply))
