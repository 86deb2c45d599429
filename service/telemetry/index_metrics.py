"""The metrics of the index for Prometheus: what it holds, how fresh that is, and what it costs MLflow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.index.indexed_runs import IndexedRuns
from service.index.run_index import Condition, SyncedIndex
from service.index.snapshot_keeper import SnapshotKeeper
from service.telemetry.families import counter, gauge


class IndexCollector(Collector):
    """Collects the metrics of an index, of its runs, and of its snapshot where one is kept."""

    def __init__(self, index: SyncedIndex, runs: IndexedRuns, snapshot: SnapshotKeeper | None) -> None:
        self._index = index
        self._runs = runs
        self._snapshot = snapshot

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        index, sync, snapshot = self._index, self._index.sync, self._snapshot
        state = GaugeMetricFamily(
            "tracking_index_state", "1 for the state that the index is in.", labels=["state"]
        )
        for name in get_args(Condition):
            state.add_metric([name], float(index.condition == name))
        yield state
        yield gauge("tracking_index_runs", "Runs in the index.", len(self._runs.table))
        yield gauge("tracking_index_bytes", "Memory that the index takes.", self._runs.table.bytes_used)
        yield gauge(
            "tracking_index_synced_age_seconds",
            "Time since new and active runs were last looked for; none before that.",
            None if sync.synced is None else index.age,
        )
        yield gauge(
            "tracking_index_swept_age_seconds",
            "Time since when every run has been looked at; none before that.",
            index.swept_age,
        )
        yield counter(
            "tracking_index_mlflow_seconds",
            "Time that MLflow took to keep the index in step, by the kind of step.",
            ("step",),
            (((step,), seconds) for step, seconds in sync.seconds.items()),
        )
        yield counter(
            "tracking_index_steps",
            "Steps that keep the index in step with MLflow, by their kind and outcome.",
            ("step", "outcome"),
            sync.steps.items(),
        )
        yield gauge(
            "tracking_index_snapshot_age_seconds",
            "Time since what the snapshot says was true; none without a snapshot.",
            None if snapshot is None else snapshot.age,
        )
        yield gauge(
            "tracking_index_snapshot_bytes",
            "Size of the snapshot.",
            None if snapshot is None else snapshot.bytes,
        )
        yield counter(
            "tracking_index_snapshot_failures",
            "How often the snapshot could not be written.",
            (),
            () if snapshot is None else [((), snapshot.failures)],
        )
