"""Asks MLflow how it is, where the breaker wants to know."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context

from service.upstream.breaker import Breaker, Sign

log = logging.getLogger("service.upstream")


class Checkup:
    """Puts a plain question to MLflow when the breaker says so: one at a time, in a task of its own.

    breaker: gives the breaker as it is now. ask: puts the question, and says what came of it.
    sleep: for tests; seconds.
    """

    def __init__(
        self,
        breaker: Callable[[], Breaker],
        ask: Callable[[], Awaitable[Sign]],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._breaker = breaker
        self._ask = ask
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look after MLflow where there is reason to, and nobody does yet. No caller waits for it."""
        if (self._task is None or self._task.done()) and self._breaker().due() is not None:
            # In a context of its own: it belongs to no caller's trace, and to no renewal.
            self._task = asyncio.create_task(self._look(), context=Context())

    async def aclose(self) -> None:
        """End the question that is under way."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        breaker = self._breaker()
        while pause := breaker.due():
            await self._sleep(pause)
        if pause is None:
            return
        before, openings = breaker.state, breaker.openings
        breaker.begin()
        breaker.conclude(await self._ask())
        while breaker.state == "half_open":
            breaker.conclude(await self._ask())
        if before != "closed" and breaker.state == "closed":
            log.warning("MLflow answers again: the breaker closes")
        elif before == "closed" and breaker.openings != openings:
            log.warning("MLflow fails, at a plain question too: the breaker opens")
