"""SearchRuns: which call the client makes, and what it makes of the answer."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aioresponses import aioresponses

from service.errors import UpstreamForbidden, UpstreamRefused, UpstreamTimeout, UpstreamTooLarge
from service.tracking.questions import SearchRuns
from service.tracking.search.parsing import parse_filter
from service.upstream.client import MlflowClient
from service.upstream.conditions import conditions_of
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes.mlflow import FakeMlflow

SEARCH = "http://mlflow.test/api/2.0/mlflow/runs/search"
EXPERIMENTS = "http://mlflow.test/api/2.0/mlflow/experiments/search"


@pytest.fixture
def mlflow() -> Any:
    """What MLflow answers, and what it was asked."""
    with aioresponses() as mocked:
        yield mocked


@pytest.fixture
def now() -> list[float]:
    """The client's clock, which stands still until a test moves it."""
    return [0.0]


@pytest.fixture
async def client(now: list[float]) -> AsyncIterator[MlflowClient]:
    async with MlflowTransport("http://mlflow.test", Limits(attempts=1, max_body_bytes=10_000)) as transport:
        yield MlflowClient(transport, lambda: now[0])


@pytest.fixture
async def client_of_fake(fake: FakeMlflow) -> AsyncIterator[MlflowClient]:
    async with MlflowTransport(fake.url, Limits()) as transport:
        yield MlflowClient(transport)


def body_of(mlflow: Any) -> Any:
    ((call,),) = mlflow.requests.values()
    return call.kwargs["json"]


def question(text: str, **asked: Any) -> SearchRuns:
    conditions = conditions_of(parse_filter(text))
    assert conditions is not None
    return SearchRuns(("0",), conditions, **asked)


async def test_all_that_is_asked_is_said(mlflow: Any, client: MlflowClient) -> None:
    """Experiments, conditions, order, size and MLflow's token go into one call."""
    mlflow.post(SEARCH, payload={})
    conditions = conditions_of(parse_filter("metrics.x > 1 AND status != 'FAILED'")) or ()
    order = (("metrics.x", True), ("attributes.run_name", False))
    await client.answer(SearchRuns(("1", "2"), conditions, order, 7, "token"))
    assert {
        "experiment_ids": ["1", "2"],
        "filter": "metrics.x > 1.0 AND attributes.status != 'FAILED'",
        "run_view_type": "ACTIVE_ONLY",
        "order_by": ["metrics.x DESC", "attributes.run_name ASC"],
        "max_results": 7,
        "page_token": "token",
    } == body_of(mlflow)


async def test_the_newest_start_comes_first(mlflow: Any, client: MlflowClient) -> None:
    """Without an order and a token, the first page of the newest runs is asked for."""
    mlflow.post(SEARCH, payload={})
    await client.answer(SearchRuns(("1",)))
    body = body_of(mlflow)
    assert (["attributes.start_time DESC"], False) == (body["order_by"], "page_token" in body)


async def test_a_page_says_what_it_took_and_what_is_left_out(
    mlflow: Any, client: MlflowClient, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """Seconds by the client's clock, MLflow's token, and how many runs cannot be read: those are logged."""

    def answer(*_: Any, **__: Any) -> None:
        now[0] += 1.5

    runs = [
        {"info": {"run_id": "a", "status": "FINISHED"}},
        {"info": {"run_id": "b", "status": "FINISHED", "start_time": "soon"}},
    ]
    mlflow.post(SEARCH, payload={"runs": runs, "next_page_token": "t"}, callback=answer)
    with caplog.at_level(logging.WARNING, "service.upstream"):
        page = (await client.answer(SearchRuns(("1",)))).value
    assert (["a"], "t", 1, 1.5) == (
        [run.run_id for run in page.runs],
        page.next_page_token,
        page.unreadable,
        page.seconds,
    )
    assert "'b' cannot be read" in caplog.text


async def test_a_page_that_is_too_large_is_asked_for_once(mlflow: Any, client: MlflowClient) -> None:
    """Whoever asks decides how much less to ask for; here it is an error."""
    tags = [{"key": "k", "value": "x" * 20_000}]
    run = {"info": {"run_id": "a", "status": "FINISHED"}, "data": {"tags": tags}}
    mlflow.post(SEARCH, body=json.dumps({"runs": [run]}), repeat=True)
    with pytest.raises(UpstreamTooLarge):
        await client.answer(SearchRuns(("1",), limit=100))
    assert 100 == body_of(mlflow)["max_results"]


async def test_a_page_that_is_too_slow_is_asked_for_once(mlflow: Any, client: MlflowClient) -> None:
    """A time-out is an error, too, and nothing is asked again."""
    mlflow.post(SEARCH, exception=TimeoutError(), repeat=True)
    with pytest.raises(UpstreamTimeout):
        await client.answer(SearchRuns(("1",)))
    assert 50 == body_of(mlflow)["max_results"]


async def test_a_filter_that_is_refused_is_an_error(mlflow: Any, client: MlflowClient) -> None:
    """What a server does not know, such as IS NULL, is never left out of the question."""
    error = {"error_code": "INVALID_PARAMETER_VALUE", "message": "Invalid clause(s)"}
    mlflow.post(SEARCH, status=400, payload=error, repeat=True)
    with pytest.raises(UpstreamRefused):
        await client.answer(question("tags.x IS NULL"))
    assert "tags.x IS NULL" == body_of(mlflow)["filter"]


async def test_experiments_that_may_not_be_read_are_named(mlflow: Any, client: MlflowClient) -> None:
    """A 403 about experiments, where the account is served, says which."""
    mlflow.post(SEARCH, status=403, body="Permission denied")
    mlflow.post(EXPERIMENTS, payload={})
    with pytest.raises(UpstreamForbidden, match="'1, 2'"):
        await client.answer(SearchRuns(("1", "2")))


async def test_pages_of_mlflow_follow_each_other(fake: FakeMlflow, client_of_fake: MlflowClient) -> None:
    """MLflow's token leads to its next page, until there is none; deleted runs are on none of them."""
    for number in range(5):
        fake.add_run(run_id=f"r{number}", start_time=number, metrics={"x": float(number)})
    fake.add_run(run_id="gone", start_time=9, metrics={"x": 9.0}, lifecycle_stage="deleted")
    found, token = [], ""
    while True:
        asked = question("metrics.x > 0", order=(("metrics.x", False),), limit=3, page_token=token)
        page = (await client_of_fake.answer(asked)).value
        found.append([run.run_id for run in page.runs])
        if not (token := page.next_page_token):
            break
    assert [["r1", "r2", "r3"], ["r4"]] == found
