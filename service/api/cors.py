"""Which pages of other hosts may read answers: CORS."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from aiohttp import hdrs, web

from service.api.handler import Handler

_WANTED = hdrs.ACCESS_CONTROL_REQUEST_METHOD
_ALLOWED = hdrs.ACCESS_CONTROL_ALLOW_ORIGIN
_EXPOSED = "Age, Cache-Status, ETag, Link, Retry-After, WWW-Authenticate, X-Request-ID"
_PREFLIGHT: Mapping[str, str] = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, HEAD, POST",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: (
        "Authorization, Cache-Control, Content-Type, If-None-Match, traceparent, tracestate, "
        "X-API-Key, X-Request-ID, X-Request-Timeout"
    ),
    hdrs.ACCESS_CONTROL_MAX_AGE: "7200",  # seconds; Chromium keeps it for no longer
}


class Cors:
    """Lets pages of these origins read answers; "*" is every page. Cookies are never asked for.

    https://fetch.spec.whatwg.org/#http-cors-protocol
    """

    def __init__(self, origins: Collection[str]) -> None:
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
        self._of_others = self._of_origin.get("*", varying)

    def before(self, handler: Handler) -> Handler:
        """The handler, but for browsers that ask whether they may ask: those are answered here."""

        async def answered(request: web.Request) -> web.StreamResponse:
            if request.method != hdrs.METH_OPTIONS or _WANTED not in request.headers:
                return await handler(request)
            is_allowed = _ALLOWED in self.headers(request)
            return web.Response(status=204, headers=_PREFLIGHT if is_allowed else None)

        return answered

    def headers(self, request: web.BaseRequest) -> Mapping[str, str]:
        """What an answer to this request bears, an error's as any other."""
        return self._of_origin.get(request.headers.get(hdrs.ORIGIN, ""), self._of_others)
