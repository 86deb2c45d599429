"""Errors as callers see them: application/problem+json (RFC 9457)."""

from __future__ import annotations

import json

from aiohttp import web

from service.errors import ExpectationFailed, MethodNotAllowed, NotFound, TrackingError

CONTENT_TYPE = "application/problem+json"
CODE = web.ResponseKey("code", str)  # in the response, for whoever observes


def problem_body(error: TrackingError, request_id: str) -> dict[str, object]:
    """The members of an error's body. The type names the kind of problem and need not be followed."""
    return {
        "type": f"urn:experiment-tracking:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
        **error.extensions(),
    }


def problem_response(error: TrackingError, request_id: str) -> web.Response:
    """The response that tells a caller of an error."""
    response = web.Response(
        status=error.status,
        body=json.dumps(problem_body(error, request_id)).encode(),
        content_type=CONTENT_TYPE,
        headers={"Cache-Control": "no-store", **error.headers()},
    )
    response[CODE] = error.code
    return response


def of_router(error: web.HTTPException, request: web.Request) -> TrackingError | None:
    """What aiohttp's router or file handler says, as one of our errors; None for what is no error."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        return MethodNotAllowed(request.method, sorted(error.allowed_methods))
    if isinstance(error, web.HTTPNotFound | web.HTTPForbidden):
        return NotFound("There is no such resource.")
    if isinstance(error, web.HTTPExpectationFailed):
        return ExpectationFailed("Only 100-continue can be expected.")
    return None
