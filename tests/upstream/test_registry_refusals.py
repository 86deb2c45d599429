"""What the registry does not have, does not show or fails at: each is something else than "there is none"."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aioresponses import aioresponses
from yarl import URL

from service.errors import UpstreamError, UpstreamRefused
from service.tracking.lineage.questions import (
    FORBIDDEN,
    UNSUPPORTED,
    GetLoggedModel,
    GetModelByAlias,
    GetModelVersion,
    ModelVersion,
    NotServed,
)
from service.tracking.questions import Question
from service.upstream.client import MlflowClient
from service.upstream.transport import Limits, MlflowTransport
from tests.upstream.registry_questions import CALLS, EVERY, MODEL, VERSION, asked

LOOK = f"{CALLS}/experiments/search"
MISSING = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "m"}
INVALID = {"error_code": "INVALID_PARAMETER_VALUE", "message": "Registered model alias a not found."}
NO_REGISTRY = {
    "error_code": "INVALID_PARAMETER_VALUE",
    "message": " Model registry functionality is unavailable; got unsupported URI './mlruns'",
}
PAGE = "<!doctype html><title>404 Not Found</title>"
every_question = pytest.mark.parametrize(("question", "method", "url"), EVERY.values(), ids=EVERY)


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
    async with MlflowTransport("http://mlflow.test", Limits(attempts=1)) as transport:
        yield MlflowClient(transport, lambda: now[0])


@pytest.mark.parametrize("case", ["a version", "an alias", "a logged model"])
async def test_what_does_not_exist(mlflow: Any, client: MlflowClient, case: str) -> None:
    """MLflow's own 404 is None, and so is its 400 for a value that names nothing."""
    question, method, url = EVERY[case]
    mlflow.add(url, method, status=404, payload=MISSING)
    mlflow.add(url, method, status=400, payload=INVALID)
    assert [None, None] == [(await client.answer(question)).value for _ in range(2)]


@pytest.mark.parametrize(
    "question",
    [
        GetModelVersion("m", "latest"),
        GetModelVersion("m", "99999999999999999999"),
        GetModelVersion("m", "2147483648"),
        GetModelVersion("m", "٣"),
        GetModelVersion("m" * 257, "3"),
        GetModelVersion("a\0", "3"),
        GetModelVersion("", "3"),
        GetModelByAlias("\ud800", "a"),
        GetModelByAlias("m", ""),
        GetLoggedModel("../runs/get"),
        GetLoggedModel(""),
        GetLoggedModel("m" * 256),
    ],
)
async def test_what_cannot_exist_is_not_asked_for(
    mlflow: Any, client: MlflowClient, question: Question[Any]
) -> None:
    """Names and numbers that MLflow's database cannot hold make it fail, so they are None without a call."""
    assert (await client.answer(question)).value is None
    assert {} == mlflow.requests


@every_question
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, PAGE),
        (405, PAGE),
        (404, '{"error_code": "ENDPOINT_NOT_FOUND", "message": "m"}'),
        (400, json.dumps(NO_REGISTRY)),
    ],
)
async def test_a_server_without_the_endpoint(
    mlflow: Any,
    client: MlflowClient,
    now: list[float],
    question: Question[Any],
    method: str,
    url: URL,
    status: int,
    body: str,
) -> None:
    """A server that answers otherwise lacks the endpoint: so it is said, and not asked again for a while."""
    mlflow.add(url, method, status=status, body=body, repeat=True)
    mlflow.post(LOOK, payload={}, repeat=True)
    for _ in range(2):
        assert NotServed(UNSUPPORTED) == (await client.answer(question)).value
    assert 1 == asked(mlflow, url.path.rpartition("/mlflow")[2])
    now[0] = 601.0
    await client.answer(question)
    assert 2 == asked(mlflow, url.path.rpartition("/mlflow")[2])


@every_question
async def test_a_server_that_answers_nothing_is_a_failure(
    mlflow: Any, client: MlflowClient, question: Question[Any], method: str, url: URL
) -> None:
    """Where the 404 is not MLflow's at all, but that of whatever is in its place, it is an error."""
    mlflow.add(url, method, status=404, body=PAGE)
    mlflow.post(LOOK, status=404, body=PAGE)
    with pytest.raises(UpstreamError):
        await client.answer(question)


@every_question
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, '{"error_code": "INTERNAL_ERROR", "message": "m"}'),
        (503, '{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "m"}'),
        (502, PAGE),
        (200, "[]"),
        (200, '{"unexpected": 1}'),
        (200, PAGE),
        (400, '{"error_code": "BAD_REQUEST", "message": "(psycopg2.errors) the database"}'),
    ],
)
async def test_a_server_that_fails_is_a_failure(
    mlflow: Any, client: MlflowClient, question: Question[Any], method: str, url: URL, status: int, body: str
) -> None:
    """A failure is never "there is none", nor is rubbish, nor a 400 about the server's own database."""
    mlflow.add(url, method, status=status, body=body)
    with pytest.raises(UpstreamError):
        await client.answer(question)


@every_question
async def test_what_the_account_may_not_read(
    mlflow: Any, client: MlflowClient, question: Question[Any], method: str, url: URL
) -> None:
    """A 403 of one thing is said, where the account is served otherwise."""
    mlflow.add(url, method, status=403, body="Permission denied")
    mlflow.post(LOOK, payload={})
    assert NotServed(FORBIDDEN) == (await client.answer(question)).value


async def test_a_server_that_refuses_to_list_experiments(mlflow: Any, client: MlflowClient) -> None:
    """A refusal is an answer, too: the server is there, and lacks the endpoint."""
    question, method, url = EVERY["a logged model"]
    mlflow.add(url, method, status=404, body=PAGE)
    mlflow.post(LOOK, status=400, payload={"error": "no"})
    assert NotServed(UNSUPPORTED) == (await client.answer(question)).value


async def test_one_lack_is_not_another(mlflow: Any, client: MlflowClient) -> None:
    """A server without logged models is still asked for versions."""
    mlflow.add(EVERY["a logged model"][2], "GET", status=404, body=PAGE)
    mlflow.post(LOOK, payload={})
    mlflow.add(EVERY["a version"][2], "GET", payload={"model_version": VERSION})
    await client.answer(GetLoggedModel(MODEL))
    assert isinstance((await client.answer(GetModelVersion("a b/é", "3"))).value, ModelVersion)


async def test_a_filter_that_is_refused_is_no_empty_answer(mlflow: Any, client: MlflowClient) -> None:
    """A refusal that says nothing of what is wrong is an error of the search."""
    question, method, url = EVERY["the runs of a dataset"]
    mlflow.add(url, method, status=400, payload={"error": "no filters here"})
    with pytest.raises(UpstreamRefused):
        await client.answer(question)
