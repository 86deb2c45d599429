"""How late the event loop is: what every request waits for before anything is done for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from service.durations import Durations

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds
_INTERVAL = 0.05  # seconds between two looks
_WINDOW = 30.0  # seconds: twice as long as most scrapes are apart


class LoopLag:
    """Looks every few milliseconds how much later than asked for the event loop comes back.

    clock: seconds, monotonic. sleep: for tests.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._began = clock()  # this window of the longest lag
        self._longest = self._longest_before = 0.0
        self.durations = Durations(BOUNDS)

    @property
    def longest(self) -> float:
        """Seconds, of the last 30 to 60. Being asked resets nothing: whoever scrapes takes it from nobody."""
        return max(self._longest, self._longest_before)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch as long as the context is entered."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _watch(self) -> None:
        while True:
            asked = self._clock()
            await self._sleep(_INTERVAL)
            now = self._clock()
            self._note(max(0.0, now - asked - _INTERVAL), now)

    def _note(self, lag: float, now: float) -> None:
        self.durations.add(lag)
        if now - self._began >= _WINDOW:
            self._began = now
            self._longest, self._longest_before = 0.0, self._longest
        self._longest = max(self._longest, lag)
