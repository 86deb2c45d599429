"""What happens to every request, whatever its route: an id, a deadline, an answer in any case, a record.

It stands before the routes, and what stands between (authentication, CORS) is a stage of it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import cached_property, partial
from itertools import count
from secrets import token_hex

from aiohttp import HttpVersion10, HttpVersion11, web
from multidict import CIMultiDictProxy, istr

from service.context import CALLER, DEADLINE, REQUEST_ID, ROUTE, TRACE
from service.errors import AuthUnavailable, TrackingError, UpstreamFailure
from service.http.access_record import OTHER, AccessRecord, Observer
from service.http.aiohttp_internals import EncodedResponse
from service.http.capacity import Capacity
from service.http.client_address import ClientAddresses
from service.http.errors import InternalError, Overloaded, UnreadableRequest
from service.http.event_stream import EventStream
from service.http.handler import Respond, Stage
from service.http.labels import X_REQUEST_ID, Labels
from service.http.problems import CODE, of_aiohttp, problem_response
from service.http.trace_context import TRACEPARENT, place_in_trace

log = logging.getLogger("service.api")

X_REQUEST_TIMEOUT = istr("X-Request-Timeout")
LONGEST_PATH = 256  # characters of a path that are told to the log and to traces
_VERSIONS = "Only HTTP/1.1 and HTTP/1.0 are understood."
_FULL = "This replica handles as many requests as it can."
_WELL_FORMED = re.compile(r"[A-Za-z0-9._\-]{1,128}", re.ASCII)
# A random part for each process and a number for each request: a tenth of what a random id costs.
_PROCESS = token_hex(8)
_requests = count(1)


class RequestPipeline:
    """Gives every request an id, a deadline and, whatever goes wrong, an answer of the contract's form.

    deadline: seconds; a caller can shorten it (X-Request-Timeout). capacity: above its limit only
    always_answered paths are answered. labels: what every response bears. observers: told of every request
    once its response is made, or its stream is over. addresses: tell where a request comes from. clock: the
    time, for the records.
    """

    def __init__(
        self,
        *,
        deadline: float,
        capacity: Capacity,
        always_answered: Collection[str],
        labels: Labels,
        observers: Sequence[Observer],
        addresses: ClientAddresses,
        clock: Callable[[], datetime],
    ) -> None:
        self._deadline = deadline
        self._capacity = capacity
        self._always_answered = frozenset(always_answered)
        self._labels = labels
        self._observers = tuple(observers)
        self._addresses = addresses
        self._clock = clock

    def wrap(self, respond: Respond, stages: Sequence[Stage] = ()) -> Respond:
        """The same with all of that around it, and between them the stages, the outermost first."""
        capacity, deadline, observers = self._capacity, self._deadline, self._observers
        add_labels = self._labels.add
        for stage in reversed(stages):
            respond = stage.wrap(respond)

        async def answered(request: web.BaseRequest) -> web.StreamResponse:
            began = time.perf_counter()
            headers = request.headers
            request_id = _id_of(headers)
            REQUEST_ID.set(request_id)
            asked = headers.get(X_REQUEST_TIMEOUT)
            DEADLINE.set(self._now() + (deadline if asked is None else _shortened(deadline, asked)))
            if TRACEPARENT in headers and TRACE.get() is None:  # else whoever traces has set it
                TRACE.set(place_in_trace(headers))
            capacity.active += 1
            try:
                if request.version is not HttpVersion11 and request.version != HttpVersion10:
                    response: web.StreamResponse = problem_response(UnreadableRequest(_VERSIONS), request_id)
                elif capacity.active > capacity.limit and request.path not in self._always_answered:
                    response = problem_response(Overloaded(_FULL), request_id)
                else:
                    response = await respond(request)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a problem+json
                response = problem_response(_translate(error, request, request_id), request_id)
                if request.writer.output_size:  # a second head would be taken for more of what was streamed
                    request.protocol.force_close()
            finally:
                capacity.active -= 1
            add_labels(request, response)
            if observers:
                record = self._record(request, response, request_id, time.perf_counter() - began)
                if type(response) is EventStream:  # isinstance would ask Protocol's metaclass: 1 µs of 44
                    response.over = partial(self._over, record)
                else:
                    self._tell(record)
            return response

        return answered

    def _over(self, record: AccessRecord, seconds: float) -> None:
        record.streamed_ms = _milliseconds(seconds)
        self._tell(record)

    def _tell(self, record: AccessRecord) -> None:
        for observe in self._observers:
            observe(record)

    @cached_property
    def _now(self) -> Callable[[], float]:
        # Of the event loop that serves, which need not run yet when the pipeline is made. Once, for it is a
        # hundredth of a hot answer to look it up.
        return asyncio.get_running_loop().time

    def unreadable(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to what is no HTTP request; the connection ends with it."""
        request_id = _id_of(request.headers)
        REQUEST_ID.set(request_id)
        response = problem_response(UnreadableRequest("This is not a valid HTTP request."), request_id)
        self._labels.add(request, response)
        response.force_close()
        record = self._record(request, response, request_id, 0.0)
        record.method, record.path = OTHER, ""  # aiohttp made them up
        self._tell(record)
        return response

    def _record(
        self, request: web.BaseRequest, response: web.StreamResponse, request_id: str, seconds: float
    ) -> AccessRecord:
        path = request.rel_url.raw_path[:LONGEST_PATH]
        answered = AccessRecord(
            self._clock(),
            request_id,
            self._addresses.of(request),
            request.method,
            ROUTE.get(),
            path if path.isascii() else ascii(path),
            response.status,
            _milliseconds(seconds),
        )
        if isinstance(response, EncodedResponse):
            answered.upstream_ms = _milliseconds(response.waited)
            answered.cache = response.cache
        else:
            answered.code = response.get(CODE)
        answered.caller = CALLER.get()
        trace = TRACE.get()
        if trace is not None:
            answered.trace_id = trace[TRACEPARENT][3:35]
        return answered


def _id_of(headers: CIMultiDictProxy[str]) -> str:
    given = headers.get(X_REQUEST_ID)
    return given if given and _WELL_FORMED.fullmatch(given) else f"{_PROCESS}-{next(_requests):x}"


def _milliseconds(seconds: float) -> float:
    return int(seconds * 1_000_000) / 1_000


def _shortened(deadline: float, asked: str) -> float:
    """The seconds that a caller wants to wait; it can only ask for fewer."""
    try:
        seconds = float(asked)
    except ValueError:
        return deadline
    return min(deadline, max(seconds, 0.0)) if math.isfinite(seconds) else deadline


def _translate(error: Exception, request: web.BaseRequest, request_id: str) -> TrackingError:
    if isinstance(error, UpstreamFailure | AuthUnavailable):
        log.warning(
            "request %s: %s %s: %s", request_id, request.method, request.rel_url.raw_path, error.cause
        )
    if isinstance(error, TrackingError):
        return error
    if known := of_aiohttp(error):
        return known
    log.error(
        "request %s: %s %s failed", request_id, request.method, request.rel_url.raw_path, exc_info=error
    )
    return InternalError("The service failed; its log says why.")
