"""What most tests start from: an environment of their own, a fake MLflow, and the service over it."""

import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from tests.api.serving import Client, serving
from tests.fakes.mlflow import FakeMlflow

settings.register_profile("tests", deadline=None)  # a busy machine is no failure
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer has set for a service or an MLflow of theirs reaches no test."""
    for name in os.environ:
        if name.upper().startswith(("TRACKING_", "MLFLOW_", "OTEL_")):
            monkeypatch.delenv(name)


@pytest.fixture
async def fake() -> AsyncIterator[FakeMlflow]:
    """An empty MLflow."""
    async with FakeMlflow().serve() as served:
        yield served


@pytest.fixture
async def api(fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over that MLflow."""
    async with serving(fake.url) as client:
        yield client
