"""The service as a process of its own, with OpenTelemetry's variables."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp

from tests.live.server import free_port

ROOT = Path(__file__).parents[2]
_START_SECONDS = 60.0
_LOOK = 0.05


class Ending(NamedTuple):
    """How a process ended: its exit code, and what it wrote on standard error."""

    code: int
    said: str


class Process:
    """`python -m service` over an MLflow. url: where it listens."""

    def __init__(self, url: str, process: asyncio.subprocess.Process) -> None:
        self.url = url
        self._process = process

    async def stop(self, within: float) -> Ending:
        """End it by SIGTERM; TimeoutError where that takes longer (seconds)."""
        self._process.send_signal(signal.SIGTERM)
        return await self.ended(within)

    async def ended(self, within: float) -> Ending:
        """How it ends by itself; TimeoutError where that takes longer (seconds)."""
        async with asyncio.timeout(within):
            _, said = await self._process.communicate()
        return Ending(self._process.returncode or 0, said.decode())

    async def until_alive(self) -> None:
        """Wait until it answers."""
        async with asyncio.timeout(_START_SECONDS), aiohttp.ClientSession(self.url) as session:
            while self._process.returncode is None:
                try:
                    async with session.get("/livez"):
                        return
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(_LOOK)
        raise AssertionError("the service does not start")


@asynccontextmanager
async def started(
    mlflow_url: str, variables: Mapping[str, str], command: tuple[str, ...] = ("-m", "service")
) -> AsyncIterator[Process]:
    """The service, beginning to start; killed in the end, if it lives."""
    port = free_port()
    own = {
        "PATH": os.environ["PATH"],
        "MLFLOW_TRACKING_URI": mlflow_url,
        "TRACKING_PORT": str(port),
        "TRACKING_DRAIN_SECONDS": "0",
        "TRACKING_CREATE_EXPERIMENT": "false",
        "TRACKING_INDEX__ENABLED": "false",
        "TRACKING_LOG_FORMAT": "json",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command),
        cwd=ROOT,
        env={**own, **variables},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(f"http://127.0.0.1:{port}", process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
