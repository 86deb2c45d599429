"""The snapshot of an index in the store that replicas share: as that of a file, with the progress in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from math import inf
from typing import Final, NamedTuple

from service.errors import StoreFailed
from service.index.indexed_runs import IndexedRuns
from service.index.shared import progress as progress_
from service.index.shared.log import SharedLog
from service.index.shared.progress import Progress
from service.index.shared.wishes import Lost, encode
from service.index.snapshot import VERSION, SnapshotError, Stamp, mlflow_digest, snapshot_bytes, snapshot_in
from service.index.snapshot_columns import table_of
from service.index.snapshot_keeper import Subject
from service.index.snapshot_writing import written_while_frozen
from service.index.table import RunTable

_ASK: Final = 5.0  # seconds between two wishes for a snapshot
_PROGRESS: Final = "progress"
_FORMAT: Final = (
    1  # of records, progress and wishes: another one wherever an older replica would misread them
)


def log_name(subject: Subject) -> str:
    """Tells the log of this MLflow, of these experiments and of this release's format from all others.

    Replicas of different names in one store do not see each other.
    """
    return mlflow_digest(f"{_FORMAT}.{VERSION}", subject.mlflow, *subject.experiments)


class Begin(NamedTuple):
    """What a replica begins from: a table, up to this number of this epoch, and what was said of it then."""

    epoch: str
    number: int
    table: RunTable
    progress: Progress


class SharedSnapshot:
    """Puts snapshots of the runs into a log, and gets them.

    clock: seconds, monotonic, of the table. now: Unix epoch milliseconds.

    refused: the epoch of those that are of no use, and up to which number.
    """

    def __init__(
        self,
        runs: IndexedRuns,
        log: SharedLog,
        subject: Subject,
        clock: Callable[[], float],
        now: Callable[[], int],
    ) -> None:
        self._runs = runs
        self._log = log
        self._subject = subject
        self._clock = clock
        self._now = now
        self._asked = -inf
        self.refused = ("", -1)

    def refuse(self, epoch: str, number: int) -> None:
        """Those of this epoch up to this number are of no use."""
        self.refused = (epoch, number)

    async def ask(self) -> None:
        """Wish for one that is of use, now and then; a wish may be lost."""
        epoch, number = self.refused
        now = self._clock()
        if epoch and now - self._asked >= _ASK:
            self._asked = now
            with suppress(StoreFailed):
                await self._log.wish(encode(Lost(epoch, number)))

    async def put(self, epoch: str, progress: Progress) -> int:
        """Write the table as it is, of which this was said; its bytes.

        StoreFailed, Deposed, SnapshotError.
        """
        stamp = Stamp(
            mlflow=self._subject.mlflow, experiments=self._subject.experiments, synced_ms=self._now()
        )
        data = await written_while_frozen(
            self._runs,
            (_PROGRESS, progress_.encode(progress)),
            self._log.now() - self._clock(),
            lambda sections, is_wanted: snapshot_bytes(stamp, sections, is_wanted),
        )
        await self._log.put_snapshot(epoch, progress.number, data)
        return len(data)

    async def get(self) -> Begin | None:
        """What is there; None where nothing whole is. StoreFailed; SnapshotError where it is of no use."""
        found = await self._log.snapshot()
        if found is None:
            return None
        epoch, number, data = found
        try:
            table, progress = await asyncio.to_thread(self._read, data, self._log.now() - self._clock())
        except SnapshotError:
            raise
        except Exception as error:  # whatever is in it
            raise SnapshotError(f"cannot be understood: {error}") from error
        if progress.number != number:
            raise SnapshotError(f"is of record {progress.number}, and is said to be of {number}")
        return Begin(epoch, number, table, progress)

    def _read(self, data: bytes, since: float) -> tuple[RunTable, Progress]:
        snapshot = snapshot_in(
            BytesIO(data),
            mlflow=self._subject.mlflow,
            experiments=self._subject.experiments,
            now_ms=self._now(),
            max_age=inf,
            max_bytes=self._subject.max_bytes,
        )
        progress = progress_.decode(bytes(snapshot.sections.pop(_PROGRESS)))
        table = table_of(snapshot.sections, since)
        if table.bytes_used > self._subject.max_bytes:
            raise SnapshotError(f"holds runs of {table.bytes_used:,} bytes, more than the index may take")
        return table, progress
