"""GET /livez and /readyz."""

import asyncio
import json
from typing import Any, get_args

import pytest

from service.api import schemas
from service.upstream.experiment_state import State
from tests.api.serving import API, Client, ask, serving, strictly
from tests.fakes.faults import answering, only
from tests.fakes.mlflow import FakeMlflow
from tests.store.scripted_server import scripted

READY = {
    "status": "ready",
    "upstream": "ok",
    "breaker": "closed",
    "experiment": "unknown",
    "index": "off",
    "store": "off",
}


async def health(api: Client, path: str) -> dict[str, Any]:
    response = await api.get(path)
    assert 200 == response.status
    assert "no-store" == response.headers["Cache-Control"]
    return dict(strictly(await response.text()))


async def test_a_living_process_answers(api: Client, fake: FakeMlflow) -> None:
    """/livez is 200 and never asks MLflow."""
    await fake.stop()
    body = await health(api, "/livez")
    assert {"status": "alive"} == body
    schemas.Liveness.model_validate(body, strict=True)
    assert [] == fake.calls


async def test_readiness_tells_how_mlflow_was(fake: FakeMlflow) -> None:
    """/readyz is ready whatever MLflow does, tells how it is, and makes no call itself."""
    async with serving(fake.url, upstream={"attempts": 1}) as api:
        assert {**READY, "upstream": "unknown"} == await health(api, "/readyz")
        assert [] == fake.calls
        for _ in range(2):
            await ask(api, "run")
            assert READY == await health(api, "/readyz")
            await fake.stop()
            await ask(api, "run")
            body = await health(api, "/readyz")
            assert {**READY, "upstream": "failing"} == body
            schemas.Readiness.model_validate(body, strict=True)
            await fake.start()


async def test_a_question_that_fails_by_itself_is_no_illness(fake: FakeMlflow) -> None:
    """Whoever polls what MLflow cannot answer does not make /readyz flap for the balancer's operator."""
    fake.before = only("runs/get", answering(500))
    seen = set()
    async with serving(fake.url, upstream={"attempts": 1}) as api:
        await ask(api, "experiments")
        for number in range(40):
            await api.get(f"{API}/runs/poison{number % 5}")
            seen.add(json.dumps(await health(api, "/readyz"), sort_keys=True))
    assert {json.dumps(READY, sort_keys=True)} == seen


@pytest.mark.parametrize("state", get_args(State))
async def test_readiness_tells_what_became_of_the_experiment(api: Client, state: State) -> None:
    """What was found when the experiment was looked for stands beside how MLflow is."""
    api.service.experiment.state = state
    body = await health(api, "/readyz")
    assert state == body["experiment"]
    schemas.Readiness.model_validate(body, strict=True)


@pytest.mark.thorough
async def test_readiness_tells_whether_the_store_answers(fake: FakeMlflow) -> None:
    """A replica is ready with its store and without it, and says which."""
    async with scripted() as server, serving(fake.url, store={"url": server.url}) as api:
        body = await health(api, "/readyz")
        assert {**READY, "upstream": "unknown", "store": "attached"} == body
        schemas.Readiness.model_validate(body, strict=True)
        await server.stop()
        async with asyncio.timeout(10.0):
            while "detached" != (body := await health(api, "/readyz"))["store"]:
                pass
        schemas.Readiness.model_validate(body, strict=True)


async def test_a_replica_that_is_about_to_stop_is_not_ready(api: Client) -> None:
    """While it drains, /readyz is 503, /livez still 200, and answers close their connection."""
    api.service.capacity.drain()
    response = await api.get("/readyz")
    assert (503, "draining") == (response.status, (await response.json())["status"])
    assert {"status": "alive"} == await health(api, "/livez")
    response = await api.get(f"{API}/runs")
    assert (200, "close") == (response.status, response.headers["Connection"])
