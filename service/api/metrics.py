"""The metrics of this replica, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from service.http.route import Access, Route


class MetricsRoutes:
    """The handler of the metrics, and the route that leads to it.

    exposition: all metrics as they are now, in a text format of Prometheus's. content_type: that format's.
    """

    def __init__(self, exposition: Callable[[], bytes], content_type: str) -> None:
        self._exposition = exposition
        self._headers = {"Content-Type": content_type, "Cache-Control": "no-store"}

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path="/metrics",
                handler=self.metrics,
                access=Access.METRICS,
                always_answered=True,
                traced=False,
            )
        ]

    async def metrics(self, _request: web.BaseRequest, _path: Mapping[str, str]) -> web.Response:
        """All metrics."""
        return web.Response(body=self._exposition(), headers=self._headers)
