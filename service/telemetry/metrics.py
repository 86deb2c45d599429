"""The service's metrics for Prometheus. Parts count, and a scrape reads them: counting costs little."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, get_args

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from service import __version__
from service.cache.cached_source import CachedSource
from service.cache.memory import Memory
from service.http.access_record import RequestTimes
from service.http.capacity import Capacity
from service.http.representations import Representations
from service.telemetry.families import counter, histogram
from service.telemetry.loop_lag import LoopLag
from service.upstream.breaker import State
from service.upstream.transport import Layers


class Instruments(NamedTuple):
    """The parts of the service that count something.

    upstream: the layers of MLflow's transport. lost_lines: how many lines the log has lost.
    """

    requests: RequestTimes
    capacity: Capacity
    upstream: Layers
    source: CachedSource
    memory: Memory
    answers: Representations
    lag: LoopLag
    lost_lines: Callable[[], int]


class ServiceCollector(Collector):
    """Collects the metrics of requests, calls to MLflow, the caches and the process.

    No label holds text that a caller or MLflow chose, so that the number of time series is bounded.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        yield InfoMetricFamily("tracking_build", "The running version.", value={"version": __version__})
        yield from self._of_requests()
        yield from self._of_upstream()
        yield from self._of_breaker()
        yield from self._of_cache()
        yield from self._of_answers()
        yield from self._of_process()

    def _of_requests(self) -> Iterator[Metric]:
        requests = self._instruments.requests
        yield histogram(
            "tracking_request_duration_seconds",
            "Time to answer a request; source says where the answer came from.",
            ("route", "method", "status", "source"),
            (((kind.route, kind.method, str(kind.status), kind.source), times) for kind, times in requests),
        )
        yield counter(
            "tracking_problems",
            "Requests answered with a problem, by its code.",
            ("code",),
            (((code,), number) for code, number in requests.problems.items()),
        )
        yield GaugeMetricFamily(
            "tracking_requests_in_flight", "Requests being handled.", value=self._instruments.capacity.active
        )

    def _of_upstream(self) -> Iterator[Metric]:
        retrying, counting, _, limit, timing = self._instruments.upstream
        yield counter(
            "tracking_upstream_calls",
            "Attempts to call MLflow, by their outcome.",
            ("endpoint", "outcome"),
            counting.outcomes.items(),
        )
        yield histogram(
            "tracking_upstream_duration_seconds",
            "Time that MLflow took for an attempt, without the wait for a slot.",
            ("endpoint",),
            (((endpoint,), durations) for endpoint, durations in timing.durations.items()),
        )
        yield CounterMetricFamily(
            "tracking_upstream_retries", "Attempts after the first.", value=retrying.retries
        )
        yield GaugeMetricFamily(
            "tracking_upstream_retry_budget",
            "Retries that the retry budget allows now.",
            value=retrying.budget.tokens,
        )
        yield GaugeMetricFamily("tracking_upstream_in_flight", "Calls in flight.", value=limit.in_flight)
        yield GaugeMetricFamily(
            "tracking_upstream_waiting", "Calls that wait for a slot.", value=limit.waiting
        )
        yield CounterMetricFamily(
            "tracking_upstream_wait_seconds",
            "Time that calls have waited for a slot, in total.",
            value=limit.wait_seconds,
        )

    def _of_breaker(self) -> Iterator[Metric]:
        breaker = self._instruments.upstream.breaker
        state = GaugeMetricFamily(
            "tracking_upstream_breaker", "1 for the state that the breaker is in.", labels=["state"]
        )
        for name in get_args(State):
            state.add_metric([name], float(breaker.state == name))
        yield state
        yield CounterMetricFamily(
            "tracking_upstream_breaker_openings",
            "How often the breaker opened, failed probes included.",
            value=breaker.openings,
        )

    def _of_cache(self) -> Iterator[Metric]:
        memory = self._instruments.memory
        yield counter(
            "tracking_cache_reads",
            "Lookups in the cache, by their result.",
            ("result",),
            (((result,), number) for result, number in self._instruments.source.reads.items()),
        )
        yield GaugeMetricFamily("tracking_cache_bytes", "Memory that the cache takes.", value=memory.used)
        yield GaugeMetricFamily("tracking_cache_entries", "Entries in the cache.", value=len(memory))
        yield CounterMetricFamily(
            "tracking_cache_evictions",
            "Entries that the cache dropped to stay within its memory.",
            value=memory.evictions,
        )

    def _of_answers(self) -> Iterator[Metric]:
        answers = self._instruments.answers
        yield GaugeMetricFamily(
            "tracking_answers_bytes", "Memory that encoded answers take.", value=answers.used
        )
        yield GaugeMetricFamily(
            "tracking_answers_entries", "Encoded answers that are kept.", value=len(answers)
        )
        yield CounterMetricFamily(
            "tracking_answers_evictions",
            "Encoded answers dropped to stay within their memory.",
            value=answers.evictions,
        )

    def _of_process(self) -> Iterator[Metric]:
        lag = self._instruments.lag
        yield histogram(
            "tracking_event_loop_lag_seconds",
            "How late the event loop runs a timer, measured twenty times a second.",
            (),
            [((), lag.durations)],
        )
        yield GaugeMetricFamily(
            "tracking_event_loop_longest_lag_seconds",
            "The longest lag of the event loop in the last 30 to 60 seconds.",
            value=lag.longest,
        )
        yield CounterMetricFamily(
            "tracking_log_lines_lost",
            "Log lines that could not be written.",
            value=self._instruments.lost_lines(),
        )


class Exposition:
    """All metrics in Prometheus's text format: those of the collectors, and those of the process."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, collectors: Iterable[Collector]) -> None:
        self._registry = CollectorRegistry()
        for collector in collectors:
            self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        PlatformCollector(self._registry)
        GCCollector(self._registry)

    def __call__(self) -> bytes:
        """The metrics as they are now."""
        return generate_latest(self._registry)
