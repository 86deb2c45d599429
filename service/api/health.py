"""Whether the process lives and takes requests: for orchestrators and load balancers, not for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from service.api import schemas
from service.http.capacity import Capacity
from service.http.route import Access, Content, Operation, Route, Tag

_TAG = Tag("health", "Whether this replica lives and takes requests, for orchestrators and load balancers.")
_READY = {
    "status": "ready",
    "upstream": "ok",
    "breaker": "closed",
    "experiment": "ok",
    "index": "complete",
    "store": "attached",
}
_HEADERS = {"Cache-Control": "no-store"}


class HealthRoutes:
    """The handlers of the health checks, and the routes that lead to them.

    upstream: whether MLflow answered, its breaker's state, what the last look at the experiment found, how
    far the index is, and whether the store that replicas share answers.
    """

    def __init__(self, capacity: Capacity, upstream: Callable[[], Mapping[str, str]]) -> None:
        self._capacity = capacity
        self._upstream = upstream

    def routes(self) -> list[Route]:
        """One route for each handler below, in their order."""
        return [
            Route(
                method="GET",
                path="/livez",
                handler=self.livez,
                access=Access.OPEN,
                always_answered=True,
                traced=False,
                operation=Operation(
                    id="livez",
                    tag=_TAG,
                    summary="The process answers; MLflow is not asked",
                    answers={200: Content(schemas.Liveness, {"status": "alive"})},
                ),
            ),
            Route(
                method="GET",
                path="/readyz",
                handler=self.readyz,
                access=Access.OPEN,
                always_answered=True,
                traced=False,
                operation=Operation(
                    id="readyz",
                    tag=_TAG,
                    summary="Whether this replica takes requests, and how MLflow was at the last look",
                    answers={
                        200: Content(schemas.Readiness, _READY),
                        503: Content(schemas.Readiness, {**_READY, "status": "draining"}, "About to stop"),
                    },
                ),
            ),
        ]

    async def livez(self, _request: web.BaseRequest, _path: Mapping[str, str]) -> web.Response:
        """The process answers. MLflow is not asked."""
        return web.json_response({"status": "alive"}, headers=_HEADERS)

    async def readyz(self, _request: web.BaseRequest, _path: Mapping[str, str]) -> web.Response:
        """This replica takes requests. What the body tells of MLflow, index and store never makes it 503."""
        body = {"status": "draining" if self._capacity.draining else "ready", **self._upstream()}
        return web.json_response(body, status=503 if self._capacity.draining else 200, headers=_HEADERS)
