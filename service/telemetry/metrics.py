"""What the service tells Prometheus: read from the rooms when asked for, so that counting costs little."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, get_args

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
from service.cache.cached_source import CachedSource
from service.cache.memory import Memory
from service.durations import Durations
from service.http.access_record import RequestTimes
from service.http.capacity import Capacity
from service.http.representations import Representations
from service.http.route import Access, Route
from service.telemetry.loop_lag import LoopLag
from service.upstream.breaker import State
from service.upstream.door import Door


class Instruments(NamedTuple):
    """The parts of the service that count something. lost_lines: how many lines the log has lost."""

    requests: RequestTimes
    capacity: Capacity
    door: Door
    source: CachedSource
    memory: Memory
    answers: Representations
    lag: LoopLag
    lost_lines: Callable[[], int]


class ServiceCollector(Collector):
    """Requests, calls of MLflow's, what is kept, and how the process fares.

    No label is text of a caller's or of MLflow's, so that there are only ever so many time series.
    """

    def __init__(self, counted: Instruments) -> None:
        self._counted = counted

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        yield InfoMetricFamily("tracking_build", "The running version.", value={"version": __version__})
        yield from self._of_requests()
        yield from self._of_upstream()
        yield from self._of_breaker()
        yield from self._of_store()
        yield from self._of_answers()
        yield from self._of_process()

    def _of_requests(self) -> Iterator[Metric]:
        requests = self._counted.requests
        yield _histogram(
            "tracking_request_duration_seconds",
            "Time to answer a request; source says where the answer came from.",
            ("route", "method", "status", "source"),
            (((kind.route, kind.method, str(kind.status), kind.source), times) for kind, times in requests),
        )
        yield _counter(
            "tracking_problems",
            "Requests answered with a problem, by its code.",
            ("code",),
            (((code,), number) for code, number in requests.problems.items()),
        )
        yield GaugeMetricFamily(
            "tracking_requests_in_flight", "Requests being handled.", value=self._counted.capacity.active
        )

    def _of_upstream(self) -> Iterator[Metric]:
        door = self._counted.door
        yield _counter(
            "tracking_upstream_calls",
            "Attempts to call MLflow, by what came of them.",
            ("endpoint", "outcome"),
            door.outcomes.items(),
        )
        yield _histogram(
            "tracking_upstream_duration_seconds",
            "Time that an attempt to call MLflow took, without waiting for a place.",
            ("endpoint",),
            (((endpoint,), durations) for endpoint, durations in door.durations.items()),
        )
        yield CounterMetricFamily("tracking_upstream_retries", "Calls made again.", value=door.retries)
        yield GaugeMetricFamily(
            "tracking_upstream_retry_budget", "Retries that may be made at once.", value=door.budget.tokens
        )
        yield GaugeMetricFamily("tracking_upstream_in_flight", "Calls in flight.", value=door.gate.in_flight)
        yield GaugeMetricFamily(
            "tracking_upstream_waiting", "Calls that wait for a place.", value=door.gate.waiting
        )
        yield CounterMetricFamily(
            "tracking_upstream_wait_seconds",
            "Time that calls waited for a place, all together.",
            value=door.gate.waited,
        )

    def _of_breaker(self) -> Iterator[Metric]:
        breaker = self._counted.door.breaker
        state = GaugeMetricFamily("tracking_upstream_breaker", "1 for the breaker's state.", labels=["state"])
        for name in get_args(State):
            state.add_metric([name], float(breaker.state == name))
        yield state
        yield CounterMetricFamily(
            "tracking_upstream_breaker_openings",
            "Times that the breaker opened, after a failed probe too.",
            value=breaker.openings,
        )

    def _of_store(self) -> Iterator[Metric]:
        memory = self._counted.memory
        yield _counter(
            "tracking_store_reads",
            "Questions, by how they were met.",
            ("result",),
            (((result,), number) for result, number in self._counted.source.reads.items()),
        )
        yield GaugeMetricFamily("tracking_store_bytes", "Memory the store takes.", value=memory.used)
        yield GaugeMetricFamily("tracking_store_entries", "Entries in the store.", value=len(memory))
        yield CounterMetricFamily(
            "tracking_store_evictions", "Entries dropped for want of memory.", value=memory.evictions
        )

    def _of_answers(self) -> Iterator[Metric]:
        answers = self._counted.answers
        yield GaugeMetricFamily(
            "tracking_answers_bytes", "Memory that kept answers take.", value=answers.used
        )
        yield GaugeMetricFamily("tracking_answers_entries", "Answers that are kept.", value=len(answers))
        yield CounterMetricFamily(
            "tracking_answers_evictions", "Answers dropped for want of memory.", value=answers.evictions
        )

    def _of_process(self) -> Iterator[Metric]:
        lag = self._counted.lag
        yield _histogram(
            "tracking_event_loop_lag_seconds",
            "How much later than asked for the event loop came back, looked at twenty times a second.",
            (),
            [((), lag.durations)],
        )
        yield GaugeMetricFamily(
            "tracking_event_loop_longest_lag_seconds",
            "The longest such lag in the last half minute to a minute.",
            value=lag.longest,
        )
        yield CounterMetricFamily(
            "tracking_log_lines_lost",
            "Lines that the log could not take.",
            value=self._counted.lost_lines(),
        )


def _counter(
    name: str, text: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], float]]
) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _histogram(
    name: str, text: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], Durations]]
) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels)
    for values, durations in samples:
        family.add_metric(values, durations.buckets(), sum_value=durations.total)
    return family


class MetricsRoute:
    """GET /metrics"""

    def __init__(self, collector: Collector) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        PlatformCollector(self._registry)
        GCCollector(self._registry)

    def table(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path="/metrics",
                handler=self.metrics,
                access=Access.METRICS,
                always_answered=True,
                traced=False,
            )
        ]

    async def metrics(self, _request: web.BaseRequest, _parameters: Mapping[str, str]) -> web.Response:
        """All metrics in Prometheus's text format."""
        body = generate_latest(self._registry)
        return web.Response(
            body=body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
        )
