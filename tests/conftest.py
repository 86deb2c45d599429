"""What most tests start from: an environment of their own, a fake MLflow, and the service over it."""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.api.serving import Client, serving
from tests.certificates import write_certificate
from tests.fakes.mlflow import FakeMlflow
from tests.once import worked_out_once

# How many examples a test makes up: --hypothesis-profile chooses. No deadline: a busy machine is no failure.
for name, examples in {"quick": 20, "tests": 50, "long": 200}.items():
    settings.register_profile(name, deadline=None, max_examples=examples)
settings.load_profile("tests")


def pytest_collection_finish() -> None:
    """No garbage is looked for among what has been imported and collected, which stays to the end."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _worked_out_once() -> Iterator[None]:
    """A service is built in half of its time."""
    with worked_out_once():
        yield


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a developer has set for a service, a proxy or an MLflow of theirs reaches no test."""
    for name in os.environ:
        if name.upper().startswith(("TRACKING_", "MLFLOW_", "OTEL_")) or name.upper().endswith(
            ("_PROXY", "_CA_BUNDLE", "NETRC")
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))  # without credentials files


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


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    return write_certificate(tmp_path_factory.mktemp("tls") / "both.pem")
