"""Builds the index as the settings say: what it holds, how fast it asks MLflow, where its snapshot is."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from service.allocator import settle
from service.index.indexed_runs import IndexedRuns
from service.index.run_index import SyncedIndex
from service.index.schedule import Pace
from service.index.snapshot import NAME, mlflow_digest
from service.index.snapshot_keeper import SnapshotKeeper, Subject
from service.settings.load import Settings
from service.tracking.source import Source


@dataclass(frozen=True)
class Indexing:
    """The index, and its parts. snapshot: None where none is kept."""

    index: SyncedIndex
    runs: IndexedRuns
    snapshot: SnapshotKeeper | None

    def running(self) -> AbstractAsyncContextManager[None]:
        """The index runs for as long as the context lasts, from its snapshot on if there is one."""
        return self.index.running() if self.snapshot is None else self.snapshot.running()


def indexed_runs(settings: Settings) -> IndexedRuns | None:
    """The runs of an index that are still to be read; None where the settings want no index."""
    if not settings.index.enabled:
        return None
    return IndexedRuns(settings.index.max_bytes, settle=settle)


def indexing(
    settings: Settings,
    mlflow_url: str,
    runs: IndexedRuns,
    mlflow: Source,
    remembered: Source,
    clock: Callable[[], float] = time.monotonic,
) -> Indexing:
    """The index of these runs; ValueError names the setting whose folder cannot be written.

    mlflow: without a memory. remembered: the same with one, of which experiments are asked. clock: seconds.
    """
    chosen, cache = settings.index, settings.cache
    names = chosen.names or (settings.mlflow_experiment_name,)
    index = SyncedIndex(
        runs,
        mlflow,
        remembered,
        names,
        Pace(
            tick=chosen.tick,
            share=chosen.share,
            first_share=chosen.first_share,
            terminal_ttl=cache.terminal_ttl,
            active_ttl=cache.active_ttl,
        ),
        clock,
    )
    if chosen.snapshot_dir is None:
        return Indexing(index, runs, None)
    address = settings.mlflow_tracking_uri or mlflow_url
    subject = Subject(
        mlflow_digest(address, settings.mlflow_workspace or ""),
        names,
        chosen.snapshot_max_age,
        chosen.max_bytes,
    )
    path = _writable(chosen.snapshot_dir) / NAME
    return Indexing(index, runs, SnapshotKeeper(path, subject, index, runs, clock))


def _writable(folder: Path) -> Path:
    """The folder, which exists then; ValueError if it cannot be made or written."""
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(
            f"TRACKING_INDEX__SNAPSHOT_DIR: {folder} cannot be written: {reason}; name a folder in which the "
            "service may create files, or leave it out: then every start reads all runs again"
        ) from error
    return folder
