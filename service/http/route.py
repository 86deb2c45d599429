"""What is said of a route, once: everything that depends on the routes is derived from this."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from aiohttp import hdrs

from service.errors import TrackingError
from service.http.handler import Handler


class Access(Enum):
    """Who may ask, where callers are told apart: see `open_paths`."""

    CALLER = "caller"  # a caller who is known
    OPEN = "open"  # everybody
    DOCS = "docs"  # everybody, if the documentation is open
    METRICS = "metrics"  # everybody, if the metrics are open


@dataclass(frozen=True, slots=True)
class Tag:
    """A group of operations in the OpenAPI document. description: a sentence about the group."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Content:
    """A JSON body. model: the pydantic model that describes it. example: one that fits the model.

    texts: other forms that a caller may ask for (Accept), each with an example, by media type.
    """

    model: type
    example: Mapping[str, Any]
    description: str = "OK"
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PathParameter:
    """A parameter in a route's path."""

    name: str
    description: str
    example: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What the OpenAPI document says of a route.

    id: the operationId, from which generators make the name of a function. answers: the bodies of answers
    that are no problem details, by status. query: a pydantic model whose fields are the query's parameters.
    body: the request's body. errors: the classes of what the handler raises, besides what any route may
    answer. cached: the answer comes from the cache or from MLflow, says so in headers, and has an ETag, if it
    is JSON. paged: where there is a next page, the answer to a GET links to it. resumable: a stream goes on
    behind the event that the caller names (Last-Event-ID).
    """

    id: str
    tag: Tag
    summary: str
    answers: Mapping[int, Content]
    path_parameters: tuple[PathParameter, ...] = ()
    query: type | None = None
    body: Content | None = None
    errors: tuple[type[TrackingError], ...] = ()
    cached: bool = False
    paged: bool = False
    resumable: bool = False


@dataclass(frozen=True, kw_only=True)
class Route:
    """A method and a path, what answers there, and how requests for it are treated.

    path: in it `{name}` stands for one segment, given to the handler by that name; the path as it is written
    here is the label of the route in the log, in metrics and in traces. A route for GET answers HEAD, too.
    always_answered: also above the limit of requests that a replica handles at once.
    traced: whether its requests have a span.
    operation: what the OpenAPI document says of it; None where the document leaves it out.
    """

    method: str
    path: str
    handler: Handler
    access: Access = Access.CALLER
    always_answered: bool = False
    traced: bool = True
    operation: Operation | None = field(default=None, repr=False)

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
