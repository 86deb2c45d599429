"""Who waits for what other replicas do, and is woken by the notices of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from service.cache.shared_store import Key


class Notices:
    """Those who wait, by the keys that they wait for."""

    def __init__(self) -> None:
        self._waiting: dict[Key, list[asyncio.Event]] = {}

    @contextmanager
    def listening(self, keys: Sequence[Key]) -> Iterator[asyncio.Event]:
        """What is set by each notice of one of the keys: from before their claim on, lest one be missed."""
        event = asyncio.Event()
        for key in keys:
            self._waiting.setdefault(key, []).append(event)
        try:
            yield event
        finally:
            for key in keys:
                waiting = self._waiting[key]
                waiting.remove(event)
                if not waiting:
                    del self._waiting[key]

    def wake(self, keys: Sequence[Key] | None) -> None:
        """Wake those who wait for these keys; None wakes all."""
        for key in list(self._waiting) if keys is None else keys:
            for event in self._waiting.get(key, ()):
                event.set()


async def happened(event: asyncio.Event, seconds: float) -> bool:
    """Whether it was set within so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
