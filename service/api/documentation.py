"""The OpenAPI document, and a page that shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from service.http.route import Access, Handler, Route
from service.http.security import DOCS_POLICY

STATIC = Path(__file__).parent / "static"
_ASSETS = [STATIC / "start.js", *sorted((STATIC / "swagger-ui").iterdir())]


class DocumentationRoutes:
    """The handlers of the documentation, and the routes that lead to them."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = json.dumps(document).encode()

    def routes(self) -> list[Route]:
        """The document, the page, and one route for each file that the page loads."""
        return [
            Route("GET", "/openapi.json", self.document, access=Access.DOCS),
            Route(
                "GET",
                "/docs",
                _file(STATIC / "index.html", {"Content-Security-Policy": DOCS_POLICY}),
                access=Access.DOCS,
            ),
            # What is not listed is no route, so no path can name another file.
            *(
                Route("GET", f"/docs/{file.relative_to(STATIC).as_posix()}", _file(file), access=Access.DOCS)
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
