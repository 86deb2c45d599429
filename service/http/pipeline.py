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
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count
from secrets import token_hex

from aiohttp import HttpVersion10, HttpVersion11, hdrs, web
from multidict import CIMultiDictProxy, istr

from service.context import CALLER, DEADLINE, TRACE
from service.errors import (
    AuthUnavailable,
    BodyTooLarge,
    InternalError,
    Overloaded,
    TrackingError,
    UnreadableRequest,
    UpstreamFailure,
)
from service.http.access_record import OTHER, AccessRecord, Observer
from service.http.cache_status import cache_status
from service.http.capacity import Capacity
from service.http.client_address import Clients
from service.http.cors import Cors
from service.http.encoded_response import EncodedResponse
from service.http.handler import Handler, Stage
from service.http.problems import CODE, of_router, problem_response
from service.http.routing import LONGEST_PATH, route_of
from service.http.security import SERVED_HEADERS
from service.http.trace_context import TRACEPARENT, place_in_trace

log = logging.getLogger("service.api")


X_REQUEST_ID = istr("X-Request-ID")
X_REQUEST_TIMEOUT = istr("X-Request-Timeout")
_VERSIONS = "Only HTTP/1.1 and HTTP/1.0 are understood."
_FULL = "This replica handles as many requests as it can."
ALWAYS_ANSWERED = frozenset({"/livez", "/readyz", "/metrics"})
_WELL_FORMED = re.compile(r"[A-Za-z0-9._\-]{1,128}", re.ASCII)
# A random part for each process and a number for each request: a tenth of what a random id costs.
_PROCESS = token_hex(8)
_requests = count(1)


class RequestPipeline:
    """Gives every request an id, a deadline (seconds) and, if it fails, an answer of the contract's form.

    stages: what else stands before the handler, the outermost first; what they raise is answered, too.
    cors: None where pages of other hosts are told nothing. clock: the time, for the log.
    """

    def __init__(
        self,
        observers: Sequence[Observer],
        capacity: Capacity,
        deadline: float,
        *,
        stages: Sequence[Stage] = (),
        cors: Cors | None = None,
        clients: Clients,
        clock: Callable[[], datetime],
    ) -> None:
        self._observers = observers
        self._capacity = capacity
        self._deadline = deadline
        self._stages = stages if cors is None else (cors, *stages)
        self._cors = cors
        self._clients = clients
        self._clock = clock

    def before(self, handler: Handler) -> Handler:
        """The handler with all of that before and after it, in the event loop that runs now."""
        capacity, deadline = self._capacity, self._deadline
        now = asyncio.get_running_loop().time
        for stage in reversed(self._stages):
            handler = stage.before(handler)

        async def enter(request: web.Request) -> web.StreamResponse:
            began = time.perf_counter()
            headers = request.headers
            request_id = _id_of(headers)
            wanted = headers.get(X_REQUEST_TIMEOUT)
            DEADLINE.set(now() + (deadline if wanted is None else _shortened(deadline, wanted)))
            if TRACEPARENT in headers and TRACE.get() is None:  # else whoever traces has set it
                TRACE.set(place_in_trace(headers))
            capacity.active += 1
            try:
                if request.version is not HttpVersion11 and request.version != HttpVersion10:
                    response: web.StreamResponse = problem_response(UnreadableRequest(_VERSIONS), request_id)
                elif capacity.active > capacity.most and request.path not in ALWAYS_ANSWERED:
                    response = problem_response(Overloaded(_FULL), request_id)
                else:
                    response = await handler(request)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a problem+json
                response = problem_response(_translate(error, request, request_id), request_id)
            finally:
                capacity.active -= 1
            self._label(request, response, request_id)
            if self._observers:
                answered = self._answered(request, response, request_id, time.perf_counter() - began)
                for observe in self._observers:
                    observe(answered)
            return response

        return enter

    def unreadable(self, request: web.Request) -> web.Response:
        """The answer to what is no HTTP request; the connection ends with it."""
        request_id = _id_of(request.headers)
        response = problem_response(UnreadableRequest("This is not a valid HTTP request."), request_id)
        self._label(request, response, request_id)
        response.force_close()
        answered = self._answered(request, response, request_id, 0.0)
        answered.method, answered.path = OTHER, ""  # aiohttp made them up
        for observe in self._observers:
            observe(answered)
        return response

    def _label(self, request: web.BaseRequest, response: web.StreamResponse, request_id: str) -> None:
        response.headers[X_REQUEST_ID] = request_id
        if not isinstance(response, EncodedResponse):  # which bears them already
            for name, value in SERVED_HEADERS.items():
                response.headers.setdefault(name, value)
        if self._cors is not None:
            response.headers.update(self._cors.headers(request))
        # While draining, the caller's next request goes to another replica. And aiohttp loses what follows a
        # request that asks for another protocol, so that nothing more can be read in step.
        if hdrs.UPGRADE in request.headers:
            response.force_close()
            request.protocol.close()  # what follows is thrown away, and the caller reads the answer
        elif self._capacity.draining:
            response.force_close()

    def _answered(
        self, request: web.Request, response: web.StreamResponse, request_id: str, seconds: float
    ) -> AccessRecord:
        path = request.rel_url.raw_path[:LONGEST_PATH]
        answered = AccessRecord(
            self._clock(),
            request_id,
            self._clients.address(request),
            request.method,
            route_of(request),
            path if path.isascii() else ascii(path),
            response.status,
            _milliseconds(seconds),
        )
        reading = getattr(response, "reading", None)
        if reading is not None:
            answered.upstream_ms = _milliseconds(reading.waited)
            answered.cache = cache_status(reading)
        else:
            answered.code = response.get(CODE)
        answered.caller = CALLER.get()
        trace = TRACE.get()
        if trace is not None:
            answered.trace_id = trace[TRACEPARENT][3:35]
        return answered


Unreadable = Callable[[web.Request], web.StreamResponse]  # answers what is no HTTP request

ENTRANCE: web.AppKey[Stage] = web.AppKey("entrance")
UNREADABLE: web.AppKey[Unreadable] = web.AppKey("unreadable")


def _id_of(headers: CIMultiDictProxy[str]) -> str:
    given = headers.get(X_REQUEST_ID)
    return given if given and _WELL_FORMED.fullmatch(given) else f"{_PROCESS}-{next(_requests):x}"


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
    if isinstance(error, UpstreamFailure | AuthUnavailable):
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
