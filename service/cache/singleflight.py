"""One flight for all who ask the same thing at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Iterable
from contextvars import Context
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """Running calls by what they ask for. A flight belongs to nobody: a caller who leaves ends none."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T]] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._running

    def start(
        self, key: Hashable, load: Callable[[], Coroutine[Any, Any, T]], context: Context | None = None
    ) -> asyncio.Task[T]:
        """The flight of this key: the one in the air, else a new one, in this context."""
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(load(), context=context)
            self._running[key] = task
            task.add_done_callback(lambda done: self._landed(key, done))
        return task

    async def landed(self, keys: Iterable[Hashable]) -> None:
        """Wait until the flights of these keys that are in the air now have landed, however they end.

        A flight that starts afterwards looks after this call, while one in the air may have looked before.
        """
        earlier = [task for key in keys if (task := self._running.get(key)) is not None]
        if earlier:
            await asyncio.wait(earlier)

    async def close(self) -> None:
        """End all flights."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _landed(self, key: Hashable, task: asyncio.Task[T]) -> None:
        del self._running[key]
        if not task.cancelled():
            task.exception()  # it is a renewal's where nobody waits, and was logged where it arose


async def joined(task: asyncio.Task[T]) -> T:
    """Wait for a flight without taking it along when the waiter is cancelled."""
    # Not shield: from Python 3.14 on it logs a failure as an error where a waiter has left.
    await asyncio.wait([task])
    try:
        return task.result()
    finally:
        del task  # which holds the failure, which holds this frame
