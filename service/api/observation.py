"""What is known of a request once it is answered, and who wants to know."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple, Protocol

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
UNMATCHED = "unmatched"


class Observer(Protocol):
    """Told of every request, once, when its response is made."""

    def __call__(
        self, request: web.Request, response: web.StreamResponse, request_id: str, seconds: float
    ) -> None: ...


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

    def __call__(
        self, request: web.Request, response: web.StreamResponse, request_id: str, seconds: float
    ) -> None:
        del request_id
        key = (route_of(request), request.method, response.status)
        times = self._times.get(key)
        if times is None:
            times = self._times[key] = RouteTimes(*key, [0] * (len(BOUNDS) + 1), [0.0])
        times.buckets[bisect_left(BOUNDS, seconds)] += 1
        times.total[0] += seconds

    def __iter__(self) -> Iterator[RouteTimes]:
        return iter(list(self._times.values()))


def route_of(request: web.Request) -> str:
    """The template of the route that a request matched: never text of the caller's."""
    resource = request.match_info.route.resource
    return UNMATCHED if resource is None else resource.canonical
