"""What the tests of a fleet share: a store, an MLflow with runs in it, and the figures that they print."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bench.runs import bench_run, run_id_of
from tests.fakes.mlflow import FakeMlflow
from tests.store.servers import StoreServer, running

RUNS = 300


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[StoreServer]:
    """A redis-server of the test's own."""
    async with running(tmp_path, "redis-server") as server:
        yield server


@pytest.fixture
async def mlflow() -> AsyncIterator[FakeMlflow]:
    """An MLflow with runs in it, of which one in twenty is active."""
    fake = FakeMlflow()
    fill(fake)
    async with fake.serve():
        yield fake


def fill(fake: FakeMlflow, runs: int = RUNS) -> None:
    """Add so many runs."""
    for number in range(runs):
        run = bench_run(number)
        fake.add_run(run_id=run_id_of(number), end_time=run.end_time, user_id="ada", **run._asdict())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests recorded, beside their names."""
    reports = [one for state in ("passed", "failed") for one in terminalreporter.stats.get(state, ())]
    lines = [(one.nodeid.partition("::")[2], *pair) for one in reports for pair in one.user_properties]
    if lines:
        terminalreporter.section("figures")
    for test, name, value in lines:
        terminalreporter.line(f"{test}: {name}: {value}")
