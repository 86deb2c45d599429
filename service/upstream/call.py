"""What passes through the layers of the transport, and what each layer is."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Generic, Protocol, TypeVar

import msgspec

from service.upstream.breaker import Permit
from service.upstream.lenient import Body

T = TypeVar("T")


class Call(msgspec.Struct, Generic[T], frozen=True):
    """One call to MLflow's REST API. Every call only reads, or may safely be made twice.

    method, endpoint: such as "GET" and "runs/get". item: the end of the path where the endpoint has one for
    each thing, such as a logged model's id; it is not counted apart. read: makes the value of the answer's
    body, at once or in steps between which other requests have their turn; WireError where it cannot. until:
    the deadline, in seconds of the layers' clock. params, json: of the request. question: a number that is
    the same for the same question. may_wait: whether it may queue for a slot. attempt: 1 for the first.
    permit: what the breaker admitted this attempt with; None for a call that it is not asked about.
    """

    method: str
    endpoint: str
    read: Callable[[Body], T | Generator[None, None, T]]
    until: float
    params: Mapping[str, str] | None = None
    json: object = None
    question: int = 0
    may_wait: bool = True
    attempt: int = 1
    permit: Permit | None = None
    item: str = ""


class Transport(Protocol):
    """A layer: it sends a call by way of the layer that it is wrapped around, or to MLflow itself."""

    async def send(self, call: Call[T]) -> T:
        """The value that `call.read` makes of MLflow's answer; UpstreamFailure where there is none."""
        ...
