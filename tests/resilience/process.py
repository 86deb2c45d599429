"""The service under test as a process of its own."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.live.server import free_port

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 30.0
_ENVIRONMENT = {
    "TRACKING_DEADLINE": "2",
    "TRACKING_DRAIN_SECONDS": "0",
    "TRACKING_CREATE_EXPERIMENT": "false",
    "TRACKING_INDEX__ENABLED": "false",  # which asks MLflow by itself
    "TRACKING_ACCESS_LOG": "false",
    "TRACKING_LOG_FORMAT": "json",
}


@asynccontextmanager
async def service(
    mlflow_url: str, log: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """The service over this MLflow, its log in a file, ended by SIGTERM; it has to end well."""
    port = free_port()
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRACKING_", "MLFLOW_"))
    }
    own = {"MLFLOW_TRACKING_URI": mlflow_url, "TRACKING_PORT": str(port)}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service"),
            cwd=_ROOT,
            env={**kept, **_ENVIRONMENT, **own, **(settings or {})},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=output,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            await _until_alive(url)
            yield url, process
        finally:
            process.send_signal(signal.SIGTERM)
            code = await asyncio.wait_for(process.wait(), _START_SECONDS)
    assert 0 == code


async def _until_alive(url: str) -> None:
    until = time.monotonic() + _START_SECONDS
    async with aiohttp.ClientSession(url) as session:
        while True:
            try:
                async with session.get("/livez"):
                    return
            except aiohttp.ClientConnectionError:
                assert time.monotonic() < until, "the service does not start"
                await asyncio.sleep(0.05)
