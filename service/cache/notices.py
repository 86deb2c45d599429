"""Who waits for what other replicas do, and is woken by the notices of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from service.cache.shared_store import Key

Wait = Callable[[asyncio.Event, float], Awaitable[object]]  # until it is set, or so many seconds later


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


async def happened(event: asyncio.Event, seconds: float) -> None:
    """Wait until it is set, but not longer than so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def ended(task: asyncio.Task[object], seconds: float, wait: Wait) -> bool:
    """Whether a task has ended within so many seconds."""
    end = asyncio.Event()
    task.add_done_callback(lambda _: end.set())
    await wait(end, seconds)
    return task.done()
