"""A real redis-server or valkey-server that the replicas of a test share."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.deploy.balancer import until
from tests.live.server import free_port

MISSING = "A store is needed; on Debian and Ubuntu: apt-get install --no-install-recommends redis-server"


class StoreServer:
    """A server on a loopback port that it keeps, its data in a folder; it saves them only when told to."""

    def __init__(self, directory: Path, program: str = "redis-server") -> None:
        found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
        if found is None:
            pytest.fail(MISSING, pytrace=False)
        self._program = found
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self, *options: str, is_loaded: bool = True) -> None:
        """Start with what it saved last, and wait until it listens, or until it has read that, too."""
        output = self._directory / "store.log"
        with output.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""),
                *("--dir", str(self._directory), *options),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

        async def answers() -> bool:
            try:
                return bool(await self.command("PING"))
            except (RedisError, OSError) as error:
                return not is_loaded and "LOADING" in str(error).upper()

        await until(answers, "the store answers", said=lambda: output.read_text("utf-8", errors="replace"))

    def send(self, sign: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(sign)

    async def kill(self) -> None:
        """End it at once, if it lives."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def command(self, *words: str) -> Any:
        """What it answers to a command. RedisError, OSError."""
        async with Redis(host="127.0.0.1", port=self.port, socket_timeout=5.0) as client:
            return await client.execute_command(*words)  # type: ignore[no-untyped-call]


@asynccontextmanager
async def store_server(directory: Path, program: str = "redis-server") -> AsyncIterator[StoreServer]:
    """A server that runs, its data in a folder of its own below the directory."""
    folder = directory / "store"
    folder.mkdir()
    server = StoreServer(folder, program)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
