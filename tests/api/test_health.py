"""GET /livez and /readyz."""

from typing import Any

from service.api import schemas
from service.app import CAPACITY
from tests.api.serving import API, Client, ask, serving, strictly
from tests.fakes.mlflow import FakeMlflow


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
    """/readyz is ready whatever MLflow does, tells how it was at the last call, and makes none itself."""
    async with serving(fake.url, upstream={"attempts": 1}) as api:
        assert {"status": "ready", "upstream": "unknown", "breaker": "closed"} == await health(api, "/readyz")
        assert [] == fake.calls
        for _ in range(2):
            await ask(api, "run")
            assert {"status": "ready", "upstream": "ok", "breaker": "closed"} == await health(api, "/readyz")
            await fake.stop()
            await ask(api, "run")
            body = await health(api, "/readyz")
            assert {"status": "ready", "upstream": "failing", "breaker": "closed"} == body
            schemas.Readiness.model_validate(body, strict=True)
            await fake.start()


async def test_a_replica_that_is_about_to_stop_is_not_ready(api: Client) -> None:
    """While it drains, /readyz is 503, /livez still 200, and answers close their connection."""
    api.app[CAPACITY].drain()
    response = await api.get("/readyz")
    assert (503, "draining") == (response.status, (await response.json())["status"])
    assert {"status": "alive"} == await health(api, "/livez")
    response = await api.get(f"{API}/runs")
    assert (200, "close") == (response.status, response.headers["Connection"])
