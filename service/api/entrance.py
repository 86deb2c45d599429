"""What happens to every request: an id, a translation of what went wrong, a word to whoever observes.

It stands before the whole application rather than among its middlewares, whose mechanism costs a hot answer
a tenth, and which aiohttp enters only after an Expect header was dealt with.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from secrets import token_hex

from aiohttp import web
from multidict import istr

from service.api.capacity import Capacity
from service.api.observation import Answered, Observer, route_of
from service.api.problems import of_router, problem_response
from service.errors import BodyTooLarge, InternalError, Overloaded, TrackingError, UpstreamFailure
from service.tracking.source import PATIENCE_ENDS

log = logging.getLogger("service.api")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

X_REQUEST_ID = istr("X-Request-ID")
X_REQUEST_TIMEOUT = istr("X-Request-Timeout")
_TRACEPARENT = istr("traceparent")
_FULL = "This replica handles as many requests as it can."
_ALWAYS_ANSWERED = frozenset({"/livez", "/readyz", "/metrics"})
_WELL_FORMED = re.compile(r"[A-Za-z0-9._\-]{1,128}", re.ASCII)
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-.{1,64}", re.ASCII)  # https://www.w3.org/TR/trace-context/
_LONGEST_PATH = 256  # characters of a path in the log
# A random part for each process and a number for each request: a tenth of what a random id costs.
_PROCESS = token_hex(8)
_requests = count(1)


class Entrance:
    """Gives every request an id, a deadline (seconds) and, if it fails, an answer of the contract's form."""

    def __init__(
        self,
        observers: Sequence[Observer],
        capacity: Capacity,
        deadline: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._observers = observers
        self._capacity = capacity
        self._deadline = deadline
        self._clock = clock

    def before(self, handler: Handler) -> Handler:
        """The handler with all of that before and after it."""
        capacity, deadline = self._capacity, self._deadline

        async def enter(request: web.Request) -> web.StreamResponse:
            began = time.perf_counter()
            request_id = _id_of(request)
            wanted = request.headers.get(X_REQUEST_TIMEOUT)
            seconds = deadline if wanted is None else _shortened(deadline, wanted)
            PATIENCE_ENDS.set(asyncio.get_running_loop().time() + seconds)
            capacity.active += 1
            try:
                if capacity.active > capacity.most and request.path not in _ALWAYS_ANSWERED:
                    response: web.StreamResponse = problem_response(Overloaded(_FULL), request_id)
                else:
                    response = await handler(request)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a problem+json
                response = problem_response(_translate(error, request, request_id), request_id)
            finally:
                capacity.active -= 1
            response.headers[X_REQUEST_ID] = request_id
            if capacity.draining:
                response.force_close()  # the caller's next request goes to another replica
            self._tell(request, response, request_id, began)
            return response

        return enter

    def _tell(
        self, request: web.Request, response: web.StreamResponse, request_id: str, began: float
    ) -> None:
        if not self._observers:
            return
        answered = _answered(request, response, request_id, self._clock(), time.perf_counter() - began)
        for observe in self._observers:
            observe(answered)


ENTRANCE = web.AppKey("entrance", Entrance)


def _id_of(request: web.Request) -> str:
    given = request.headers.get(X_REQUEST_ID)
    return given if given and _WELL_FORMED.fullmatch(given) else f"{_PROCESS}-{next(_requests):x}"


def _answered(
    request: web.Request, response: web.StreamResponse, request_id: str, now: float, seconds: float
) -> Answered:
    path = request.rel_url.raw_path[:_LONGEST_PATH]
    answered = Answered(
        datetime.fromtimestamp(now, UTC),
        request_id,
        request.method,
        route_of(request),
        path if path.isascii() else ascii(path),
        response.status,
        _milliseconds(seconds),
    )
    reading = getattr(response, "reading", None)
    if reading is not None:
        answered.upstream_ms = _milliseconds(reading.waited)
        answered.cache = reading.cache
    trace = request.headers.get(_TRACEPARENT)
    if trace is not None and _TRACE.fullmatch(trace):
        answered.trace_id = trace[3:35]
    return answered


def _milliseconds(seconds: float) -> float:
    return int(seconds * 1_000_000) / 1_000


def _shortened(deadline: float, wanted: str) -> float:
    """The seconds that a caller wants to wait; it can only ask for fewer."""
    try:
        seconds = float(wanted)
    except ValueError:
        return deadline
    return min(deadline, max(seconds, 0.0)) if math.isfinite(seconds) else deadline


def _translate(error: Exception, request: web.Request, request_id: str) -> TrackingError:
    if isinstance(error, UpstreamFailure):
        log.warning(
            "request %s: %s %s: %s", request_id, request.method, request.rel_url.raw_path, error.cause
        )
    if isinstance(error, TrackingError):
        return error
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return BodyTooLarge("The request body is too large.")
    if isinstance(error, web.HTTPException) and (known := of_router(error, request)):
        return known
    log.error(
        "request %s: %s %s failed", request_id, request.method, request.rel_url.raw_path, exc_info=error
    )
    return InternalError("The service failed; its log says why.")
