"""A collector that OpenTelemetry's variables name."""

from collections.abc import AsyncIterator

import pytest

from tests.tracing.collector import Collector


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """An empty collector. What a service has for it is there once the service has stopped."""
    async with Collector().serve() as served:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", served.url)
        yield served
