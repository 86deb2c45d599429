"""Which route a request took, and a memory of it: aiohttp's router takes a tenth of a hot answer."""

from __future__ import annotations

from aiohttp import hdrs, web
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

from service.http.handler import Handler

UNMATCHED = "unmatched"
LONGEST_PATH = 256  # characters of a path that is remembered here, and told to the log and to traces

_MOST = 4_096  # paths; when there are more, all are forgotten


class RecalledRoutes:
    """Stands before an application that has no middlewares, and remembers what its router found."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], UrlMappingMatchInfo] = {}

    def before(self, handler: Handler) -> Handler:
        """The application's handler, for paths that are not remembered, and for Expect, its own business."""
        found = self._found

        async def routed(request: web.Request) -> web.StreamResponse:
            asked = request.method, request.rel_url.raw_path
            match = found.get(asked)
            if match is None or hdrs.EXPECT in request.headers:
                try:
                    return await handler(request)
                finally:
                    self._remember(asked, _match_of(request))
            request._match_info = match  # noqa: SLF001 - the application would set it, and has no public way
            return await match.handler(request)

        return routed

    def _remember(self, asked: tuple[str, str], match: UrlMappingMatchInfo | None) -> None:
        if match is None or match.http_exception is not None or len(asked[1]) > LONGEST_PATH:
            return
        if len(self._found) >= _MOST:
            self._found.clear()
        self._found[asked] = match


def route_of(request: web.Request) -> str:
    """The template of the route that a request matched: never text of the caller's."""
    match = _match_of(request)
    resource = None if match is None else match.route.resource
    return UNMATCHED if resource is None else resource.canonical


def _match_of(request: web.Request) -> UrlMappingMatchInfo | None:
    return request._match_info  # noqa: SLF001 - the public one fails where the router was not asked
