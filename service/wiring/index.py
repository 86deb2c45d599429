"""Builds the index as the settings say: what it holds, how fast it asks MLflow, where its snapshot is."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from service.allocator import settle
from service.index.indexed_runs import IndexedRuns
from service.index.run_index import SyncedIndex
from service.index.schedule import Pace
from service.index.shared.log import SharedLog
from service.index.shared.replica import Replica
from service.index.shared.snapshot import log_name
from service.index.shared.upkeep import SharedUpkeep
from service.index.snapshot import NAME, mlflow_digest
from service.index.snapshot_keeper import SnapshotKeeper, Subject
from service.settings.load import Settings
from service.tracking.runs import Run
from service.tracking.source import Source


class IndexLog(SharedLog, Protocol):
    """The log of a shared index, with connections of its own."""

    def open(self) -> AbstractAsyncContextManager[None]:
        """Use it for as long as the context lasts."""
        ...


@dataclass(frozen=True)
class Indexing:
    """The index, and its parts. snapshot: None where none is kept. shared: None where replicas share none."""

    index: SyncedIndex
    runs: IndexedRuns
    snapshot: SnapshotKeeper | None
    shared: SharedIndex | None = None

    def passed(self, run: Run, asked: float) -> None:
        """A run has passed, as it was when it was asked for."""
        if self.shared is None:
            self.runs.put(run, asked)
        else:
            self.shared.upkeep.passed(run, asked)

    def running(self) -> AbstractAsyncContextManager[object]:
        """The index runs for as long as the context lasts, from its snapshot on if there is one."""
        if self.shared is not None:
            return self._sharing(self.shared)
        return self.index.running() if self.snapshot is None else self.snapshot.running()

    @asynccontextmanager
    async def _sharing(self, shared: SharedIndex) -> AsyncIterator[None]:
        keeping = nullcontext() if self.snapshot is None else self.snapshot.keeping()
        async with shared.log.open(), keeping, shared.upkeep.running():
            yield


class SharedIndex(NamedTuple):
    """What makes an index one that replicas share."""

    log: IndexLog
    replica: Replica
    upkeep: SharedUpkeep


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
    log_of: Callable[[str], IndexLog] | None = None,
) -> Indexing:
    """The index of these runs; ValueError names the setting whose folder cannot be written.

    mlflow: without a memory. remembered: the same with one, of which experiments are asked. clock: seconds.
    log_of: the log of this name in the store that replicas share; None where they share none.
    """
    chosen, cache = settings.index, settings.cache
    names = chosen.names or (settings.mlflow_experiment_name,)
    pace = Pace(
        tick=chosen.tick,
        share=chosen.share,
        first_share=chosen.first_share,
        terminal_ttl=cache.terminal_ttl,
        active_ttl=cache.active_ttl,
    )
    index = SyncedIndex(runs, mlflow, remembered, names, pace, clock)
    address = settings.mlflow_tracking_uri or mlflow_url
    subject = Subject(
        mlflow_digest(address, settings.mlflow_workspace or ""),
        names,
        chosen.snapshot_max_age,
        chosen.max_bytes,
    )
    keeper = None
    if chosen.snapshot_dir is not None:
        keeper = SnapshotKeeper(_writable(chosen.snapshot_dir) / NAME, subject, index, runs, clock)
    if log_of is None:
        return Indexing(index, runs, keeper)
    log = log_of(log_name(subject))
    replica = Replica(
        index, runs, log, subject, clock, restore=_nothing if keeper is None else keeper.restore
    )
    return Indexing(index, runs, keeper, SharedIndex(log, replica, SharedUpkeep(replica, clock)))


async def _nothing() -> None:
    """There is no snapshot to begin from."""


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
