"""What the service tells Prometheus: read from the rooms when asked for, so that counting costs little."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

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

_EDGES = [*map(str, BOUNDS), "+Inf"]


class ServiceCollector(Collector):
    """Requests by route template, method and status, and what the store did; the label sets are bounded."""

    def __init__(self, requests: RequestTimes, source: CachedSource, memory: Memory) -> None:
        self._requests = requests
        self._source = source
        self._memory = memory

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        yield InfoMetricFamily("tracking_build", "The running version.", value={"version": __version__})
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
