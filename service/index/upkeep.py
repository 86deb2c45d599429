"""Who keeps an index in step with MLflow, as those who search it ask it for something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from typing import Protocol

from service.context import IS_RENEWAL
from service.index.indexed_runs import IndexedRuns
from service.index.sync import Sync


class Upkeep(Protocol):
    """Keeps an index in step with MLflow."""

    def searched(self) -> None:
        """Somebody searches."""
        ...

    def show(self, run_ids: Sequence[str], before: float) -> None:
        """Rows are shown that were not asked for after this moment, by the clock of the index."""
        ...

    async def tick(self) -> None:
        """Return once there was a tick that began after the call. UpstreamFailure."""
        ...


class OwnUpkeep(Upkeep):
    """Keeps the index in step itself, while `run` runs: one step after another.

    clock: seconds, monotonic, as the steps have it.
    """

    def __init__(self, sync: Sync, runs: IndexedRuns, clock: Callable[[], float]) -> None:
        self.sync = sync
        self._runs = runs
        self._clock = clock
        self._woken = asyncio.Event()
        self._refreshing: asyncio.Task[None] | None = None  # which has not begun its tick
        self._refreshes: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the index in step for as long as the context lasts."""
        task = asyncio.create_task(self.run(), context=behind_callers())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.end()

    async def run(self) -> None:
        """Make one step after another, until there are too many runs."""
        while not self._runs.is_too_large:
            await self.sleep(await self.sync.step())

    async def end(self) -> None:
        """Give up the ticks that somebody waits for."""
        tasks = tuple(self._refreshes)
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def searched(self) -> None:
        now, schedule = self._clock(), self.sync.schedule
        if not schedule.is_in_use(now):
            self.wake()
        schedule.searched = now

    def show(self, run_ids: Sequence[str], before: float) -> None:  # noqa: ARG002 - whoever calls has looked
        self.sync.show(list(run_ids))
        self.wake()

    async def tick(self) -> None:
        task = self._refreshing
        if task is None:
            task = self._refreshing = asyncio.create_task(self._refresh(), context=Context())
            self._refreshes.add(task)
            task.add_done_callback(self._refreshed)
        await asyncio.shield(task)

    def wake(self) -> None:
        """Look at once what is to be done."""
        self._woken.set()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds, or until something is to be done."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()

    async def _refresh(self) -> None:
        """A tick for all who ask for it before it begins."""
        async with self.sync.alone:
            self._refreshing = None  # who comes from now on may not join this tick
            await self.sync.tick()

    def _refreshed(self, task: asyncio.Task[None]) -> None:
        self._refreshes.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; where all have left, nobody misses it


def behind_callers() -> Context:
    """The context of what is asked of MLflow while nobody waits for it."""
    context = Context()
    context.run(IS_RENEWAL.set, True)
    return context
