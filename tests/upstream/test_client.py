"""Which calls the client makes, and what it makes of the answers: no server, each exchange written down."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aioresponses import aioresponses
from yarl import URL

from service.answer import Origin
from service.errors import UpstreamError, UpstreamTimeout
from service.tracking.questions import GetExperiment, GetRun, ListExperiments, ListRuns, Question
from service.upstream.client import MlflowClient
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes.mlflow import FakeMlflow

BASE = "http://mlflow.test/prefix"
CALLS = f"{BASE}/api/2.0/mlflow"
MISSING = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "m"}
EXISTS = {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "m"}


@pytest.fixture
def mlflow() -> Any:
    """What MLflow answers, and what it was asked."""
    with aioresponses() as mocked:
        yield mocked


@pytest.fixture
async def client() -> AsyncIterator[MlflowClient]:
    async with MlflowTransport(BASE, Limits(attempts=1)) as transport:
        yield MlflowClient(transport)


@pytest.fixture
async def client_of_fake(fake: FakeMlflow) -> AsyncIterator[MlflowClient]:
    async with MlflowTransport(fake.url, Limits()) as transport:
        yield MlflowClient(transport)


def asked(mlflow: Any) -> list[tuple[str, str, Any, Any]]:
    """Every call, in order of address: method, endpoint, query and JSON."""
    return [
        (
            method,
            str(url.with_query(None)).removeprefix(f"{CALLS}/"),
            call.kwargs.get("params"),
            call.kwargs.get("json"),
        )
        for (method, url), calls in mlflow.requests.items()
        for call in calls
    ]


def run(run_id: str, **tags: str) -> dict[str, Any]:
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    return {"info": {"run_id": run_id, "status": "FINISHED"}, "data": {"tags": pairs}}


def token(offset: int) -> str:
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def get(endpoint: str, **query: str) -> URL:
    return URL(f"{CALLS}/{endpoint}").with_query(query)


async def test_a_run(mlflow: Any, client: MlflowClient) -> None:
    """A run is one GET, below the prefix, that follows no redirect."""
    mlflow.get(get("runs/get", run_id="abc"), payload={"run": run("abc")})
    answer = await client.answer(GetRun("abc"))
    assert answer.value is not None
    assert ("abc", 0.0, Origin.MISS) == (answer.value.run_id, answer.age, answer.origin)
    assert [("GET", "runs/get", {"run_id": "abc"}, None)] == asked(mlflow)
    [[call]] = mlflow.requests.values()
    assert call.kwargs["allow_redirects"] is False


async def test_a_run_that_mlflow_lacks(mlflow: Any, client: MlflowClient) -> None:
    """MLflow's own 404 is None."""
    mlflow.get(get("runs/get", run_id="abc"), status=404, payload=MISSING)
    assert (await client.answer(GetRun("abc"))).value is None


@pytest.mark.parametrize("run_id", ["", "a/b", "-a", "a" * 257])
async def test_a_run_that_cannot_be(mlflow: Any, client: MlflowClient, run_id: str) -> None:
    """An id that MLflow does not allow is None without a call."""
    assert (await client.answer(GetRun(run_id))).value is None
    assert [] == asked(mlflow)


async def test_a_run_of_another_id(mlflow: Any, client: MlflowClient) -> None:
    """A run that is found by its id in other letters is not the one that was asked for (MariaDB)."""
    mlflow.get(get("runs/get", run_id="ABC123"), payload={"run": run("abc123")})
    assert (await client.answer(GetRun("ABC123"))).value is None


async def test_several_runs(mlflow: Any, client: MlflowClient) -> None:
    """Several runs come in the order asked for, what is missing as None."""
    mlflow.get(get("runs/get", run_id="b"), payload={"run": run("b")})
    mlflow.get(get("runs/get", run_id="a"), status=404, payload=MISSING)
    mlflow.get(get("runs/get", run_id="c"), payload={"run": run("c")})
    answers = await client.answer_many(list(map(GetRun, ["c", "a", "/", "b"])))
    assert ["c", None, None, "b"] == [answer.value and answer.value.run_id for answer in answers]


async def test_a_search(mlflow: Any, client: MlflowClient) -> None:
    """A search asks for as many active runs as are wanted, newest first, with the filter of the tags."""
    tags = {"run_type": "cpcv", "strategy_id": "s1"}
    mlflow.post(f"{CALLS}/runs/search", payload={"runs": [run("a", **tags), run("b", **tags)]})
    answer = await client.answer(ListRuns("7", "cpcv", "s1", 20))
    assert ["a", "b"] == [one.run_id for one in answer.value]
    body = {
        "experiment_ids": ["7"],
        "filter": "tags.run_type = 'cpcv' AND tags.strategy_id = 's1'",
        "run_view_type": "ACTIVE_ONLY",
        "max_results": 20,
        "order_by": ["attributes.start_time DESC"],
    }
    assert [("POST", "runs/search", None, body)] == asked(mlflow)


async def test_a_search_without_filters(mlflow: Any, client: MlflowClient) -> None:
    """Without filters the filter is empty, and nothing found is nothing."""
    mlflow.post(f"{CALLS}/runs/search", payload={})
    assert () == (await client.answer(ListRuns("0", None, None, 5))).value
    [(_, _, _, body)] = asked(mlflow)
    assert "" == body["filter"]


async def test_a_search_over_pages(client_of_fake: MlflowClient, fake: FakeMlflow) -> None:
    """A page that is not full is followed by the next, with the token that MLflow gave, up to the limit."""
    for _ in range(5):
        fake.add_run()

    async def small_pages(request: web.Request) -> None:
        given = json.loads(await request.text())
        given["max_results"] = 2
        request._read_bytes = json.dumps(given).encode()

    fake.before = small_pages
    found = await client_of_fake.answer(ListRuns("0", None, None, 5))
    assert [run.run_id for run in fake.store.newest_first(["0"])] == [run.run_id for run in found.value]
    assert [None, token(2), token(4)] == [call.json.get("page_token") for call in fake.calls]
    assert 3 == len((await client_of_fake.answer(ListRuns("0", None, None, 3))).value)


@pytest.mark.parametrize("run_type", [None, "a\\"])
async def test_pages_without_end(fake: FakeMlflow, run_type: str | None) -> None:
    """All pages together have the time of one call, so that no server can keep a search going for ever."""
    page = {"runs": [run("r")], "next_page_token": "more"}
    experiment = {"experiment_id": "1", "name": "e", "artifact_location": "", "lifecycle_stage": "active"}

    async def one_more(request: web.Request) -> web.Response:
        is_runs = request.path.endswith("runs/search")
        return web.json_response(
            page if is_runs else {"experiments": [experiment], "next_page_token": "more"}
        )

    fake.before, fake.latency = one_more, 0.01
    async with MlflowTransport(fake.url, Limits(deadline=0.2)) as transport, asyncio.timeout(3):
        client = MlflowClient(transport)
        with pytest.raises(UpstreamTimeout):
            await client.answer(ListRuns("0", run_type, None, 100))
        with pytest.raises(UpstreamTimeout):
            await client.answer(ListExperiments())


async def test_a_search_that_cannot_be_exact(mlflow: Any, client: MlflowClient) -> None:
    """Look-alikes are left out, and larger pages asked for until there are enough."""
    value = "a'b\"c"
    first = {"runs": [run("x", run_type="a_b_c"), run("a", run_type=value)], "next_page_token": token(2)}
    second = {"runs": [run("b", run_type=value), run("y", run_type="aXbXc"), run("c", run_type=value)]}
    mlflow.post(f"{CALLS}/runs/search", payload=first)
    mlflow.post(f"{CALLS}/runs/search", payload=second)
    answer = await client.answer(ListRuns("0", value, None, 2))
    assert ["a", "b"] == [one.run_id for one in answer.value]
    assert [2, 8] == [body["max_results"] for _, _, _, body in asked(mlflow)]


async def test_an_experiment(mlflow: Any, client: MlflowClient) -> None:
    """An experiment is looked up by its name, whatever is in it; MLflow's own 404 is None."""
    name = "research & more/é"
    experiment = {
        "experiment_id": "7",
        "name": name,
        "artifact_location": "s3://x",
        "lifecycle_stage": "deleted",
    }
    mlflow.get(re.compile(rf"{CALLS}/experiments/get-by-name.*"), payload={"experiment": experiment})
    found = (await client.answer(GetExperiment(name))).value
    assert found is not None
    assert ("7", name, False) == (found.experiment_id, found.name, found.is_active)
    assert [("GET", "experiments/get-by-name", {"experiment_name": name}, None)] == asked(mlflow)
    mlflow.get(re.compile(rf"{CALLS}/experiments/get-by-name.*"), status=404, payload=MISSING)
    assert (await client.answer(GetExperiment(name))).value is None


async def test_experiments(mlflow: Any, client: MlflowClient) -> None:
    """All pages are read: active only, oldest first, with the number that MLflow insists on."""
    one = {"experiment_id": "0", "name": "Default", "artifact_location": "x", "lifecycle_stage": "active"}
    mlflow.post(f"{CALLS}/experiments/search", payload={"experiments": [one], "next_page_token": token(1)})
    mlflow.post(f"{CALLS}/experiments/search", payload={"experiments": [{**one, "experiment_id": "1"}]})
    assert ["0", "1"] == [found.experiment_id for found in (await client.answer(ListExperiments())).value]
    for _, endpoint, _, body in asked(mlflow):
        assert "experiments/search" == endpoint
        assert (1000, "ACTIVE_ONLY") == (body["max_results"], body["view_type"])
        assert ["creation_time ASC"] == body["order_by"][:1]


async def test_creating_an_experiment(mlflow: Any, client: MlflowClient) -> None:
    """Created is True, and where another replica was quicker it is False."""
    mlflow.post(f"{CALLS}/experiments/create", payload={"experiment_id": "7"})
    assert await client.create_experiment("new") is True
    assert [("POST", "experiments/create", None, {"name": "new"})] == asked(mlflow)
    mlflow.post(f"{CALLS}/experiments/create", status=400, payload=EXISTS)
    assert await client.create_experiment("new") is False


@pytest.mark.parametrize("status_and_body", [(404, MISSING), (400, EXISTS)], ids=["missing", "exists"])
async def test_words_that_do_not_belong_there(
    mlflow: Any, client: MlflowClient, status_and_body: tuple[int, dict[str, str]]
) -> None:
    """A search of what is missing, a look-up of what exists: where it says nothing, it is a failure."""
    status, body = status_and_body
    everything = re.compile(rf"{CALLS}/.*")
    mlflow.post(everything, status=status, payload=body, repeat=True)
    mlflow.get(everything, status=400, payload=EXISTS, repeat=True)
    with pytest.raises(UpstreamError):
        await client.answer(ListRuns("0", None, None, 5))
    with pytest.raises(UpstreamError):
        await client.answer(ListExperiments())
    with pytest.raises(UpstreamError):
        await client.answer(GetRun("abc"))
    with pytest.raises(UpstreamError):
        await client.answer(GetExperiment("x"))


async def test_a_creation_of_what_is_missing(mlflow: Any, client: MlflowClient) -> None:
    """A creation that MLflow says is of something missing is a failure."""
    mlflow.post(f"{CALLS}/experiments/create", status=404, payload=MISSING)
    with pytest.raises(UpstreamError):
        await client.create_experiment("x")


KINDS = [kind for kind in Question.__subclasses__() if kind.__module__.startswith("service.")]


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_question_is_asked(
    mlflow: Any, client: MlflowClient, kind: type[Question[Any]]
) -> None:
    """The client knows how to ask MLflow for each kind of question that the service has."""
    refusing = re.compile(rf"{CALLS}/.*")
    mlflow.get(refusing, status=500, repeat=True)
    mlflow.post(refusing, status=500, repeat=True)
    needed = [field.type for field in msgspec.structs.fields(kind) if field.required]
    question = kind(*["1" if "str" in str(type_) else 1 for type_ in needed])
    with pytest.raises(UpstreamError):
        await client.answer(question)
    assert 1 == len(asked(mlflow))


async def test_an_unknown_kind_of_question_is_a_defect(client: MlflowClient) -> None:
    """A question that nobody taught the client is an error, and never answered with something else."""

    class GetSomething(Question[int], frozen=True):
        name: str

    with pytest.raises(TypeError, match="GetSomething"):
        await client.answer(GetSomething("x"))
