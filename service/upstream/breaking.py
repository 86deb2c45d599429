"""The layers that ask the breaker: before a call queues for its slot, and again once it has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from service.errors import UpstreamFailure, UpstreamNotAsked
from service.upstream.breaker import Breaker, Signal
from service.upstream.call import Call, Transport
from service.upstream.failures import classify

T = TypeVar("T")


class Breaking:
    """Sends the calls that the breaker admits, each with its permit, and reports how they end.

    look_after: called whenever MLflow's health may be in doubt, to send the health probe where it is due.
    """

    def __init__(self, inner: Transport, breaker: Breaker, look_after: Callable[[], None]) -> None:
        self._inner = inner
        self._breaker = breaker
        self._look_after = look_after

    async def send(self, call: Call[T]) -> T:
        """UpstreamNotAsked, at once, where the breaker does not admit the call."""
        permit = self._breaker.admit()
        if permit is None:
            self._look_after()
            raise UpstreamNotAsked(f"{call.endpoint}: the breaker is {self._breaker.state}")
        signal = Signal.IGNORED  # of a call that is cancelled
        try:
            value = await self._inner.send(replace(call, permit=permit))
            signal = Signal.SUCCESS
        except UpstreamFailure as error:
            signal, _ = classify(error)
            raise
        finally:
            permit.report(signal, call.question)
            self._look_after()
        return value


class PermitCheck:
    """Holds back a call whose permit has become invalid: the breaker opened while it queued for its slot."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, call: Call[T]) -> T:
        """UpstreamNotAsked where the permit is not valid any more."""
        if call.permit is not None and not call.permit.is_valid:
            raise UpstreamNotAsked(f"{call.endpoint}: the breaker opened while the call waited for a slot")
        return await self._inner.send(call)
