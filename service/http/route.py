"""What is said of a route, once: everything that depends on the routes is derived from this."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

from aiohttp import hdrs

from service.http.handler import Handler


class Access(Enum):
    """Who may ask, where callers are told apart: see `open_paths`."""

    CALLER = "caller"  # a caller who is known
    OPEN = "open"  # everybody
    DOCS = "docs"  # everybody, if the documentation is open
    METRICS = "metrics"  # everybody, if the metrics are open


@dataclass(frozen=True, kw_only=True)
class Route:
    """A method and a path, what answers there, and how requests for it are treated.

    path: in it `{name}` stands for one segment, given to the handler by that name; the path as it is written
    here is the label of the route in the log, in metrics and in traces. A route for GET answers HEAD, too.
    always_answered: also above the limit of requests that a replica handles at once.
    traced: whether its requests have a span.
    """

    method: str
    path: str
    handler: Handler
    access: Access = Access.CALLER
    always_answered: bool = False
    traced: bool = True

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that it answers."""
        return (hdrs.METH_GET, hdrs.METH_HEAD) if self.method == hdrs.METH_GET else (self.method,)


def open_paths(routes: Iterable[Route], accesses: Collection[Access]) -> frozenset[str]:
    """The paths that everybody may ask for, where these kinds of access are open to all."""
    return frozenset(route.path for route in routes if route.access in accesses)


def methods_of(routes: Iterable[Route]) -> tuple[str, ...]:
    """Every method that some route answers, sorted."""
    return tuple(sorted({method for route in routes for method in route.methods}))
