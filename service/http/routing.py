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

    A path without parameters goes before one with them; of those one whose only parameter is its last segment
    goes first, and then the one that was listed first. A parameter is never empty and has no braces. Paths
    are compared percent-decoded, except for %2F and %25: an encoded slash divides no segments.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        paths: dict[str, Methods] = {}
        for route in routes:
            for method in route.methods:
                if paths.setdefault(route.path, {}).setdefault(method, route) is not route:
                    raise ValueError(f"two routes answer {method} {route.path}")
        self._exact = {path: methods for path, methods in paths.items() if "{" not in path}
        templates = {path: methods for path, methods in paths.items() if "{" in path}
        self._patterns = [(_pattern(path), methods) for path, methods in templates.items()]
        # Most requests are for a path whose last segment is a parameter: found by what is before it.
        self._last: dict[str, tuple[str, Methods]] = {}
        for path, methods in templates.items():
            parent, _, last = path.rpartition("/")
            if "{" not in parent and (name := _PARAMETER.fullmatch(last)):
                self._last.setdefault(parent, (name[1], methods))

    def find(self, method: str, url: URL) -> tuple[Route, Mapping[str, str]]:
        """The route, and the parameters of its path, percent-decoded. NotFound, MethodNotAllowed."""
        path = url.raw_path
        if "%" in path:
            path = url.path_safe
        exact = self._exact.get(path)
        if exact is not None and method in exact:
            return exact[method], {}
        parent, _, last = path.rpartition("/")
        child = self._last.get(parent)
        if child is not None and last and "{" not in last and "}" not in last:
            name, methods = child
            if method in methods:
                return methods[method], {name: _decoded(last)}
        return self._match(method, path)

    def _match(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """As `find`, for the paths that no dictionary has."""
        allowed = set(self._exact.get(path, ()))
        for pattern, methods in self._patterns:
            if found := pattern.fullmatch(path):
                if method in methods:
                    return methods[method], {name: _decoded(one) for name, one in found.groupdict().items()}
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
    """What matches the paths that a template stands for."""
    literal_or_name = _PARAMETER.split(path)
    return re.compile(
        "".join(
            f"(?P<{part}>[^{{}}/]+)" if index % 2 else re.escape(part)
            for index, part in enumerate(literal_or_name)
        )
    )


def _decoded(parameter: str) -> str:
    return parameter.replace("%2F", "/").replace("%25", "%") if "%" in parameter else parameter
