"""A real Prometheus scrapes the service with the shipped configuration."""

from pathlib import Path

import pytest

from service.auth.api_keys import new_key
from tests.api.serving import API, serving
from tests.deploy.balancer import until
from tests.fakes.mlflow import FakeMlflow
from tests.operations.prometheus import configure, scraping

pytestmark = pytest.mark.prometheus


@pytest.mark.parametrize("is_known", [True, False])
async def test_with_a_key(fake: FakeMlflow, tmp_path: Path, is_known: bool) -> None:
    """With its key Prometheus sees the service; with one that is not known, the replica is down to it."""
    key, line = new_key("prometheus")
    given = key if is_known else new_key("nobody").key
    async with serving(fake.url, auth={"mode": "api_key", "api_keys": line}) as api:
        await api.get(f"{API}/runs", headers={"X-API-Key": key})
        configuration = configure(tmp_path, given, [f"127.0.0.1:{api.port}"])
        async with scraping(tmp_path, configuration) as prometheus:

            async def seen() -> bool:
                return bool(await prometheus.now("up"))

            await until(seen, "a target is scraped")
            [(labels, up)] = await prometheus.now("up")
            requests = await prometheus.now(
                'tracking_request_duration_seconds_count{route="/api/v1/tracking/runs"}'
            )
    assert ("tracking", is_known) == (labels["job"], up == 1)
    assert [1.0] * is_known == [number for _, number in requests]
