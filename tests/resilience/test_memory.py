"""What a failure leaves in memory."""

import gc
import json
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.fakes.faults import Hook
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.faults import replying
from tests.resilience.serving import API, serve

SIZE = 2_000_000  # bytes
FAILURES = 10


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """Memory is freed at once or not at all: the collector may come too late for bodies of many megabytes."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize(
    "hook",
    [
        replying(200, json.dumps({"x": "y" * SIZE}).encode()),
        replying(200, b"{" * (SIZE // 2)),
        replying(500, b"x" * (SIZE // 2)),
    ],
    ids=["too large", "rubbish", "a status"],
)
async def test_a_failure_keeps_no_body(fake: FakeMlflow, hook: Hook) -> None:
    """A failure keeps nothing in memory of what MLflow sent, however long something holds on to it."""
    fake.before = hook
    limits = {"attempts": 1, "max_body_bytes": SIZE - 1_000}
    async with serve(fake.url, breaker=False, upstream=limits) as service:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(FAILURES):
            async with service.client.get(f"{API}/runs/cold{number}") as response:
                assert 502 == response.status
        after, _ = tracemalloc.get_traced_memory()
    assert after - before < SIZE
