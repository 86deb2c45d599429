"""The runs of the experiments that are indexed, and what happens whenever one of them changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from service.index.change_log import ChangeLog
from service.index.engine import Engine
from service.index.records import Drop, Enter, HaveRead, Leave, Put, Record, Staleness
from service.index.table import RunTable
from service.tracking.events import RunChange
from service.tracking.runs import Run

log = logging.getLogger("service.index")


def _leave_memory() -> None:
    pass


class IndexedRuns:
    """The table of runs, which takes only runs of the experiments that are indexed, and not too many.

    max_bytes: of memory. Above them the table is emptied, once and for all. changes: where each change is
    logged of the experiments that have been read; the first read itself is no news. settle: to be called once
    all runs have been read; what it does about memory is the process's own.
    experiment_ids: of the experiments. read: those of which every run has been read. version: another object
    after each change. engine: searches the table. left_out: how often a run was left out, since it is too
    large to be shared with other replicas.
    """

    def __init__(
        self,
        max_bytes: int,
        changes: ChangeLog | None = None,
        settle: Callable[[], None] = _leave_memory,
    ) -> None:
        self._begin(RunTable())
        self.experiment_ids: tuple[str, ...] = ()
        self.is_too_large = False
        self.left_out = 0
        self._max_bytes = max_bytes
        self.changes = ChangeLog() if changes is None else changes
        self.read: frozenset[str] = frozenset()
        self.settle = settle
        self._held_back: list[Put | Drop] | None = None
        self._thawed = asyncio.Event()
        self._thawed.set()

    def apply(self, record: Record) -> None:
        """Take what changes the runs, or which of them there are."""
        match record:
            case Put(run, asked):
                self.put(run, asked)
            case Drop(run_id, asked):
                self.drop(run_id, asked)
            case Enter(experiment_ids):
                self.experiment_ids = (*self.experiment_ids, *experiment_ids)
            case HaveRead(experiment_ids):
                self.read |= set(experiment_ids)
            case Leave(experiment_ids, asked):
                self._leave(experiment_ids, asked)
            case Staleness(is_stale, since_ms):
                (self.changes.stale if is_stale else self.changes.fresh)(since_ms)

    def is_news(self, record: Record) -> bool:
        """Whether a record would change anything but when a run was asked for, which is noted at once."""
        match record:
            case Put(run, asked):
                is_taken = not self.is_too_large and run.experiment_id in self.experiment_ids
                return is_taken and self.table.is_news(run, asked)
            case Drop(run_id, asked):
                known = self.table.asked_of(run_id)
                return known is not None and known <= asked
            case Staleness(is_stale, _):
                return is_stale != (self.changes.staleness is not None)
            case _:
                return True

    def follow(self, number: int, record: Record) -> None:
        """Take a record that all replicas take, whenever this one last asked for its run.

        number: of the record, and of the change that it is.
        """
        if isinstance(record, Put):
            run_id = record.run.run_id
            record = Put(record.run, max(record.asked, self._last_asked(run_id)))
        elif isinstance(record, Drop):
            record = Drop(record.run_id, max(record.asked, self._last_asked(record.run_id)))
        self.changes.reach(number - 1)
        self.apply(record)
        self.changes.reach(number)

    def _last_asked(self, run_id: str) -> float:
        known = self.table.asked_of(run_id)
        return self.table.drops.asked(run_id) if known is None else known

    def put(self, run: Run, asked: float) -> None:
        """Take a run as it was when it was asked for, in seconds; one of another experiment is ignored."""
        if self.is_too_large or run.experiment_id not in self.experiment_ids:
            return
        if self._held_back is not None:
            self._held_back.append(Put(run, asked))
            return
        change = self.table.put(run, asked)
        if change is not None:
            self._changed(change)
            if change.before is None and self.table.bytes_used > self._max_bytes:
                self._give_up()

    def drop(self, run_id: str, asked: float) -> None:
        """Drop a run that was not there any more when it was asked for."""
        if self._held_back is not None:
            self._held_back.append(Drop(run_id, asked))
        elif (change := self.table.drop(run_id, asked)) is not None:
            self._changed(change)

    def asked_before(self, run_ids: Iterable[str], asked: float) -> list[str]:
        """Those of the runs that have not been asked for since, in seconds."""
        known = ((run_id, self.table.asked_of(run_id)) for run_id in run_ids)
        return [run_id for run_id, time in known if time is not None and time < asked]

    def replace_table(
        self, table: RunTable, experiment_ids: tuple[str, ...], read: tuple[str, ...] | None = None
    ) -> None:
        """Begin with the runs of a snapshot. read: the experiments that it has all runs of; None for all."""
        self._begin(table)
        self.experiment_ids = experiment_ids
        self.read = frozenset(experiment_ids if read is None else read)

    @contextmanager
    def frozen(self) -> Iterator[RunTable]:
        """Let the table stay as it is while the context lasts; what comes meanwhile is taken at its end.

        For one at a time: wait until it is `thawed` before.
        """
        if self._held_back is not None:
            raise RuntimeError("the table is frozen already")
        self._held_back = []
        self._thawed.clear()
        try:
            yield self.table
        finally:
            coming, self._held_back = self._held_back, None
            self._thawed.set()
            for record in coming:
                self.apply(record)

    async def thawed(self) -> None:
        """Wait until the table may change: it may as long as nothing else is waited for."""
        while not self._thawed.is_set():  # whoever waited, too, may have frozen it anew
            await self._thawed.wait()

    def touch(self) -> None:
        """Something that answers say is another than before, be it only how old they are."""
        self.version = object()

    def _begin(self, table: RunTable) -> None:
        self.table = table
        self.engine = Engine(table)
        self.touch()

    def _leave(self, experiment_ids: tuple[str, ...], asked: float) -> None:
        self.experiment_ids = tuple(one for one in self.experiment_ids if one not in experiment_ids)
        self._lose(experiment_ids)
        for run_id in self.table.ids_of(experiment_ids):
            self.drop(run_id, asked)

    def _changed(self, change: RunChange) -> None:
        self.touch()
        if change.run.experiment_id in self.read:
            self.changes.changed(change)

    def _lose(self, experiment_ids: Iterable[str]) -> None:
        lost = self.read.intersection(experiment_ids)
        if lost:
            self.read -= lost
            self.changes.lost(sorted(lost))

    def _give_up(self) -> None:
        log.error(
            "the index takes more than %d bytes for %d runs, so it is switched off until the service is "
            "started again: give it more memory (TRACKING_INDEX__MAX_BYTES), or fewer experiments "
            "(TRACKING_INDEX__EXPERIMENTS)",
            self._max_bytes,
            len(self.table),
        )
        self.is_too_large = True
        self._lose(self.experiment_ids)
        self._begin(RunTable())
