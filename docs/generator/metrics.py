"""docs/reference/metrics.md, from the collector for Prometheus."""

from __future__ import annotations

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from generator.tables import REMARK, table
from service.cache.cached_source import CachedSource
from service.cache.freshness import Freshness
from service.cache.memory import Memory
from service.cache.shared_keys import SharedKeys
from service.cache.shared_source import SharedSource
from service.http.access_record import RequestTimes
from service.http.capacity import Capacity
from service.http.representations import Representations
from service.http.streams import Streams
from service.index.indexed_runs import IndexedRuns
from service.index.run_index import SyncedIndex
from service.index.shared.replica import Replica
from service.index.snapshot_keeper import Subject
from service.settings.groups import CacheSettings
from service.store.answers import RedisStore
from service.store.index_log import RedisIndexLog
from service.store.link import RedisLink
from service.telemetry.index_metrics import IndexCollector
from service.telemetry.loop_lag import LoopLag
from service.telemetry.metrics import Instruments, ServiceCollector
from service.telemetry.query_times import QueryCollector, QueryTimes
from service.telemetry.store_metrics import StoreCollector
from service.telemetry.stream_metrics import Sent, StreamCollector
from service.upstream.client import MlflowClient
from service.upstream.transport import Limits, MlflowTransport

METRICS = """\
# Metrics

`GET /metrics` has these in Prometheus's text format, and the Prometheus client's own `process_…` and
`python_…`. No label is text of a caller's or of MLflow's. `TRACKING_METRICS=false` turns them off.
[Monitor](../how-to/monitor.md) has alerts and a dashboard.
"""


class SentNothing(Sent):
    """A hub of events that has nobody to send any to."""

    events = resets = 0


def metrics_page() -> str:
    """Every metric of /metrics."""
    rows = [
        (f"`{_name(metric)}`", metric.type, ", ".join(_labels(metric)), metric.documentation)
        for collector in _collectors()
        for metric in collector.collect()
    ]
    remark = REMARK.format(source="service/telemetry/")
    return remark + METRICS + "\n" + table(("metric", "type", "labels", "meaning"), rows)


def _name(metric: Metric) -> str:
    return metric.name + {"counter": "_total", "info": "_info"}.get(metric.type, "")


def _labels(metric: Metric) -> list[str]:
    return [f"`{label}`" for label in getattr(metric, "_labelnames", ())]  # which has no public name


def _collectors() -> list[Collector]:
    """The collectors over parts that have counted nothing yet."""
    transport = MlflowTransport("http://127.0.0.1", Limits())
    memory = Memory(0)
    freshness = Freshness(**CacheSettings().model_dump(exclude={"max_bytes"}))
    source = CachedSource(MlflowClient(transport), memory, freshness)
    counted = Instruments(
        RequestTimes(), Capacity(1), transport.layers, source, memory, Representations(0), LoopLag(), int
    )
    runs = IndexedRuns(0)
    index = SyncedIndex(runs, source, source, ())
    link = RedisLink("redis://127.0.0.1")
    answers = RedisStore(link, "tracking")
    replica = Replica(index, runs, RedisIndexLog(link, "tracking", ""), Subject("", (), 0.0, 0))
    shared = SharedSource(source, answers, SharedKeys(""), memory, freshness)
    return [
        ServiceCollector(counted),
        StoreCollector(link, shared, answers, replica),
        IndexCollector(index, runs, None),
        QueryCollector(QueryTimes()),
        StreamCollector(Streams(0, 0.0), SentNothing()),
    ]
