"""A fake MLflow with the runs that every route asks for, and a proxy in front of it."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator

import pytest

from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import eventually
from tests.resilience.proxy import FaultProxy

pytest.register_assert_rewrite("tests.resilience.promises")


@pytest.fixture
async def mlflow(fake: FakeMlflow) -> FakeMlflow:
    """An MLflow with the two runs of tests.api.serving.ROUTES."""
    for run_id in ("abc123def456", "def456ghi789"):
        fake.add_run(run_id=run_id, params={"window": "20"}, metrics={"oos_sharpe": 1.2})
    return fake


@pytest.fixture
async def proxy(mlflow: FakeMlflow) -> AsyncIterator[FaultProxy]:
    """The way to that MLflow."""
    async with FaultProxy(mlflow.url) as listening:
        yield listening


@pytest.fixture
async def _leaves_nothing(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """All tasks that the test started have ended after it, and nobody logged an error."""
    before = asyncio.all_tasks()
    yield

    def left() -> set[asyncio.Task[object]]:
        return asyncio.all_tasks() - before - {asyncio.current_task()}

    await eventually(lambda: not left(), lambda: f"tasks are left: {left()}")
    gc.collect()  # an exception that nobody looked at is told of when its task is collected
    assert [] == [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.fixture(autouse=True)
def _a_shared_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times may be three times their promise here; statuses, calls and leaks are held to it."""
    monkeypatch.setattr("tests.resilience.promises.figures.slack", 3.0)
