"""The connections of one attachment to the store, on which scripts run."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from service.errors import StoreFailed


class Command:
    """A script with its keys and values. is_awaited: whether somebody still waits for its reply."""

    def __init__(self, script: str, keys: Sequence[bytes], values: Sequence[Any]) -> None:
        self.script = script
        self.keys = keys
        self.values = values
        self.is_awaited = True


class Session:
    """The connections from one attachment to the next loss; those of the next are others.

    Each command is a task, so that a caller who leaves cuts none short: its reply is read, and goes to
    nobody else.
    """

    def __init__(self, redis: Redis, connections: int) -> None:
        self._redis = redis
        self._free = asyncio.Semaphore(connections)
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, command: Command, failed: Callable[[Exception], StoreFailed]) -> asyncio.Task[Any]:
        """Run a script; what fails is raised as `failed` makes it."""

        async def run() -> Any:
            try:
                return await self.evaluate(command)
            except StoreFailed:
                raise
            except Exception as error:
                raise failed(error) from error

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def evaluate(self, command: Command) -> Any:
        """What the script answers; it does not run where nobody waits any more when its turn comes."""
        async with self._free:
            if not command.is_awaited:
                raise StoreFailed("slow")
            count, arguments = len(command.keys), (*command.keys, *command.values)
            try:
                return await self._redis.evalsha(_sha1(command.script), count, *arguments)
            except NoScriptError:
                return await self._redis.eval(command.script, count, *arguments)

    async def close(self, seconds: float) -> None:
        """Wait so long at most for what is under way, and close the connections.

        Over TLS a server that hangs does not take leave of them: that is no failure of ours.
        """
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=seconds)
            for task in left:
                task.cancel()
        with suppress(RedisError, OSError):
            await self._redis.aclose()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it


@lru_cache(maxsize=64)
def _sha1(script: str) -> str:
    """What the server calls the script."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
