"""Reads the snapshot of an index before the index runs, and writes it now and then and at the end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from service.index.indexed_runs import IndexedRuns
from service.index.run_index import SyncedIndex, SyncState
from service.index.snapshot import SnapshotError, Stamp, read_snapshot, write_snapshot
from service.index.snapshot_columns import table_of
from service.index.snapshot_writing import written_while_frozen
from service.index.table import RunTable

log = logging.getLogger("service.index")

INTERVAL: Final = 300.0  # seconds between two snapshots
_MOST_BEHIND: Final = 3_600_000  # milliseconds after which it is written though no run has changed
_STATE: Final = "state"


class Subject(NamedTuple):
    """What a snapshot has to be of.

    mlflow: tells apart which MLflow it was read from. experiments: the names of those that are indexed.
    max_age: seconds since MLflow was last asked, at most. max_bytes: of memory, at most.
    """

    mlflow: str
    experiments: tuple[str, ...]
    max_age: float
    max_bytes: int


class SnapshotKeeper:
    """The snapshot of one index, at one path.

    clock: seconds, monotonic, as the index has it. now: Unix epoch milliseconds. interval: seconds between
    two snapshots. patience: seconds that the last one may take.

    failures: how often it could not be written. bytes: of the file that was last written or read.
    """

    def __init__(
        self,
        path: Path,
        subject: Subject,
        index: SyncedIndex,
        runs: IndexedRuns,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        interval: float = INTERVAL,
        patience: float = 5.0,
    ) -> None:
        self._path = path
        self._subject = subject
        self._index = index
        self._runs = runs
        self._clock = clock
        self._now = now
        self._interval = interval
        self._patience = patience
        self._kept: tuple[int, SyncState] | None = None  # the table's changes then, and the state
        self.failures = 0
        self.bytes = 0

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run the index from its snapshot on, and keep that, for as long as the context lasts."""
        return self._until_end(self._run())

    def keeping(self) -> AbstractAsyncContextManager[None]:
        """Keep the snapshot of an index that something else runs, and restores where that is needed."""
        return self._until_end(self._keep())

    @asynccontextmanager
    async def _until_end(self, work: Coroutine[None, None, None]) -> AsyncIterator[None]:
        task = asyncio.create_task(work)
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self._write_last()

    @property
    def age(self) -> float | None:
        """Seconds since what the snapshot says was true; None where there is none."""
        return None if self._kept is None else max(self._now() - self._kept[1].synced_ms, 0) / 1_000

    async def restore(self) -> None:
        """Let the index begin from the snapshot if that can be used; the log says so, or why not."""
        try:
            table, state = await asyncio.to_thread(self._read, self._since())
        except FileNotFoundError:
            log.info("there is no snapshot %s yet: every run is read", self._path)
        except SnapshotError as error:
            log.warning("the snapshot %s %s: every run is read", self._path, error)
        except Exception:  # whatever is in it, the index runs
            log.exception("the snapshot %s cannot be understood: every run is read", self._path)
        else:
            self._index.restore(table, state)
            self._kept = (table.changes, state)
            self._runs.settle()
            log.info("%d runs come from the snapshot %s, %.0f s old", len(table), self._path, self.age)

    async def write(self) -> None:
        """Write the snapshot, if it would say something else; a failure is logged and counted.

        While the table is read, the index takes no change; those that arrive are taken then.
        """
        await self._runs.thawed()
        state = self._index.state()
        if state is None or self._runs.is_too_large:
            return
        kept = (self._runs.table.changes, state)
        if kept == self._kept:
            return
        try:
            self.bytes = await self._write(state)
        except (OSError, SnapshotError) as error:
            self.failures += 1
            log.warning("the snapshot %s cannot be written: %s", self._path, error)
        else:
            self._kept = kept

    async def _run(self) -> None:
        await self.restore()
        async with self._index.running():
            await self._keep()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            if self.is_due():
                try:
                    await self.write()
                except Exception:  # the next one may be written
                    self.failures += 1
                    log.exception("the snapshot %s cannot be written", self._path)

    def is_due(self) -> bool:
        """Whether a run has changed; or the snapshot, which says when MLflow was last asked, falls behind."""
        state = self._index.state()
        if state is None or self._kept is None:
            return state is not None
        changes, before = self._kept
        return changes != self._runs.table.changes or state.synced_ms - before.synced_ms > _MOST_BEHIND

    async def _write_last(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self.write()
        except TimeoutError:
            log.warning("the snapshot %s is not written: %.0f s were too short", self._path, self._patience)

    async def _write(self, state: SyncState) -> int:
        subject = self._subject
        stamp = Stamp(mlflow=subject.mlflow, experiments=subject.experiments, synced_ms=state.synced_ms)
        return await written_while_frozen(
            self._runs,
            (_STATE, msgspec.msgpack.encode(state)),
            self._since(),
            lambda sections, is_wanted: write_snapshot(self._path, stamp, sections, is_wanted),
        )

    def _read(self, since: float) -> tuple[RunTable, SyncState]:
        subject = self._subject
        snapshot = read_snapshot(
            self._path,
            mlflow=subject.mlflow,
            experiments=subject.experiments,
            now_ms=self._now(),
            max_age=subject.max_age,
            max_bytes=subject.max_bytes,
        )
        state = msgspec.msgpack.decode(snapshot.sections.pop(_STATE), type=SyncState)
        self.bytes = sum(map(len, snapshot.sections.values()))
        table = table_of(snapshot.sections, since)
        if table.bytes_used > subject.max_bytes:
            raise SnapshotError(
                f"holds runs of {table.bytes_used:,} bytes, which is more than the index may take"
            )
        return table, state

    def _since(self) -> float:
        """Seconds from 1970 to when the clock began."""
        return self._now() / 1_000 - self._clock()
