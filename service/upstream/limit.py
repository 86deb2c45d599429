"""The layer that bounds how many calls MLflow gets at once."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

from service.upstream.call import Call, Transport
from service.upstream.failures import NoSlot
from service.upstream.slots import Slots

T = TypeVar("T")

_KEPT_FREE = 8  # one slot in so many is kept for calls to other endpoints


class ConcurrencyLimit:
    """A concurrency limit: a call needs a slot, and queues for one, in order, for `patience` seconds.

    Calls to one endpoint leave an eighth of the slots to the others, so that slow lists do not hold up quick
    calls. A call that may not wait gets a slot only where one is free. clock: seconds, monotonic.
    """

    def __init__(
        self, inner: Transport, slots: int, patience: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._slots = Slots(slots)
        self._share = _share(slots)
        self._shares: defaultdict[str, Slots] = defaultdict(lambda: Slots(self._share))
        self._patience = patience
        self._clock = clock
        self.in_flight = 0
        self.waiting = 0
        self.wait_seconds = 0.0  # all calls together

    @property
    def is_full(self) -> bool:
        """Whether every slot is taken, or promised to a call that queues."""
        return self._slots.locked()

    def resize(self, slots: int) -> None:
        """There are so many slots from now on; calls in flight keep theirs, until few enough are left."""
        self._slots.resize(slots)
        self._share = _share(slots)
        for share in self._shares.values():
            share.resize(self._share)

    async def send(self, call: Call[T]) -> T:
        """NoSlot where no slot came free in time."""
        share = self._shares[call.endpoint]
        await self._acquire(share, call)
        self.in_flight += 1
        try:
            return await self._inner.send(call)
        finally:
            self.in_flight -= 1
            self._slots.release()
            share.release()

    async def _acquire(self, share: Slots, call: Call[T]) -> None:
        if not call.may_wait and (self.is_full or share.locked()):
            raise self._no_slot(call)
        self.waiting += 1
        start = self._clock()
        try:
            async with asyncio.timeout(self._patience):
                await share.acquire()
                try:
                    await self._slots.acquire()
                except BaseException:
                    share.release()
                    raise
        except TimeoutError:
            raise self._no_slot(call) from None
        finally:
            self.waiting -= 1
            self.wait_seconds += self._clock() - start

    def _no_slot(self, call: Call[T]) -> NoSlot:
        return NoSlot(f"{call.endpoint}: {self.in_flight} calls are in flight")


def _share(slots: int) -> int:
    """How many of so many slots calls to one endpoint may take."""
    return slots - slots // _KEPT_FREE
