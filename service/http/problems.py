"""Errors as callers see them: application/problem+json (RFC 9457).

The table says what each error is over HTTP. An error that has no line of its own has its parent's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from aiohttp import web

from service import errors
from service.errors import TrackingError
from service.http import errors as http_errors

CONTENT_TYPE = "application/problem+json"
CODE = web.ResponseKey("code", str)  # in the response, for whoever observes
_REALM = 'Bearer realm="experiment-tracking"'


def _none(_error: Any) -> Mapping[str, Any]:
    return {}


def _challenge(error: errors.Unauthenticated) -> Mapping[str, str]:
    return {"WWW-Authenticate": _REALM + ', error="invalid_token"' * error.was_given}  # RFC 6750, 3


def _scope_challenge(_error: errors.Forbidden) -> Mapping[str, str]:
    return {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope"'}


def _retry_after(error: Any) -> Mapping[str, str]:
    return {"Retry-After": str(max(1, error.retry_after))}


def _allow(error: http_errors.MethodNotAllowed) -> Mapping[str, str]:
    return {"Allow": ", ".join(error.allowed)}


def _wrong_values(error: errors.InvalidRequest) -> Mapping[str, object]:
    return {
        "errors": [
            {name: value for name, value in one._asdict().items() if value is not None}
            for one in error.errors
        ]
    }


def _missing_runs(error: errors.RunsNotFound) -> Mapping[str, object]:
    return {"missing_run_ids": list(error.run_ids)}


def _tried(error: errors.LineageNotFound) -> Mapping[str, object]:
    return {
        "ref": error.ref,
        "tried": [{"what": what, "outcome": str(outcome)} for what, outcome in error.tried],
    }


def _share_read(error: errors.IndexNotReady) -> Mapping[str, object]:
    return {"share_read": round(error.share_read, 3)}


class Form(NamedTuple):
    """What a kind of error is over HTTP: its status, its headers, and what it adds to the body."""

    status: int
    headers: Callable[[Any], Mapping[str, str]] = _none
    members: Callable[[Any], Mapping[str, object]] = _none


_FORMS: Mapping[type[TrackingError], Form] = {
    errors.InvalidRequest: Form(422, members=_wrong_values),
    errors.Unauthenticated: Form(401, _challenge),
    errors.Forbidden: Form(403, _scope_challenge),
    errors.AuthUnavailable: Form(503, _retry_after),
    errors.RunsNotFound: Form(404, members=_missing_runs),
    errors.LineageNotFound: Form(404, members=_tried),
    errors.IndexNotReady: Form(503, _retry_after, _share_read),
    errors.IndexTooLarge: Form(503, _retry_after),
    errors.UpstreamError: Form(502),
    errors.UpstreamAuth: Form(502),
    errors.UpstreamForbidden: Form(502),
    errors.UpstreamTimeout: Form(504),
    errors.UpstreamUnavailable: Form(503, _retry_after),
    http_errors.UnreadableRequest: Form(400),
    http_errors.MalformedBody: Form(400),
    http_errors.UnsupportedMediaType: Form(415),
    http_errors.BodyTooLarge: Form(413),
    http_errors.BodyTimeout: Form(408),
    http_errors.NotFound: Form(404),
    http_errors.MethodNotAllowed: Form(405, _allow),
    http_errors.ExpectationFailed: Form(417),
    http_errors.Overloaded: Form(503, _retry_after),
    http_errors.InternalError: Form(500),
}


def form_of(kind: type[TrackingError]) -> Form:
    """What a kind of error is over HTTP; KeyError for one that no line of the table fits."""
    for one in kind.__mro__:
        if one in _FORMS:
            return _FORMS[one]
    raise KeyError(kind)


def status_of(kind: type[TrackingError]) -> int:
    """The HTTP status of a kind of error; KeyError as in `form_of`."""
    return form_of(kind).status


def codes() -> Iterator[str]:
    """The codes of all errors that callers may get, the narrower ones among them; some come twice."""
    yield from (kind.code for kind in kinds() if hasattr(kind, "code"))


def kinds(kind: type[TrackingError] = TrackingError) -> Iterator[type[TrackingError]]:
    """All kinds of errors below one, abstract ones among them."""
    for narrower in kind.__subclasses__():
        yield narrower
        yield from kinds(narrower)


def problem_body(error: TrackingError, request_id: str) -> dict[str, object]:
    """The members of an error's body. The type names the kind of problem and need not be followed."""
    form = form_of(type(error))
    return {
        "type": f"urn:experiment-tracking:problem:{error.code}",
        "title": error.title,
        "status": form.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
        **form.members(error),
    }


def problem_response(error: TrackingError, request_id: str) -> web.Response:
    """The response that tells a caller of an error."""
    form = form_of(type(error))
    response = web.Response(
        status=form.status,
        body=json.dumps(problem_body(error, request_id)).encode(),
        content_type=CONTENT_TYPE,
        headers={"Cache-Control": "no-store", **form.headers(error)},
    )
    response[CODE] = error.code
    return response


def of_aiohttp(error: Exception) -> TrackingError | None:
    """What aiohttp says of a request, as one of our errors; None for what is a defect of the service."""
    match error:
        case web.HTTPNotFound() | web.HTTPForbidden():
            return http_errors.NotFound("There is no such resource.")
        case web.HTTPMethodNotAllowed():
            return http_errors.MethodNotAllowed(error.method, error.allowed_methods)
        case web.HTTPRequestEntityTooLarge():
            return http_errors.BodyTooLarge("The request body is too large.")
        case web.HTTPExpectationFailed():
            return http_errors.ExpectationFailed("Only 100-continue can be expected.")
        case web.RequestPayloadError():
            return http_errors.UnreadableRequest("The request body is not framed as HTTP wants it.")
    return None
