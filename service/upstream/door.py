"""The one door to MLflow: every call, time limit, retry, credential and error of it passes through here."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Self, TypeVar, overload

import aiohttp

from service import errors
from service.context import IS_RENEWAL
from service.durations import Durations
from service.upstream import wire
from service.upstream.access import DIRECT, Access
from service.upstream.breaker import Breaker, Sign
from service.upstream.checkup import Checkup
from service.upstream.exchange import Ask, Bounds, Exchange
from service.upstream.limit import Gate, GateFullError
from service.upstream.retry import RetryBudget, pause_before
from service.upstream.verdict import FINAL, judge, judge_plain

T = TypeVar("T")

log = logging.getLogger("service.upstream")

# Seconds of an attempt, as they are counted.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LONGEST_WAIT = 1  # seconds that a caller waits where MLflow says that it is asked too much
_PLAIN = "experiments/get-by-name"


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

    base: MLflow's address; a path in it (a proxy's prefix) is kept. experiment: the one whose name MLflow is
    asked for where it seems ill. access: how it is reached. around: what stands around each request, for
    whoever traces; the attempt's number is its trace_request_ctx. clock, sleep: for tests; seconds.
    """

    def __init__(
        self,
        base: str,
        limits: Limits,
        *,
        experiment: str = "Default",
        access: Access = DIRECT,
        around: Callable[[Ask], Ask] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._limits = limits
        self.deadline, self.largest = limits.deadline, limits.max_body_bytes
        self._experiment = experiment
        self._access = access
        self._clock = clock
        self._sleep = sleep
        timeout = aiohttp.ClientTimeout(
            total=limits.deadline, sock_connect=limits.connect_timeout, sock_read=limits.read_timeout
        )
        # One connection more than calls: for the plain question, which waits for no place.
        bounds = Bounds(
            limits.max_in_flight + 1, limits.keepalive, limits.max_body_bytes, limits.deadline / 2, timeout
        )
        self._exchange = Exchange(base, bounds, access=access, around=around)
        self.gate = Gate(limits.max_in_flight, limits.queue_timeout, clock)
        self.breaker = Breaker(limits.breaker_failures, limits.breaker_interval, clock)
        self._checkup = Checkup(lambda: self.breaker, self._ask_plainly, sleep)
        self.budget = RetryBudget()
        self.outcomes: Counter[tuple[str, str]] = Counter()  # attempts, by endpoint and what came of them
        self.durations: defaultdict[str, Durations] = defaultdict(lambda: Durations(BOUNDS))  # by endpoint
        self.retries = 0

    async def __aenter__(self) -> Self:
        await self._exchange.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._checkup.aclose()
        await self._exchange.__aexit__(*exc_info)

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Several calls that together take no longer than one may."""
        try:
            async with asyncio.timeout(self._limits.deadline):
                yield
        except TimeoutError as error:
            raise errors.UpstreamTimeout("several pages took too long") from error

    def condition(self) -> dict[str, str]:
        """How MLflow is, as far as is known, and whether it is asked at all."""
        return {"upstream": self.breaker.health, "breaker": self.breaker.state}

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

        A call that fails is made again, inside the deadline and the budget, but not one that would fail
        again, nor one that timed out: an MLflow that is too slow is not helped by being asked more.
        """
        until = self._clock() + self._limits.deadline
        question = hash((method, endpoint, str(request.get("params")), str(request.get("json"))))
        self.budget.earn()
        for attempt in range(1, self._limits.attempts + 1):
            request["trace_request_ctx"] = attempt
            try:
                result = await self._attempt(method, endpoint, read, until, question, request)
            except FINAL:
                raise
            except errors.UpstreamAuth:
                if attempt == self._limits.attempts or not self._access.renew():
                    raise
                continue  # with another token
            except (errors.UpstreamError, errors.UpstreamUnavailable) as error:
                if isinstance(error, errors.UpstreamUnavailable) and error.retry_after > _LONGEST_WAIT:
                    raise
                pause = max(pause_before(attempt + 1), error.retry_after)
                is_last = attempt == self._limits.attempts or self._clock() + pause >= until
                if is_last or not self.budget.spend(question):
                    raise
                log.info("trying again in %.2f s: %s", pause, error.cause)
            else:
                self.budget.answered(question)
                return result
            self.retries += 1
            await self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(
        self,
        method: str,
        endpoint: str,
        read: Callable[[wire.Body], Any],
        until: float,
        question: int,
        request: Mapping[str, Any],
    ) -> Any:
        admission = self.breaker.admit()
        if admission is None:
            self._checkup.start()
            self.outcomes[endpoint, "breaker_open"] += 1
            raise self._held_back(endpoint)
        sign, outcome = Sign.NOTHING, "cancelled"
        try:
            async with self.gate.place(endpoint, may_wait=not IS_RENEWAL.get()):
                if self.breaker.admit() != admission:
                    raise self._held_back(endpoint)  # it opened while this call waited for its place
                began = self._clock()
                try:
                    result = await self._exchange.make(method, endpoint, read, until - began, request)
                finally:
                    self.durations[endpoint].add(self._clock() - began)
            sign, outcome = Sign.WELL, "ok"
        except GateFullError as error:
            outcome = "gate_full"
            said = f"{endpoint}: {self.gate.in_flight} calls are in flight"
            raise errors.UpstreamNotAsked(said) from error
        except errors.UpstreamFailure as error:
            sign, outcome = judge(error)
            _let_go(error)
            raise
        finally:
            self.outcomes[endpoint, outcome] += 1
            self.breaker.report(admission, sign, question)
            self._checkup.start()
        return result

    async def _ask_plainly(self) -> Sign:
        """Ask what depends on no caller; how MLflow is by its answer, or by the lack of one."""
        params = {"experiment_name": self._experiment}
        request: dict[str, Any] = {"params": params, "trace_request_ctx": 1}
        sign, outcome = Sign.NOTHING, "cancelled"
        try:
            await self._exchange.make("GET", _PLAIN, wire.read_experiment, self._limits.deadline, request)
            sign, outcome = Sign.WELL, "ok"
        except errors.UpstreamFailure as error:
            sign, (_, outcome) = judge_plain(error), judge(error)
            _let_go(error)
            log.info("MLflow's answer to a plain question: %s", error.cause)
        finally:
            self.outcomes[_PLAIN, outcome] += 1
        return sign

    def _held_back(self, endpoint: str) -> errors.UpstreamNotAsked:
        return errors.UpstreamNotAsked(f"{endpoint}: the breaker is {self.breaker.state}")


def _let_go(error: BaseException) -> None:
    """Free what a failure holds: it lives until the collector finds it, and a body in its frames is large."""
    cause = error.__cause__
    traceback.clear_frames(error.__traceback__)
    if cause is not None:
        traceback.clear_frames(cause.__traceback__)
        cause.__cause__ = cause.__context__ = None  # json's errors hold the whole text
