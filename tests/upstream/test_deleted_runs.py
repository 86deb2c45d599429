"""ListDeletedRuns: which calls the client makes, and what it makes of the answers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aioresponses import aioresponses

from service.errors import UpstreamError, UpstreamRefused
from service.tracking.deleted_runs import DeletedRuns, ListDeletedRuns
from service.upstream.client import MlflowClient
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes.mlflow import FakeMlflow

SEARCH = "http://mlflow.test/api/2.0/mlflow/runs/search"
ASKED = ListDeletedRuns(("0", "7"), "s", 3)


@pytest.fixture
def mlflow() -> Any:
    """What MLflow answers, and what it was asked."""
    with aioresponses() as mocked:
        yield mocked


@pytest.fixture
async def client() -> AsyncIterator[MlflowClient]:
    async with MlflowTransport("http://mlflow.test", Limits(attempts=1, max_body_bytes=100_000)) as transport:
        yield MlflowClient(transport)


def bodies(mlflow: Any) -> list[Any]:
    return [call.kwargs["json"] for calls in mlflow.requests.values() for call in calls]


def deleted(run_id: str, strategy_id: str = "s", stage: str = "deleted", **info: Any) -> dict[str, Any]:
    tags = [{"key": "strategy_id", "value": strategy_id}]
    about = {"run_id": run_id, "status": "FINISHED", "experiment_id": "0", "lifecycle_stage": stage}
    return {"info": about | info, "data": {"tags": tags}}


def ids(answer: DeletedRuns) -> list[str]:
    return [run.run_id for run in answer.runs]


async def test_all_deleted_runs_are_asked_for_by_pages(mlflow: Any, client: MlflowClient) -> None:
    """Experiments, the strategy and the view go into each call, and pages are read to the last one."""
    mlflow.post(SEARCH, payload={"runs": [deleted("a")], "next_page_token": "t"})
    mlflow.post(SEARCH, payload={"runs": [deleted("a"), deleted("b")]})  # pages shift while runs are deleted
    answer = (await client.answer(ASKED)).value
    assert ["a", "b"] == ids(answer)
    first, second = bodies(mlflow)
    assert {
        "experiment_ids": ["0", "7"],
        "filter": "tags.strategy_id = 's'",
        "run_view_type": "DELETED_ONLY",
        "max_results": 1_000,
    } == first
    assert first | {"page_token": "t"} == second


async def test_no_more_than_asked_for(mlflow: Any, client: MlflowClient) -> None:
    """Once there are as many as the question asks for, no further page is asked for."""
    runs = [deleted(run_id) for run_id in "abcd"]
    mlflow.post(SEARCH, payload={"runs": runs, "next_page_token": "t"})
    assert ["a", "b", "c"] == ids((await client.answer(ASKED)).value)
    assert 1 == len(bodies(mlflow))


async def test_look_alikes_are_left_out(mlflow: Any, client: MlflowClient) -> None:
    """Where a server finds by less than what is asked, only runs of the strategy and experiments count."""
    runs = [deleted("a"), deleted("b", "S"), deleted("c", experiment_id="9")]
    mlflow.post(SEARCH, payload={"runs": runs})
    assert ["a"] == ids((await client.answer(ASKED)).value)


async def test_runs_that_cannot_be_read_are_counted(mlflow: Any, client: MlflowClient) -> None:
    """A deleted run that cannot be read was a trial all the same."""
    mlflow.post(SEARCH, payload={"runs": [deleted("a"), deleted("b", start_time="soon")]})
    answer = (await client.answer(ASKED)).value
    assert (["a"], 1, True) == (ids(answer), answer.unreadable, answer.is_listed)


async def test_a_server_that_ignores_the_view_lists_nothing(mlflow: Any, client: MlflowClient) -> None:
    """Runs that are not deleted show that the server did not understand: then nothing is known."""
    mlflow.post(SEARCH, payload={"runs": [deleted("a", stage="active")]})
    assert DeletedRuns((), is_listed=False) == (await client.answer(ASKED)).value


@pytest.mark.parametrize(("status", "error"), [(500, UpstreamError), (400, UpstreamRefused)])
async def test_a_failure_is_never_an_empty_list(
    mlflow: Any, client: MlflowClient, status: int, error: type[Exception]
) -> None:
    """Where MLflow fails or refuses, on the first page or a later one, there is no answer."""
    mlflow.post(SEARCH, payload={"runs": [deleted("a")], "next_page_token": "t"})
    mlflow.post(SEARCH, status=status, payload={"error_code": "INTERNAL_ERROR"}, repeat=True)
    with pytest.raises(error):
        await client.answer(ASKED)


@pytest.mark.parametrize("strategy_id", ["s", "it's", 'say "x"', "back\\", "' OR 1", "日本", "a\\' AND 'b"])
async def test_the_fake_finds_them(fake: FakeMlflow, strategy_id: str) -> None:
    """Of a strategy of any name exactly the deleted runs are found, by MLflow's own grammar."""
    for run_id, stage in (("gone", "deleted"), ("there", "active")):
        fake.add_run(run_id=run_id, tags={"strategy_id": strategy_id}, lifecycle_stage=stage)
    fake.add_run(run_id="other", tags={"strategy_id": "other"}, lifecycle_stage="deleted")
    async with MlflowTransport(fake.url, Limits()) as transport:
        answer = await MlflowClient(transport).answer(ListDeletedRuns(("0",), strategy_id, 10))
    assert ["gone"] == ids(answer.value)


async def test_what_no_tag_can_be_is_not_asked_for(mlflow: Any, client: MlflowClient) -> None:
    """No run bears a strategy_id that no database stores."""
    assert DeletedRuns(()) == (await client.answer(ListDeletedRuns(("0",), "a\0", 10))).value
    assert [] == bodies(mlflow)
