"""What the service tells Prometheus: read from the rooms when asked for, so that counting costs little."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import get_args

from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from service import __version__
from service.api.observation import BOUNDS, RequestTimes
from service.tracking.cached_source import CachedSource
from service.tracking.memory import Memory
from service.upstream.breaker import State
from service.upstream.door import Door

_EDGES = [*map(str, BOUNDS), "+Inf"]


class ServiceCollector(Collector):
    """Requests by route template, method and status, and what the store did; the label sets are bounded."""

    def __init__(self, requests: RequestTimes, door: Door, source: CachedSource, memory: Memory) -> None:
        self._requests = requests
        self._door = door
        self._source = source
        self._memory = memory

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        yield InfoMetricFamily("tracking_build", "The running version.", value={"version": __version__})
        yield from self._of_requests()
        yield from self._of_upstream()
        yield from self._of_store()

    def _of_requests(self) -> Iterator[Metric]:
        seconds = HistogramMetricFamily(
            "tracking_request_duration_seconds",
            "Time to answer a request.",
            labels=["route", "method", "status"],
        )
        for times in self._requests:
            buckets = list(zip(_EDGES, accumulate(times.buckets), strict=True))
            labels = [times.route, times.method, str(times.status)]
            seconds.add_metric(labels, buckets, sum_value=times.total[0])
        yield seconds

    def _of_upstream(self) -> Iterator[Metric]:
        door = self._door
        calls = CounterMetricFamily(
            "tracking_upstream_calls",
            "Attempts to call MLflow, by what came of them.",
            labels=["endpoint", "outcome"],
        )
        for (endpoint, outcome), number in door.outcomes.items():
            calls.add_metric([endpoint, outcome], number)
        yield calls
        spent = CounterMetricFamily(
            "tracking_upstream_seconds", "Time spent in calls of MLflow.", labels=["endpoint"]
        )
        for endpoint, seconds in door.seconds.items():
            spent.add_metric([endpoint], seconds)
        yield spent
        yield CounterMetricFamily("tracking_upstream_retries", "Calls made again.", value=door.retries)
        yield GaugeMetricFamily(
            "tracking_upstream_retry_budget", "Retries that may be made at once.", value=door.budget.tokens
        )
        yield GaugeMetricFamily("tracking_upstream_in_flight", "Calls in flight.", value=door.gate.in_flight)
        yield GaugeMetricFamily(
            "tracking_upstream_waiting", "Calls that wait for a place.", value=door.gate.waiting
        )
        state = GaugeMetricFamily("tracking_upstream_breaker", "1 for the breaker's state.", labels=["state"])
        for name in get_args(State):
            state.add_metric([name], float(door.breaker.state == name))
        yield state

    def _of_store(self) -> Iterator[Metric]:
        reads = CounterMetricFamily(
            "tracking_store_reads", "Questions, by how they were met.", labels=["result"]
        )
        for result, number in self._source.reads.items():
            reads.add_metric([result], number)
        yield reads
        yield GaugeMetricFamily("tracking_store_bytes", "Memory the store takes.", value=self._memory.used)
        yield GaugeMetricFamily("tracking_store_entries", "Entries in the store.", value=len(self._memory))
        yield CounterMetricFamily(
            "tracking_store_evictions", "Entries dropped for want of memory.", value=self._memory.evictions
        )


class MetricsRoute:
    """GET /metrics"""

    def __init__(self, collector: Collector) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        PlatformCollector(self._registry)
        GCCollector(self._registry)

    def table(self) -> list[web.RouteDef]:
        """The route."""
        return [web.get("/metrics", self.metrics)]

    async def metrics(self, _request: web.Request) -> web.Response:
        """All metrics in Prometheus's text format."""
        body = generate_latest(self._registry)
        return web.Response(
            body=body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
        )
