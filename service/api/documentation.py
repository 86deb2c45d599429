"""The OpenAPI document, and a page that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from service.http.handler import Handler
from service.http.route import Access, Route
from service.http.security import DOCS_POLICY

STATIC = Path(__file__).parent / "static"
_ASSETS = [STATIC / "start.js", *sorted((STATIC / "swagger-ui").iterdir())]


class DocumentationRoutes:
    """The handlers of the documentation, and the routes that lead to them.

    document: the OpenAPI document, as JSON.
    """

    def __init__(self, document: bytes) -> None:
        self._document = document

    def routes(self) -> list[Route]:
        """The document, the page, and one route for each file that the page loads."""
        return [
            Route(method="GET", path="/openapi.json", handler=self.document, access=Access.DOCS),
            Route(
                method="GET",
                path="/docs",
                handler=_file(STATIC / "index.html", {"Content-Security-Policy": DOCS_POLICY}),
                access=Access.DOCS,
            ),
            # What is not listed is no route, so no path can name another file.
            *(
                Route(
                    method="GET",
                    path=f"/docs/{file.relative_to(STATIC).as_posix()}",
                    handler=_file(file),
                    access=Access.DOCS,
                )
                for file in _ASSETS
            ),
        ]

    async def document(self, _request: web.BaseRequest, _path: Mapping[str, str]) -> web.Response:
        """The OpenAPI document."""
        return web.Response(body=self._document, content_type="application/json")


def _file(file: Path, headers: Mapping[str, str] | None = None) -> Handler:
    async def send(_request: web.BaseRequest, _path: Mapping[str, str]) -> web.FileResponse:
        return web.FileResponse(file, headers=headers)

    return send
