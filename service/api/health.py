"""Whether the process lives and takes requests: for orchestrators and load balancers, not for people."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

_HEADERS = {"Cache-Control": "no-store"}


class HealthRoutes:
    """upstream: how MLflow was when it was last asked: "unknown", "ok" or "failing"."""

    def __init__(self, upstream: Callable[[], str]) -> None:
        self._upstream = upstream

    def table(self) -> list[web.RouteDef]:
        """The routes of the health checks."""
        return [web.get("/livez", self.livez), web.get("/readyz", self.readyz)]

    async def livez(self, _request: web.Request) -> web.Response:
        """The process answers. MLflow is not asked."""
        return web.json_response({"status": "alive"}, headers=_HEADERS)

    async def readyz(self, _request: web.Request) -> web.Response:
        """This replica takes requests. An MLflow that fails is told of, and is no reason to take it out."""
        return web.json_response({"status": "ready", "upstream": self._upstream()}, headers=_HEADERS)
