"""What is said of a route, once.

The router, the OpenAPI document, authentication, the labels of metrics, CORS and the tests read it here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from aiohttp import web

from service.errors import TrackingError

# Answers a request. The second argument has the path's parameters by name, percent-decoded.
Handler = Callable[[web.BaseRequest, Mapping[str, str]], Awaitable[web.StreamResponse]]


class Access(Enum):
    """Whom a route answers, where the service authenticates its callers."""

    CALLER = "caller"  # those who are authenticated
    OPEN = "open"  # everybody
    DOCS = "docs"  # everybody if the settings open the documentation, else as CALLER
    METRICS = "metrics"  # everybody if the settings open the metrics, else as CALLER


@dataclass(frozen=True, slots=True)
class Tag:
    """A group of operations in the OpenAPI document. description: a sentence about the group."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Content:
    """A JSON body. model: the pydantic model that describes it. example: one that fits the model."""

    model: type
    example: Mapping[str, Any]
    description: str = "OK"


@dataclass(frozen=True, slots=True)
class PathParameter:
    """A parameter in a route's path."""

    name: str
    description: str
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """What the OpenAPI document says of a route.

    id: the operationId, from which generators make the name of a function. answers: the bodies of answers
    that are no problem details, by status. query: a pydantic model whose fields are the query's parameters.
    body: the request's body. errors: the classes of what the handler raises, besides what any route may
    answer. is_cached: the answer comes from the cache or from MLflow, says so in headers, and has an ETag.
    """

    id: str
    tag: Tag
    summary: str
    answers: Mapping[int, Content]
    path: tuple[PathParameter, ...] = ()
    query: type | None = None
    body: Content | None = None
    errors: tuple[type[TrackingError], ...] = ()
    is_cached: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one resource.

    method: GET answers HEAD, too. path: a template such as `/runs/{run_id}`, where a parameter is one whole
    segment. is_always_answered: whether it answers however many other requests are being handled.
    is_traced: whether requests become spans. operation: what the OpenAPI document says of the route; None
    where the document leaves it out.
    """

    method: str
    path: str
    handler: Handler = field(repr=False)
    access: Access = Access.CALLER
    is_always_answered: bool = False
    is_traced: bool = True
    operation: Operation | None = field(default=None, repr=False)
