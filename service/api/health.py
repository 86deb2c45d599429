"""Whether the process lives and takes requests: for orchestrators and load balancers, not for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from service.http.capacity import Capacity
from service.http.route import Access, Route

_HEADERS = {"Cache-Control": "no-store"}


class HealthRoutes:
    """upstream: how MLflow is as far as is known, its breaker's state, and what became of the experiment."""

    def __init__(self, capacity: Capacity, upstream: Callable[[], Mapping[str, str]]) -> None:
        self._capacity = capacity
        self._upstream = upstream

    def table(self) -> list[Route]:
        """The routes of the health checks."""
        return [
            Route(
                method="GET",
                path=path,
                handler=handler,
                access=Access.OPEN,
                always_answered=True,
                traced=False,
            )
            for path, handler in (("/livez", self.livez), ("/readyz", self.readyz))
        ]

    async def livez(self, _request: web.BaseRequest, _parameters: Mapping[str, str]) -> web.Response:
        """The process answers. MLflow is not asked."""
        return web.json_response({"status": "alive"}, headers=_HEADERS)

    async def readyz(self, _request: web.BaseRequest, _parameters: Mapping[str, str]) -> web.Response:
        """This replica takes requests. An MLflow that fails is told of, and is no reason to take it out."""
        body = {"status": "draining" if self._capacity.draining else "ready", **self._upstream()}
        return web.json_response(body, status=503 if self._capacity.draining else 200, headers=_HEADERS)
