"""Asks MLflow a question that depends on no caller, where the breaker wants to know how MLflow is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context

from service.errors import UpstreamFailure
from service.upstream import wire
from service.upstream.breaker import Breaker, Signal
from service.upstream.call import Call, Transport
from service.upstream.failures import classify_probe

log = logging.getLogger("service.upstream")

_ENDPOINT = "experiments/get-by-name"


class HealthProbe:
    """Sends the health probe when the breaker says so: one at a time, in a task of its own.

    transport: the way to MLflow past the breaker and the concurrency limit. experiment: the name that MLflow
    is asked for. seconds: until the probe fails. clock, sleep: in seconds.
    """

    def __init__(
        self,
        transport: Transport,
        breaker: Breaker,
        experiment: str,
        seconds: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._transport = transport
        self._breaker = breaker
        self._params = {"experiment_name": experiment}
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Send the probe as soon as it is due, where one is due and none is under way. No caller waits."""
        if (self._task is None or self._task.done()) and self._breaker.due() is not None:
            # In a context of its own: it belongs to no caller's trace, and to no renewal.
            self._task = asyncio.create_task(self._probe(), context=Context())

    async def aclose(self) -> None:
        """End the probe that is under way."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _probe(self) -> None:
        breaker = self._breaker
        while pause := breaker.due():
            await self._sleep(pause)
        if pause is None:
            return
        state, openings = breaker.state, breaker.openings
        breaker.begin()
        breaker.conclude(await self._ask())
        while breaker.state == "half_open":
            breaker.conclude(await self._ask())
        if state != "closed" and breaker.state == "closed":
            log.warning("MLflow answers again: the breaker closes")
        elif state == "closed" and breaker.openings != openings:
            log.warning("MLflow fails the health probe, too: the breaker opens")

    async def _ask(self) -> Signal:
        until = self._clock() + self._seconds
        try:
            await self._transport.send(Call("GET", _ENDPOINT, wire.read_experiment, until, self._params))
        except UpstreamFailure as error:
            log.info("the health probe failed: %s", error.cause)
            return classify_probe(error)
        return Signal.SUCCESS
