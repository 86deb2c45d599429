"""The headers of requests and responses, as the OpenAPI document describes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from service.errors import TrackingError
from service.http.problems import form_of
from service.http.route import Operation, Route


def _parameter(name: str, description: str, example: str) -> Mapping[str, Any]:
    # Any text is allowed: a header that is not well-formed is as good as none.
    schema = {"type": "string"}
    return {"name": name, "in": "header", "description": description, "schema": schema, "example": example}


def _header(description: str, *, required: bool = True, **schema: object) -> Mapping[str, Any]:
    return {"description": description, "required": required, "schema": schema}


PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "IfNoneMatch": _parameter(
        "If-None-Match",
        "The ETag of an answer that the caller has: 304 without a body if it is still right.",
        '"5e3c1f0a9b7d4c2e8f6a1b0d"',
    ),
    "CacheControl": _parameter(
        "Cache-Control",
        "`no-cache` has the service ask MLflow before it answers.",
        "no-cache",
    ),
    "LastEventID": _parameter(
        "Last-Event-ID",
        "The `id` of the last event that the caller got: what happened after it is told.",
        "5f1c09ab-4711",
    ),
    "RequestID": _parameter(
        "X-Request-ID",
        "An id for the request, of 1 to 128 letters, digits, `.`, `_` or `-`; any other is replaced.",
        "checkout-4711",
    ),
    "RequestTimeout": _parameter(
        "X-Request-Timeout",
        "Seconds that the caller waits, where fewer than the service's deadline; then it gets a 504.",
        "2.5",
    ),
    "Traceparent": _parameter(
        "traceparent",
        "The caller's trace (W3C Trace Context), which the log and the calls of MLflow bear, too.",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
}
HEADERS: Mapping[str, Mapping[str, Any]] = {
    "ETag": _header("Strong validator of this answer, for If-None-Match.", type="string"),
    "Age": _header("Seconds since the answer came from MLflow.", type="integer", minimum=0),
    "Cache-Status": _header("Where the answer came from (RFC 9211).", type="string"),
    "Link": _header(
        'The next page, where there is one: `<?…>; rel="next"`, relative to the request (RFC 8288).',
        required=False,
        type="string",
    ),
    "X-Request-ID": _header("The request's id: the caller's own if it is well-formed.", type="string"),
    "WWW-Authenticate": _header("How to authenticate (RFC 6750).", type="string"),
    "Retry-After": _header("Whole seconds to wait before the next attempt.", type="integer", minimum=1),
}


def of_request(route: Route, operation: Operation) -> list[dict[str, str]]:
    """The headers that a request may have, as references."""
    names = ["RequestID"]
    if not route.always_answered:
        names += ["RequestTimeout", "Traceparent"]
    if operation.cached:
        names += ["CacheControl", "IfNoneMatch"] if route.method == "GET" else ["CacheControl"]
    if operation.resumable:
        names.append("LastEventID")
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def of_answer(route: Route, operation: Operation) -> dict[str, dict[str, Any]]:
    """The headers of a good answer."""
    of_cache = ("ETag", "Age", "Cache-Status") if operation.cached else ()
    of_page = ("Link",) if operation.paged and route.method == "GET" else ()
    described: dict[str, dict[str, Any]] = {**_references((*of_cache, *of_page, "X-Request-ID"))}
    if operation.cached and any(content.texts for content in operation.answers.values()):
        # what is streamed has no validator
        described["ETag"] = {**HEADERS["ETag"], "required": False}
    return described


def of_problems(problems: Iterable[TrackingError]) -> dict[str, dict[str, str]]:
    """The headers of a response that tells one of these problems."""
    own = dict.fromkeys(name for problem in problems for name in form_of(type(problem)).headers(problem))
    return _references(("X-Request-ID", *own))


def _references(names: Iterable[str]) -> dict[str, dict[str, str]]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
