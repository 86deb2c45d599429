"""Promises 3 and 9 over a real MLflow that is stopped, continued, killed and started again."""

import asyncio
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import aiohttp
import pytest

from tests.api.serving import API, Client, refused, serving
from tests.live.logbook import Logbook, unique
from tests.live.server import free_port, mlflow_on, signal_group
from tests.resilience.measure import eventually, starved

_DEADLINE = 1.5
_GRACE = 0.5
_SOON = 2.0
_CALLERS = 5
SETTINGS = {
    "deadline": _DEADLINE,
    # Soon old, so that the outage is seen by every read; usable for long.
    "cache": {"terminal_ttl": 1, "active_ttl": 1, "list_ttl": 1, "experiments_ttl": 1},
}


class Authentication:
    """People who read what is warm, again and again, all through the outage; the answers since a moment."""

    def __init__(self, api: Client, paths: list[str]) -> None:
        self._api = api
        self._paths = paths
        self.statuses: set[int] = set()
        self.slowest = 0.0
        self.stale = 0
        self.fresh: set[str] = set()

    def forget(self) -> None:
        """Count from here."""
        self.fresh.clear()
        self.slowest = 0.0
        self.stale = 0

    async def read_on(self) -> None:
        """Until cancelled."""
        while True:
            for path in random.sample(self._paths, len(self._paths)):
                began = time.monotonic()
                async with self._api.get(API + path) as response:
                    await response.read()
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.statuses.add(response.status)
                if "Age" not in response.headers or "stale" in response.headers["Cache-Status"]:
                    self.stale += 1
                else:
                    self.fresh.add(path)
                await asyncio.sleep(0.02)

    async def have_seen(self, stale: int) -> None:
        """Wait until they were given so many old answers."""
        await eventually(lambda: self.stale >= stale, lambda: f"{self.stale} answers", patience=20)

    async def are_up_to_date(self) -> float:
        """Seconds until each path was answered afresh."""
        self.forget()
        began = time.monotonic() - starved(os.getpid())
        await eventually(lambda: self.fresh >= set(self._paths), lambda: f"only {self.fresh}", patience=20)
        return time.monotonic() - starved(os.getpid()) - began


async def _write(url: str, experiment: str) -> list[str]:
    async with aiohttp.ClientSession(url) as session:
        logbook = Logbook(session)
        experiment_id = await logbook.create_experiment(experiment)
        return [await logbook.create_run(experiment_id) for _ in range(10)]


async def _cold(api: Client, allowed: set[int]) -> None:
    """What nobody has read before is an error of the contract's, in time."""
    for number in range(3):
        began = time.monotonic()
        response = await api.get(f"{API}/runs/{os.urandom(16).hex()}")
        assert response.status in allowed
        codes = {502: "upstream_error", 503: "upstream_unavailable", 504: "upstream_timeout"}
        await refused(response, response.status, codes[response.status])
        assert time.monotonic() - began < _DEADLINE + _GRACE, number


@pytest.mark.live
@pytest.mark.slow
async def test_an_outage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Warm reads are 200 all through it, cold ones an error in time; all is fresh soon after it."""
    port, experiment = free_port(), unique("outage")
    url = f"http://127.0.0.1:{port}/"
    with mlflow_on(port, tmp_path) as server:
        run_ids = await _write(url, experiment)
        async with serving(url, mlflow_experiment_name=experiment, **SETTINGS) as api:
            paths = ["/runs", "/experiments", *(f"/runs/{run_id}" for run_id in run_ids)]
            callers = Authentication(api, paths)
            for path in paths:
                assert 200 == (await api.get(API + path)).status
            reading = [asyncio.create_task(callers.read_on()) for _ in range(_CALLERS)]
            try:
                signal_group(server.pid, signal.SIGSTOP)
                callers.forget()
                await asyncio.gather(callers.have_seen(stale=100), _cold(api, {503, 504}))
                assert callers.slowest < _DEADLINE + _GRACE
                signal_group(server.pid, signal.SIGCONT)
                continued = await callers.are_up_to_date()

                await asyncio.to_thread(_kill, server)
                callers.forget()
                await asyncio.gather(callers.have_seen(stale=100), _cold(api, {502, 503}))
                again = mlflow_on(port, tmp_path)
                await asyncio.to_thread(again.__enter__)
                try:
                    restarted = await callers.are_up_to_date()
                finally:
                    await asyncio.to_thread(again.__exit__, None, None, None)
            finally:
                for task in reading:
                    task.cancel()
                await asyncio.gather(*reading, return_exceptions=True)
    assert {200} == callers.statuses
    assert [] == [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    print(f"fresh again {continued:.2f} s after SIGCONT, {restarted:.2f} s after a restart")
    assert continued <= _SOON
    assert restarted <= _SOON


def _kill(server: subprocess.Popen[bytes]) -> None:
    signal_group(server.pid, signal.SIGKILL)
    server.wait()
