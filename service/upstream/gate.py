"""How many calls MLflow gets at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class GateFullError(Exception):
    """No place came free in time."""


class Gate:
    """At most so many calls at once; further ones wait for a place, in order, for a short time (seconds).

    What can wait (a renewal that nobody waits for) gets a place only where one is free.
    clock: seconds, monotonic.
    """

    def __init__(self, places: int, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = asyncio.Semaphore(places)
        self._patience = patience
        self._clock = clock
        self.in_flight = 0
        self.waiting = 0
        self.refused = 0
        self.waited = 0.0  # seconds, all calls together

    @asynccontextmanager
    async def place(self, *, may_wait: bool) -> AsyncIterator[None]:
        """A place for the time of the context; GateFullError where none came free."""
        await self._take(may_wait=may_wait)
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            self._places.release()

    async def _take(self, *, may_wait: bool) -> None:
        if self._places.locked() and not may_wait:
            self.refused += 1
            raise GateFullError
        self.waiting += 1
        began = self._clock()
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except TimeoutError:
            self.refused += 1
            raise GateFullError from None
        finally:
            self.waiting -= 1
            self.waited += self._clock() - began
