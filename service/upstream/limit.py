"""How many calls MLflow gets at once."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_KEPT_FREE = 8  # one place in so many is kept for calls of other kinds


class GateFullError(Exception):
    """No place came free in time."""


class Gate:
    """At most so many calls at once; further ones wait for a place, in order, for a short time (seconds).

    Calls of one kind leave an eighth of the places to the others, so that slow lists do not hold up what is
    quick. What can wait (a renewal that nobody waits for) gets a place only where one is free.
    clock: seconds, monotonic.
    """

    def __init__(self, places: int, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = asyncio.Semaphore(places)
        of_a_kind = places - places // _KEPT_FREE
        self._kinds: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(of_a_kind))
        self._patience = patience
        self._clock = clock
        self.in_flight = 0
        self.waiting = 0
        self.refused = 0
        self.waited = 0.0  # seconds, all calls together

    @asynccontextmanager
    async def place(self, kind: str = "", *, may_wait: bool) -> AsyncIterator[None]:
        """A place for the time of the context; GateFullError where none came free. kind: one of a few."""
        own = self._kinds[kind]
        await self._take(own, may_wait=may_wait)
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            self._places.release()
            own.release()

    async def _take(self, own: asyncio.Semaphore, *, may_wait: bool) -> None:
        if not may_wait and (self._places.locked() or own.locked()):
            self.refused += 1
            raise GateFullError
        self.waiting += 1
        began = self._clock()
        try:
            async with asyncio.timeout(self._patience):
                await own.acquire()
                try:
                    await self._places.acquire()
                except BaseException:
                    own.release()
                    raise
        except TimeoutError:
            self.refused += 1
            raise GateFullError from None
        finally:
            self.waiting -= 1
            self.waited += self._clock() - began
