"""What happens to every request: an id, a translation of what went wrong, a word in the log."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from itertools import count
from secrets import token_hex

from aiohttp import web
from multidict import istr

from service.api.problems import of_router, problem_response
from service.errors import BodyTooLarge, InternalError, TrackingError, UpstreamFailure

log = logging.getLogger("service.api")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
X_REQUEST_ID = istr("X-Request-ID")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._\-]{1,128}", re.ASCII)
# A random part for each process and a number for each request: a tenth of what a random id costs.
_PROCESS = token_hex(8)
_requests = count(1)


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every request an id, and every failure the one form that the contract has for it."""
    request_id = _request_id(request)
    try:
        response = await handler(request)
    except TrackingError as error:
        response = _tell(error, request, request_id)
    except web.HTTPRequestEntityTooLarge:
        response = problem_response(BodyTooLarge("The request body is too large."), request_id)
    except web.HTTPException as error:
        known = of_router(error, request)
        if known is None:
            raise
        response = problem_response(known, request_id)
    except Exception:
        log.exception("request %s: %s %s failed", request_id, request.method, request.path)
        response = problem_response(InternalError("The service failed; its log says why."), request_id)
    response.headers[X_REQUEST_ID] = request_id
    return response


def _request_id(request: web.Request) -> str:
    given = request.headers.get(X_REQUEST_ID)
    return given if given is not None and _WELL_FORMED.fullmatch(given) else f"{_PROCESS}-{next(_requests):x}"


def _tell(error: TrackingError, request: web.Request, request_id: str) -> web.Response:
    if isinstance(error, UpstreamFailure):
        log.warning("request %s: %s %s: %s", request_id, request.method, request.path, error.cause)
    return problem_response(error, request_id)
