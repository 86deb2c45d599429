"""Finds the route of a request."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable, Mapping

from aiohttp import hdrs, web
from yarl import URL

from service.context import ROUTE
from service.http.body import meet_expectation
from service.http.errors import MethodNotAllowed, NotFound
from service.http.handler import Handler
from service.http.route import Route

_PARAMETER = re.compile(r"\{(\w+)\}", re.ASCII)

Methods = dict[str, Route]  # the routes of one path, by method


class Router:
    """The routes, found by method and path. ValueError where two routes answer the same.

    A path without parameters goes before one with them, and among those the one that was listed first. Paths
    are compared percent-decoded, except for %2F and %25: an encoded slash divides no segments.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        paths: dict[str, Methods] = {}
        for route in routes:
            for method in route.methods:
                if paths.setdefault(route.path, {}).setdefault(method, route) is not route:
                    raise ValueError(f"two routes answer {method} {route.path}")
        self._exact: dict[str, Methods] = {}
        self._templates: dict[int, list[tuple[re.Pattern[str], Methods]]] = {}  # by their number of slashes
        for path, methods in paths.items():
            if _PARAMETER.search(path):
                self._templates.setdefault(path.count("/"), []).append((_pattern(path), methods))
            else:
                self._exact[path] = methods

    def find(self, method: str, url: URL) -> tuple[Route, Mapping[str, str]]:
        """The route, and the parameters of its path, percent-decoded. NotFound, MethodNotAllowed."""
        path = url.raw_path
        if "%" in path:
            path = url.path_safe
        exact = self._exact.get(path)
        if exact is not None and method in exact:
            return exact[method], {}
        allowed = set(exact or ())
        for pattern, methods in self._templates.get(path.count("/"), ()):
            match = pattern.fullmatch(path)
            if match is not None:
                if method in methods:
                    parameters = match.groupdict()
                    return methods[method], _decoded(parameters) if "%" in path else parameters
                allowed |= methods.keys()
        if allowed:
            raise MethodNotAllowed(method, allowed)
        raise NotFound("There is no such resource.")

    def respond(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        """The response of the request's route. NotFound, MethodNotAllowed, ExpectationFailed."""
        route, parameters = self.find(request.method, request.rel_url)
        ROUTE.set(route.path)
        if hdrs.EXPECT in request.headers:
            return _respond_on_expectation(route.handler, request, parameters)
        return route.handler(request, parameters)


async def _respond_on_expectation(
    handler: Handler, request: web.BaseRequest, parameters: Mapping[str, str]
) -> web.StreamResponse:
    await meet_expectation(request)
    return await handler(request, parameters)


def _pattern(path: str) -> re.Pattern[str]:
    """What matches the paths that a template stands for: a parameter is never empty and has no braces."""
    literal_or_name = _PARAMETER.split(path)
    return re.compile(
        "".join(
            f"(?P<{part}>[^{{}}/]+)" if index % 2 else re.escape(part)
            for index, part in enumerate(literal_or_name)
        )
    )


def _decoded(parameters: dict[str, str]) -> Mapping[str, str]:
    return {name: value.replace("%2F", "/").replace("%25", "%") for name, value in parameters.items()}
