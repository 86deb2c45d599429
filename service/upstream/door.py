"""The one door to MLflow: every call, time limit, retry, credential and error of it passes through here."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple, Self, TypeVar, overload

import aiohttp
from yarl import URL

from service import errors
from service.durations import Durations
from service.tracking.source import IS_RENEWAL, TRACE
from service.turns import give_way
from service.upstream import wire
from service.upstream.breaker import Admission, Breaker
from service.upstream.gate import Gate, GateFullError
from service.upstream.intake import Intake, TooLargeError
from service.upstream.retry import RetryBudget, pause_before
from service.upstream.verdict import check, judge

T = TypeVar("T")
Ask = Callable[..., AbstractAsyncContextManager[aiohttp.ClientResponse]]  # as a session's `request`

log = logging.getLogger("service.upstream")

_API = "api/2.0/mlflow/"
# Seconds of an attempt, as they are counted.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# What is not helped by asking again.
_FINAL = (
    errors.UpstreamRefused,
    errors.UpstreamTooLarge,
    errors.UpstreamTimeout,
    errors.UpstreamNotAsked,
)
_LARGE = 65_536  # bytes of an answer that takes about a quarter of a millisecond to read


class Limits(NamedTuple):
    """Bounds of the talk with MLflow: times in seconds, sizes in bytes."""

    deadline: float = 10.0  # of a call with all its attempts
    connect_timeout: float = 2.0
    read_timeout: float = 8.0  # of silence
    queue_timeout: float = 0.5  # of waiting for a place
    max_in_flight: int = 32
    keepalive: float = 1.5
    max_body_bytes: int = 64 * 2**20
    attempts: int = 3
    breaker_failures: int = 10
    breaker_interval: float = 0.5


class Door:
    """Calls to one MLflow, through one pooled session. Use as an async context manager.

    base: MLflow's address; a path in it (a proxy's prefix) is kept. headers: sent with every call, to this
    address only. ssl_context: how its certificate is verified; None for the system's way.
    around: what stands around each request, for whoever traces; the attempt's number is its
    trace_request_ctx. clock, sleep: for tests; seconds.
    """

    def __init__(
        self,
        base: str,
        limits: Limits,
        *,
        headers: Mapping[str, str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        around: Callable[[Ask], Ask] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._base = URL(base.rstrip("/") + "/")  # aiohttp drops a prefix that does not end in a slash
        self._limits = limits
        self._headers = dict(headers or {})
        self._ssl = ssl_context
        self._around = around
        self._clock = clock
        self._sleep = sleep
        self._session: aiohttp.ClientSession | None = None
        self._ask: Ask | None = None
        self.deadline, self.largest = limits.deadline, limits.max_body_bytes
        self._intake = Intake(self.largest)
        self.gate = Gate(limits.max_in_flight, limits.queue_timeout, clock)
        self.breaker = Breaker(limits.breaker_failures, limits.breaker_interval, clock)
        self.budget = RetryBudget()
        self.health = "unknown"  # at the last call: unknown, ok or failing
        self.outcomes: Counter[tuple[str, str]] = Counter()  # attempts, by endpoint and what came of them
        self.durations: defaultdict[str, Durations] = defaultdict(lambda: Durations(BOUNDS))  # by endpoint
        self.retries = 0

    async def __aenter__(self) -> Self:
        limits = self._limits
        self._session = aiohttp.ClientSession(
            self._base,
            headers=self._headers,
            connector=aiohttp.TCPConnector(
                limit=limits.max_in_flight,
                keepalive_timeout=limits.keepalive,
                ssl=self._ssl if self._ssl is not None else True,
            ),
            timeout=aiohttp.ClientTimeout(
                total=limits.deadline, sock_connect=limits.connect_timeout, sock_read=limits.read_timeout
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        ask = self._session.request
        self._ask = ask if self._around is None else self._around(ask)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Several calls that together take no longer than one may."""
        try:
            async with asyncio.timeout(self._limits.deadline):
                yield
        except TimeoutError as error:
            raise errors.UpstreamTimeout("several pages took too long") from error

    def condition(self) -> dict[str, str]:
        """How MLflow was when it was last asked, and whether it is asked at all."""
        return {"upstream": self.health, "breaker": self.breaker.state}

    @overload
    async def call(
        self,
        method: str,
        endpoint: str,
        read: Callable[[wire.Body], Generator[None, None, T]],
        **request: Any,
    ) -> T: ...
    @overload
    async def call(self, method: str, endpoint: str, read: Callable[[wire.Body], T], **request: Any) -> T: ...
    async def call(self, method: str, endpoint: str, read: Callable[[wire.Body], Any], **request: Any) -> Any:
        """What `read` makes of MLflow's answer, be it in turns. All calls may safely be made twice.

        A call that fails is made again, inside the deadline and the budget, but not one that timed out: an
        MLflow that is too slow is not helped by being asked more.
        """
        until = self._clock() + self._limits.deadline
        self.budget.earn()
        for attempt in range(1, self._limits.attempts + 1):
            request["trace_request_ctx"] = attempt
            try:
                return await self._attempt(method, endpoint, read, until, request)
            except _FINAL:
                raise
            except (errors.UpstreamError, errors.UpstreamUnavailable) as error:
                pause = max(pause_before(attempt + 1), error.retry_after)
                is_last = attempt == self._limits.attempts or self._clock() + pause >= until
                if is_last or not self.budget.spend():
                    raise
                log.info("trying again in %.2f s: %s", pause, error.cause)
            self.retries += 1
            await self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(
        self,
        method: str,
        endpoint: str,
        read: Callable[[wire.Body], Any],
        until: float,
        request: Mapping[str, Any],
    ) -> Any:
        admission = self.breaker.admit()
        if admission is None:
            self.outcomes[endpoint, "breaker_open"] += 1
            raise self._held_back(endpoint)
        openings = self.breaker.openings
        went_well: bool | None = None
        outcome = "cancelled"
        try:
            async with self.gate.place(may_wait=not IS_RENEWAL.get()):
                if admission is Admission.CALL and self.breaker.state != "closed":
                    raise self._held_back(endpoint)  # it opened while this call waited for its place
                began = self._clock()
                try:
                    result = await self._exchange(method, endpoint, read, until - began, request)
                finally:
                    self.durations[endpoint].add(self._clock() - began)
            went_well, outcome = True, "ok"
        except GateFullError as error:
            outcome = "gate_full"
            said = f"{endpoint}: {self._limits.max_in_flight} calls are in flight"
            raise errors.UpstreamNotAsked(said) from error
        except errors.UpstreamFailure as error:
            went_well, outcome = judge(error)
            _let_go(error)
            raise
        finally:
            is_late = admission is Admission.CALL and openings != self.breaker.openings
            self._note(endpoint, outcome, went_well=went_well)
            # A late call says how MLflow was before the breaker opened.
            self.breaker.report(admission, went_well=None if is_late else went_well)
        return result

    def _held_back(self, endpoint: str) -> errors.UpstreamNotAsked:
        return errors.UpstreamNotAsked(f"{endpoint}: the breaker is {self.breaker.state}")

    def _note(self, endpoint: str, outcome: str, *, went_well: bool | None) -> None:
        self.outcomes[endpoint, outcome] += 1
        if outcome.startswith("upstream"):
            self.health = "failing"
        elif went_well:
            self.health = "ok"

    async def _exchange(
        self,
        method: str,
        endpoint: str,
        read: Callable[[wire.Body], Any],
        seconds: float,
        request: Mapping[str, Any],
    ) -> Any:
        if self._ask is None:
            raise RuntimeError("the door is used outside its context")
        try:
            async with (
                asyncio.timeout(seconds),
                self._ask(
                    method, _API + endpoint, headers=TRACE.get(), allow_redirects=False, **request
                ) as response,
            ):
                body = await self._intake.read(response)
        except TooLargeError as error:
            raise errors.UpstreamTooLarge(f"{endpoint}: {error}") from error
        except TimeoutError as error:  # before ClientError: aiohttp's time-outs are both
            raise errors.UpstreamTimeout(f"{endpoint}: {_describe(error)}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise errors.UpstreamError(f"{endpoint}: {_describe(error)}") from error
        check(endpoint, response.status, response.headers, body)
        if len(body) > _LARGE:
            await give_way()  # reading it takes a while: others first
        try:
            result = read(body)
            return await _in_turns(result) if isinstance(result, Generator) else result
        except wire.WireError as error:
            raise errors.UpstreamError(f"{endpoint}: {_describe(error)}") from error


async def _in_turns(reading: Generator[None, None, T]) -> T:
    """What is read in turns: between two of them everything else has its own."""
    while True:
        try:
            next(reading)
        except StopIteration as end:
            result: T = end.value
            return result
        await give_way()


def _let_go(error: BaseException) -> None:
    """Free what a failure holds: it lives until the collector finds it, and a body in its frames is large."""
    cause = error.__cause__
    traceback.clear_frames(error.__traceback__)
    if cause is not None:
        traceback.clear_frames(cause.__traceback__)
        cause.__cause__ = cause.__context__ = None  # json's errors hold the whole text


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
