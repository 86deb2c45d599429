"""What is known of a request once it is answered, and who wants to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec
from aiohttp import hdrs

from service.durations import Durations
from service.http.cache_status import is_of_store
from service.http.problems import codes

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
OTHER = "other"  # in place of a method that HTTP does not define, or that could not be read


class AccessRecord(msgspec.Struct, gc=False, omit_defaults=True, tag_field="level", tag="info"):
    """A request and how it was answered, as its line in the log has it.

    route: the template that matched, never text of the caller's. path: what was asked, without its query.
    upstream_ms: how long it waited for MLflow or the store; cache: how the answer was come by (as in
    Cache-Status), both None where MLflow is not involved. trace_id: of the caller's traceparent. client: the
    address that it came from; caller: who it is, where callers are told apart. code: of the problem that it
    was answered with. streamed_ms: how long a stream was open after it had begun.
    """

    time: datetime
    request_id: str
    client: str
    method: str
    route: str
    path: str
    status: int
    duration_ms: float
    upstream_ms: float | None = None
    cache: str | None = None
    trace_id: str | None = None
    caller: str | None = None
    code: str | None = None
    streamed_ms: float | None = None


Observer = Callable[
    [AccessRecord], object
]  # told of each request, once: when it is answered, or its stream over


class Kind(NamedTuple):
    """What requests are counted by; each part is one of a few.

    source: where the answer came from: "memory" without waiting, "store" for the one that replicas share,
    "mlflow", or "none" of them.
    """

    route: str
    method: str
    status: int
    source: str


class RequestTimes:
    """An observer that counts requests with their durations, and problems by their codes."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str, int, str], Durations] = {}
        # All from the start: a counter that appears with its first problem seems not to have risen.
        self.problems = Counter(dict.fromkeys(codes(), 0))

    def __call__(self, answered: AccessRecord) -> None:
        waited = answered.upstream_ms
        source = "none" if waited is None else _asked(answered.cache) if waited else "memory"
        times = self._times.get((answered.route, answered.method, answered.status, source))
        if times is None:
            times = self._bounded(answered, source)
        times.add(answered.duration_ms / 1_000)
        if answered.code is not None:
            self.problems[answered.code] += 1

    def _bounded(self, answered: AccessRecord, source: str) -> Durations:
        """What a new kind is counted in. Methods that HTTP does not define are one, however many come."""
        method = answered.method if answered.method in hdrs.METH_ALL else OTHER
        kind = (answered.route, method, answered.status, source)
        return self._times.setdefault(kind, Durations(BOUNDS))

    def __iter__(self) -> Iterator[tuple[Kind, Durations]]:
        return iter([(Kind(*kind), times) for kind, times in self._times.items()])


def _asked(cache: str | None) -> str:
    """Who was waited for."""
    return "store" if is_of_store(cache) else "mlflow"
