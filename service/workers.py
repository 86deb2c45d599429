"""Threads for work that would hold the event loop for more than a few milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

T = TypeVar("T")


class Workers:
    """Threads that do long work, at most `most` at once; further work waits for one.

    A caller who no longer waits takes its work back where it has not begun. It is an asynchronous context
    manager, which waits for the work that has begun when it ends.
    """

    def __init__(self, most: int = 2) -> None:
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="work")

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns or raises. It must touch nothing that the event loop's thread changes."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
