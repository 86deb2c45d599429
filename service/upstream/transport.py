"""The way to MLflow: layers around one session, each with one concern."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Self, TypeVar, overload

import aiohttp

from service.context import IS_RENEWAL
from service.errors import UpstreamTimeout
from service.upstream.access import DIRECT, Access
from service.upstream.breaker import Breaker
from service.upstream.breaking import Breaking, PermitCheck
from service.upstream.call import Call
from service.upstream.counting import Counting, Timing
from service.upstream.health_probe import HealthProbe
from service.upstream.limit import ConcurrencyLimit
from service.upstream.retry import Retrying
from service.upstream.session import Bounds, Session, SessionRequest
from service.upstream.wire import Body

T = TypeVar("T")


class Limits(NamedTuple):
    """Bounds of the calls to MLflow: times in seconds, sizes in bytes."""

    deadline: float = 10.0  # of a call with all its attempts
    connect_timeout: float = 2.0
    read_timeout: float = 8.0  # of silence
    queue_timeout: float = 0.5  # of waiting for a slot
    max_in_flight: int = 32
    keepalive: float = 1.5
    max_body_bytes: int = 64 * 2**20
    attempts: int = 3
    breaker_failures: int = 10
    breaker_interval: float = 0.5


class Layers(NamedTuple):
    """The layers that count something, for the metrics."""

    retrying: Retrying
    counting: Counting
    breaker: Breaker
    limit: ConcurrencyLimit
    timing: Timing


class MlflowTransport:
    """Calls to one MLflow. Use it as an async context manager.

    The layers, from the outside in, and why they are in this order:

    - Retrying: each attempt passes all other layers anew, and holds neither a permit nor a slot in a pause.
    - Counting: an attempt that is held back is counted, too.
    - Breaking: while the breaker is open, a call fails at once and does not queue for a slot.
    - ConcurrencyLimit: only calls that are sent to MLflow hold a slot.
    - PermitCheck: a call that queued while the breaker opened is held back.
    - Timing: what MLflow took, without the time in the queue.
    - Session: HTTP, and the errors of it.

    The health probe passes only Counting and Session: it asks MLflow while the breaker is open, and needs no
    slot. The deadline is part of the call, so that each layer knows how much time is left.

    base: MLflow's address; a path in it (a proxy's prefix) is kept. experiment: the name that the health
    probe asks for. access: credentials, TLS and proxy. wrap_request: wraps each request, for tracing; see
    Session. clock, sleep: in seconds; the clock is monotonic.
    """

    def __init__(
        self,
        base: str,
        limits: Limits,
        *,
        experiment: str = "Default",
        access: Access = DIRECT,
        wrap_request: Callable[[SessionRequest], SessionRequest] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.deadline, self.max_body_bytes = limits.deadline, limits.max_body_bytes
        self._clock = clock
        self._session = Session(base, _bounds(limits), access=access, wrap_request=wrap_request, clock=clock)
        outcomes: Counter[tuple[str, str]] = Counter()
        breaker = Breaker(limits.breaker_failures, limits.breaker_interval, clock)
        self._probe = HealthProbe(
            Counting(self._session, outcomes), breaker, experiment, limits.deadline, clock, sleep
        )
        timing = Timing(self._session, clock)
        limit = ConcurrencyLimit(PermitCheck(timing), limits.max_in_flight, limits.queue_timeout, clock)
        counting = Counting(Breaking(limit, breaker, self._probe.start), outcomes)
        retrying = Retrying(counting, limits.attempts, access, clock, sleep)
        self.layers = Layers(retrying, counting, breaker, limit, timing)

    async def __aenter__(self) -> Self:
        await self._session.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._probe.aclose()
        await self._session.__aexit__(*exc_info)

    @asynccontextmanager
    async def within_deadline(self) -> AsyncIterator[None]:
        """Bound several calls by the deadline of one; UpstreamTimeout where they take longer."""
        try:
            async with asyncio.timeout(self.deadline):
                yield
        except TimeoutError as error:
            raise UpstreamTimeout("several pages took too long") from error

    def condition(self) -> dict[str, str]:
        """How MLflow is, as far as is known, and whether it is asked at all."""
        breaker = self.layers.breaker
        return {"upstream": breaker.health, "breaker": breaker.state}

    @overload
    async def call(
        self,
        method: str,
        endpoint: str,
        read: Callable[[Body], Generator[None, None, T]],
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        item: str = "",
    ) -> T: ...
    @overload
    async def call(
        self,
        method: str,
        endpoint: str,
        read: Callable[[Body], T],
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        item: str = "",
    ) -> T: ...
    async def call(
        self,
        method: str,
        endpoint: str,
        read: Callable[[Body], Any],
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        item: str = "",
    ) -> Any:
        """The value that `read` makes of MLflow's answer; UpstreamFailure where there is none. See Call."""
        call: Call[Any] = Call(
            method,
            endpoint,
            read,
            until=self._clock() + self.deadline,
            params=params,
            json=json,
            question=hash((method, endpoint, item, str(params), str(json))),
            may_wait=not IS_RENEWAL.get(),
            item=item,
        )
        return await self.layers.retrying.send(call)


def _bounds(limits: Limits) -> Bounds:
    timeout = aiohttp.ClientTimeout(
        total=limits.deadline, sock_connect=limits.connect_timeout, sock_read=limits.read_timeout
    )
    # One connection more than slots: for the health probe, which needs none.
    return Bounds(
        limits.max_in_flight + 1, limits.keepalive, limits.max_body_bytes, limits.deadline / 2, timeout
    )
