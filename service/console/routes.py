"""The routes of the console's page and of the files that it loads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import PurePosixPath
from typing import Final

from aiohttp import web

from service.console.files import TYPES, contents, digest
from service.console.page import PAGES, page
from service.http.assets import REVALIDATED, Asset
from service.http.handler import Handler
from service.http.route import Access, Route

CONSOLE: Final = "/console"


def console_routes(version: str, mlflow_url: str, experiment: str) -> list[Route]:
    """Its pages, its files, and what leads to them. They bear no data, and are open to all: a browser
    asks for a page without a key, and only the page asks for one.

    version: of the service. mlflow_url: where browsers find MLflow's own page, "" where nobody knows it.
    experiment: the name of the one that is meant where none is named.
    """
    about = (version, mlflow_url, experiment)
    routes = [_route(f"{CONSOLE}/{name}", _page(name, *about)) for name in PAGES]
    routes += _files()
    for path, target in ((CONSOLE, "console/runs"), (f"{CONSOLE}/", "runs")):
        routes.append(Route(method="GET", path=path, handler=_leading_to(target), access=Access.OPEN))
    return routes


@cache  # the files do not change while the service runs
def _files() -> tuple[Route, ...]:
    """A route for each file. What is not listed is no route, so no path can name another file."""
    base = f"{CONSOLE}/assets/{digest()}"
    return tuple(_route(f"{base}/{path}", _file(path, content)) for path, content in contents().items())


def _file(path: str, content: bytes) -> Asset:
    return Asset(content, TYPES[PurePosixPath(path).suffix], hashlib.sha256(content).hexdigest()[:24])


def _route(path: str, asset: Asset) -> Route:
    return Route(method="GET", path=path, handler=asset.send, access=Access.OPEN)


def _page(name: str, version: str, mlflow_url: str, experiment: str) -> Asset:
    html, policy = page(name, version, mlflow_url, experiment)
    body = html.encode()
    etag = hashlib.sha256(body).hexdigest()[:24]
    return Asset(body, "text/html", etag, REVALIDATED, {"Content-Security-Policy": policy})


def _leading_to(target: str) -> Handler:
    """A handler that sends browsers on, to an address relative to theirs."""

    async def send(_request: web.BaseRequest, _path: Mapping[str, str]) -> web.Response:
        return web.Response(status=307, headers={"Location": target})

    return send
