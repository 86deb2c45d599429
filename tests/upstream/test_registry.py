"""Model versions, logged models and runs of a dataset: which calls are made, and what the answers become."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aioresponses import CallbackResult, aioresponses
from yarl import URL

from service.tracking.lineage.questions import (
    LoggedModel,
    ModelVersion,
    ModelVersions,
    RunsOfDataset,
    SearchModelVersions,
)
from service.upstream.client import MlflowClient
from service.upstream.transport import Limits, MlflowTransport
from tests.upstream.registry_questions import CALLS, EVERY, MODEL, RUN, VERSION, asked

ANY_VERSIONS = re.compile(rf"{re.escape(CALLS)}/model-versions/search\?.*")


@pytest.fixture
def mlflow() -> Any:
    """What MLflow answers, and what it was asked."""
    with aioresponses() as mocked:
        yield mocked


@pytest.fixture
async def transport() -> AsyncIterator[MlflowTransport]:
    async with MlflowTransport("http://mlflow.test", Limits(attempts=1)) as transport:
        yield transport


@pytest.fixture
def client(transport: MlflowTransport) -> MlflowClient:
    return MlflowClient(transport)


def run(run_id: str, *digests: str) -> dict[str, Any]:
    inputs = [{"dataset": {"name": "d", "digest": digest}} for digest in digests]
    return {
        "info": {"run_id": run_id, "status": "FINISHED"},
        "data": {},
        "inputs": {"dataset_inputs": inputs},
    }


@pytest.mark.parametrize("case", ["a version", "an alias"])
async def test_a_model_version(mlflow: Any, client: MlflowClient, case: str) -> None:
    """A version has all that MLflow says of it; its name goes into the query as it is."""
    question, method, url = EVERY[case]
    mlflow.add(url, method, payload={"model_version": VERSION})
    assert (
        ModelVersion(
            name="a b/é",
            version="3",
            run_id=RUN,
            source=f"models:/{MODEL}",
            status="READY",
            stage="None",
            aliases=("champion",),
            tags={"k": "v", "empty": ""},
            created_ms=5,
        )
        == (await client.answer(question)).value
    )


async def test_a_version_as_other_servers_have_it(mlflow: Any, client: MlflowClient) -> None:
    """What is null or left out is not set, and numbers may be quoted or not."""
    question, method, url = EVERY["a version"]
    version = {"name": "m", "version": 3, "run_id": None, "aliases": None, "creation_timestamp": "7"}
    mlflow.add(url, method, payload={"model_version": version})
    assert ModelVersion("m", "3", created_ms=7) == (await client.answer(question)).value


async def test_a_logged_model(mlflow: Any, client: MlflowClient, transport: MlflowTransport) -> None:
    """A logged model has its run and the versions that it was registered as; its id is no name of a count."""
    question, method, url = EVERY["a logged model"]
    registered = '[{"name": "m", "version": 1}, {"name": "m", "version": 2}]'
    info = {
        "model_id": MODEL,
        "experiment_id": "0",
        "name": "forecast",
        "artifact_uri": f"mlflow-artifacts:/0/models/{MODEL}/artifacts",
        "status": "LOGGED_MODEL_READY",
        "model_type": "",
        "source_run_id": RUN,
        "creation_timestamp_ms": 5,
        "tags": [{"key": "mlflow.modelVersions", "value": registered}],
    }
    mlflow.add(url, method, payload={"model": {"info": info, "data": {}}})
    model = (await client.answer(question)).value
    assert isinstance(model, LoggedModel)
    assert (MODEL, RUN, "forecast", 5) == (model.model_id, model.source_run_id, model.name, model.created_ms)
    assert (("m", "1"), ("m", "2")) == model.versions
    assert [("logged-models", "ok")] == list(transport.layers.counting.outcomes)


@pytest.mark.parametrize(
    ("fields", "versions"),
    [
        ({"registrations": [{"name": "m", "version": "1"}]}, (("m", "1"),)),
        ({"tags": [{"key": "mlflow.modelVersions", "value": "no JSON"}]}, ()),
        ({}, ()),
    ],
)
async def test_the_versions_of_a_logged_model(
    mlflow: Any, client: MlflowClient, fields: dict[str, Any], versions: tuple[tuple[str, str], ...]
) -> None:
    """They stand in a field of their own on some servers, and a tag that holds anything else says nothing."""
    question, method, url = EVERY["a logged model"]
    mlflow.add(url, method, payload={"model": {"info": {"model_id": MODEL, **fields}}})
    model = (await client.answer(question)).value
    assert isinstance(model, LoggedModel)
    assert (MODEL, "", versions) == (model.model_id, model.source_run_id, model.versions)


async def test_the_versions_of_many_runs(mlflow: Any, client: MlflowClient) -> None:
    """Runs are asked for in parts that fit into a URL, each once, and the versions come newest first."""
    ids = [f"{number:032x}" for number in range(120)]

    def reply(url: URL, **_: Any) -> Any:
        names = [one for one in ids if f"'{one}'" in url.query["filter"]]
        versions = [{**VERSION, "run_id": one, "creation_timestamp": int(one, 16)} for one in names]
        return CallbackResult(payload={"model_versions": versions})

    mlflow.get(ANY_VERSIONS, callback=reply, repeat=True)
    found = (await client.answer(SearchModelVersions((*ids, ids[0], "no id!")))).value
    assert isinstance(found, ModelVersions)
    assert (ids[::-1], True) == ([one.run_id for one in found.versions], found.is_complete)
    assert 3 == asked(mlflow, "model-versions/search")
    assert all(len(str(url)) < 4_000 for _, url in mlflow.requests)


async def test_no_runs_have_no_versions(mlflow: Any, client: MlflowClient) -> None:
    """Where no id can be a run's, nothing is asked."""
    assert ModelVersions(()) == (await client.answer(SearchModelVersions(("no id!", "")))).value
    assert {} == mlflow.requests


async def test_versions_that_were_not_asked_for(mlflow: Any, client: MlflowClient) -> None:
    """A server that ignores the filter is not believed, and a page that is not the last is told of."""
    question, method, url = EVERY["the versions of runs"]
    versions = [VERSION, {**VERSION, "run_id": "f" * 32}, {**VERSION, "run_id": ""}]
    mlflow.add(url, method, payload={"model_versions": versions, "next_page_token": "more"})
    found = (await client.answer(question)).value
    assert ([RUN], False) == ([one.run_id for one in found.versions], found.is_complete)


async def test_the_runs_of_a_dataset(mlflow: Any, client: MlflowClient) -> None:
    """Runs are searched for by the digest, and those that have recorded another one are left out."""
    question, method, url = EVERY["the runs of a dataset"]
    runs = [run("a", "d1ge57"), run("b"), run("c", "other", "d1ge57")]
    mlflow.add(url, method, payload={"runs": runs, "next_page_token": "more"})
    found = (await client.answer(question)).value
    assert isinstance(found, RunsOfDataset)
    assert (["a", "c"], False) == ([one.run_id for one in found.runs], found.is_complete)
    ((call,),) = mlflow.requests.values()
    assert {
        "experiment_ids": ["0"],
        "filter": "dataset.digest = 'd1ge57'",
        "run_view_type": "ACTIVE_ONLY",
        "order_by": ["attributes.start_time DESC"],
        "max_results": 9,
    } == call.kwargs["json"]
