"""Who asks: nothing but what is open to all is answered before that is known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from aiohttp import web
from multidict import CIMultiDictProxy

from service.context import CALLER
from service.http.handler import Respond

Identify = Callable[[CIMultiDictProxy[str]], Awaitable[str]]


class Authentication:
    """The stage that lets only callers through who are known.

    identify: the name of whoever sends these headers, or Unauthenticated, Forbidden or AuthUnavailable.
    open_paths: compared with the path as it was sent, letter by letter: no other way to write one opens it.
    """

    def __init__(self, identify: Identify, open_paths: Collection[str]) -> None:
        self._identify = identify
        self._open = frozenset(open_paths)

    def wrap(self, respond: Respond) -> Respond:
        """The same, for callers who are known."""

        async def identified(request: web.BaseRequest) -> web.StreamResponse:
            if request.rel_url.raw_path not in self._open:
                CALLER.set(await self._identify(request.headers))
            return await respond(request)

        return identified
