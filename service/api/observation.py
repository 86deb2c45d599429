"""What is known of a request once it is answered, and who wants to know."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec
from aiohttp import web

# Seconds: from a hot answer, microseconds, to a cold one at the deadline.
BOUNDS = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)
_BOUNDS_MS = [bound * 1_000 for bound in BOUNDS]
UNMATCHED = "unmatched"


class Answered(msgspec.Struct, gc=False, omit_defaults=True, tag_field="level", tag="info"):
    """A request and how it was answered, as its line in the log has it.

    route: the template that matched, never text of the caller's. path: what was asked, without its query.
    upstream_ms: how long it waited for MLflow; cache: how the answer was come by (as in Cache-Status), both
    None where MLflow is not involved. trace_id: of the caller's traceparent.
    """

    time: datetime
    request_id: str
    method: str
    route: str
    path: str
    status: int
    duration_ms: float
    upstream_ms: float | None = None
    cache: str | None = None
    trace_id: str | None = None


Observer = Callable[[Answered], object]  # told of every request, once, when its response is made


class RouteTimes(NamedTuple):
    """Requests of one route, method and status: how many fell below each bound, and the sum of seconds."""

    route: str
    method: str
    status: int
    buckets: list[int]
    total: list[float]


class RequestTimes:
    """An observer that counts requests and their durations.

    In plain lists: the locks of a metrics library's histogram cost a request more than all else here.
    """

    def __init__(self) -> None:
        self._times: dict[tuple[str, str, int], RouteTimes] = {}

    def __call__(self, answered: Answered) -> None:
        key = (answered.route, answered.method, answered.status)
        times = self._times.get(key)
        if times is None:
            times = self._times[key] = RouteTimes(*key, [0] * (len(BOUNDS) + 1), [0.0])
        milliseconds = answered.duration_ms
        times.buckets[bisect_left(_BOUNDS_MS, milliseconds)] += 1
        times.total[0] += milliseconds / 1_000

    def __iter__(self) -> Iterator[RouteTimes]:
        return iter(list(self._times.values()))


def route_of(request: web.Request) -> str:
    """The template of the route that a request matched: never text of the caller's."""
    match = request._match_info  # noqa: SLF001 - the public one fails where the router was not asked
    resource = None if match is None else match.route.resource
    return UNMATCHED if resource is None else resource.canonical
