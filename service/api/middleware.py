"""What happens to every request: an id, a translation of what went wrong, a word to whoever observes."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import Sequence
from itertools import count
from secrets import token_hex

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import istr

from service.api.capacity import Capacity
from service.api.observation import Observer
from service.api.problems import of_router, problem_response
from service.errors import BodyTooLarge, InternalError, Overloaded, TrackingError, UpstreamFailure
from service.tracking.source import PATIENCE_ENDS

log = logging.getLogger("service.api")

X_REQUEST_ID = istr("X-Request-ID")
X_REQUEST_TIMEOUT = istr("X-Request-Timeout")
_FULL = "This replica handles as many requests as it can."
_ALWAYS_ANSWERED = frozenset({"/livez", "/readyz", "/metrics"})
_WELL_FORMED = re.compile(r"[A-Za-z0-9._\-]{1,128}", re.ASCII)
# A random part for each process and a number for each request: a tenth of what a random id costs.
_PROCESS = token_hex(8)
_requests = count(1)


def entrance(observers: Sequence[Observer], capacity: Capacity, deadline: float) -> Middleware:
    """Gives every request an id, a deadline (seconds) and, if it fails, an answer of the contract's form."""

    @web.middleware
    async def enter(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        given = request.headers.get(X_REQUEST_ID)
        request_id = given if given and _WELL_FORMED.fullmatch(given) else f"{_PROCESS}-{next(_requests):x}"
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
        seconds = time.perf_counter() - began
        for observe in observers:
            observe(request, response, request_id, seconds)
        return response

    return enter


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
