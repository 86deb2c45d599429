"""Which pages of other hosts may read answers: CORS."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from aiohttp import hdrs, web
from multidict import istr

from service.http.handler import Respond

_WANTED = hdrs.ACCESS_CONTROL_REQUEST_METHOD
_WANTED_HEADERS = hdrs.ACCESS_CONTROL_REQUEST_HEADERS
_ALLOWED = hdrs.ACCESS_CONTROL_ALLOW_ORIGIN
# Chromium asks this before a page of a public address reaches a private one.
# https://wicg.github.io/private-network-access/#private-network-request-heading
_WANTS_PRIVATE_NETWORK = istr("Access-Control-Request-Private-Network")
_ALLOWS_PRIVATE_NETWORK = istr("Access-Control-Allow-Private-Network")
_EXPOSED = (
    "Age, Allow, Cache-Status, ETag, Link, Retry-After, WWW-Authenticate, X-Request-ID, X-Run-Limit, "
    "X-Total-Count"
)
# What the service reads: the answer to a browser that names no headers, or what are no names of headers.
_READ = (
    "Authorization, Cache-Control, Content-Type, If-None-Match, Last-Event-ID, traceparent, tracestate, "
    "X-API-Key, X-Request-ID, X-Request-Timeout"
)
_PREFLIGHT: Mapping[str, str] = {
    hdrs.ACCESS_CONTROL_MAX_AGE: "7200",  # seconds; Chromium keeps it for no longer
}
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)  # RFC 9110, 5.1
_LONGEST = 4_096  # characters of the names that a browser may ask for


class Cors:
    """The stage that lets pages of these origins read answers; "*" is every page. No cookies are asked for.

    methods: all that some route answers. https://fetch.spec.whatwg.org/#http-cors-protocol
    """

    def __init__(self, origins: Collection[str], methods: Collection[str]) -> None:
        # A cache may give an answer to another page only where it is the same for all.
        varying: Mapping[str, str] = {} if "*" in origins else {hdrs.VARY: "Origin"}
        self._of_origin = {
            origin: {
                **varying,
                _ALLOWED: origin,
                hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: _EXPOSED,
            }
            for origin in origins
        }
        self._permission = {hdrs.ACCESS_CONTROL_ALLOW_METHODS: ", ".join(methods), **_PREFLIGHT}
        self._of_others = self._of_origin.get("*", varying)
        questions = (hdrs.ORIGIN, _WANTED_HEADERS, _WANTS_PRIVATE_NETWORK)
        self._preflights_vary: Mapping[str, str] = {
            hdrs.VARY: ", ".join(questions if varying else questions[1:])
        }

    def wrap(self, respond: Respond) -> Respond:
        """The same, except that preflight requests are answered here."""

        async def answered(request: web.BaseRequest) -> web.StreamResponse:
            if request.method != hdrs.METH_OPTIONS or _WANTED not in request.headers:
                return await respond(request)
            is_allowed = _ALLOWED in self.headers(request)
            return web.Response(status=204, headers=self._allow(request) if is_allowed else None)

        return answered

    def headers(self, request: web.BaseRequest) -> Mapping[str, str]:
        """What an answer to this request bears, an error's as any other."""
        said = self._of_origin.get(request.headers.get(hdrs.ORIGIN, ""), self._of_others)
        if request.method == hdrs.METH_OPTIONS and _WANTED in request.headers:
            return {**said, **self._preflights_vary}
        return said

    def _allow(self, request: web.BaseRequest) -> Mapping[str, str]:
        """What a page may send. Any header: tools that trace pages add their own, and nothing trusts one."""
        said = {**self._permission, hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _allowed_headers(request)}
        if request.headers.get(_WANTS_PRIVATE_NETWORK) == "true":
            said[_ALLOWS_PRIVATE_NETWORK] = "true"
        return said


def _allowed_headers(request: web.BaseRequest) -> str:
    asked = ",".join(request.headers.getall(_WANTED_HEADERS, ()))
    names = [name for part in asked.split(",") if (name := part.strip(" \t"))]
    if not names or len(asked) > _LONGEST or not all(map(_NAME.fullmatch, names)):
        return _READ
    return ", ".join(names)
