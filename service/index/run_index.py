"""The index of runs that is searched, and kept in step with MLflow meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal

import msgspec

from service.answer import Answer, Origin
from service.context import DEADLINE
from service.errors import IndexNotReady, IndexTooLarge, UpstreamTimeout
from service.index.indexed_runs import IndexedRuns
from service.index.schedule import Pace
from service.index.scope import Scope
from service.index.sync import Sync
from service.index.table import RunTable
from service.index.ticks import Marks
from service.index.upkeep import OwnUpkeep, Upkeep
from service.tracking.runs import Run
from service.tracking.search.queries import (
    FieldPage,
    FieldSearch,
    Grouping,
    GroupPage,
    IndexStatus,
    RunIndex,
    RunSearch,
    SearchPage,
)
from service.tracking.source import Source

Condition = Literal["reading", "complete", "too_large", "failing"]


class SyncState(msgspec.Struct, frozen=True):
    """What a snapshot keeps beside the runs; times are Unix epoch milliseconds.

    synced_ms: when the last tick began. swept_ms: by the id of each experiment whose runs have all been read:
    since when they have been looked at. marks: up to where ticks have read.
    """

    synced_ms: int
    swept_ms: Mapping[str, int]
    marks: Marks


class SyncedIndex(RunIndex):
    """All runs of some experiments, as MLflow had them some seconds ago. Searched while `running()`.

    runs: the index, which is fed by all that passes. source: MLflow, without a memory. experiments: where
    experiments are asked for, which may remember. names: of the experiments that are indexed; `*` alone means
    all. clock: seconds, monotonic. now: Unix epoch milliseconds.

    own: keeps the index in step by itself. upkeep: who does so: another one may take its place.
    """

    def __init__(
        self,
        runs: IndexedRuns,
        source: Source,
        experiments: Source,
        names: Sequence[str],
        pace: Pace = Pace(),  # noqa: B008 - it is frozen
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.sync = Sync(runs, source, experiments, Scope(names), pace, clock, now)
        self._runs = runs
        self._ttl = {True: pace.terminal_ttl, False: pace.active_ttl}
        self._clock = clock
        self.own = OwnUpkeep(self.sync, runs, clock)
        self.upkeep: Upkeep = self.own

    def running(self) -> AbstractAsyncContextManager[None]:
        """Keep the index in step with MLflow for as long as the context lasts."""
        return self.own.running()

    async def run(self) -> None:
        """Make one step after another, until there are too many runs."""
        await self.own.run()

    def covers(self, experiment_ids: tuple[str, ...]) -> bool:
        return not self._runs.is_too_large and all(one in self.sync.swept_ms for one in experiment_ids)

    def follows(self, experiment_ids: tuple[str, ...]) -> bool:
        return not self._runs.is_too_large and all(one in self._runs.experiment_ids for one in experiment_ids)

    def status(self, experiment_ids: tuple[str, ...]) -> IndexStatus:
        swept = [self.sync.swept_ms.get(one) for one in experiment_ids]
        known = [one for one in swept if one is not None]
        return IndexStatus(
            complete=self.covers(experiment_ids),
            runs=self._runs.table.count(experiment_ids),
            synced_ms=self.sync.synced_ms,
            swept_ms=min(known) if known and len(known) == len(swept) else None,
            share_read=self.sync.share_read(experiment_ids),
        )

    def reading(self, experiment_ids: tuple[str, ...]) -> Answer[None]:  # noqa: ARG002 - all are of one age
        self.upkeep.searched()
        return Answer(None, self.age, Origin.HIT)

    async def refresh(self, experiment_ids: tuple[str, ...]) -> Answer[None]:  # noqa: ARG002 - all at once
        """The age of an answer once there was a tick that began after the call. UpstreamFailure."""
        self.upkeep.searched()
        began = self._clock()
        try:
            async with asyncio.timeout_at(DEADLINE.get()):
                await self.upkeep.tick()
        except TimeoutError as error:
            raise UpstreamTimeout("the request's deadline passed") from error
        return Answer(None, self.age, Origin.FORCED, self._clock() - began)

    @property
    def version(self) -> object:
        return self._runs.version

    @property
    def is_too_large(self) -> bool:
        return self._runs.is_too_large

    async def search(self, search: RunSearch) -> Answer[SearchPage]:
        """A page of the runs that match; IndexNotReady, IndexTooLarge."""
        self._must_cover(search.experiment_ids)
        age, status = self.age, self.status(search.experiment_ids)
        hits = await self._runs.engine.search(search)
        self._show(hits.runs)
        page = SearchPage(hits.runs, hits.total, hits.next, hits.facets, status)
        return Answer(page, age, Origin.HIT)

    async def groups(self, grouping: Grouping) -> Answer[GroupPage]:
        """A page of groups of the runs that match; IndexNotReady, IndexTooLarge."""
        self._must_cover(grouping.experiment_ids)
        age, status = self.age, self.status(grouping.experiment_ids)
        groups = await self._runs.engine.groups(grouping)
        return Answer(GroupPage(groups.groups, groups.total, groups.next, status), age, Origin.HIT)

    async def fields(self, asked: FieldSearch) -> Answer[FieldPage]:
        """The fields of the runs that match; IndexNotReady, IndexTooLarge."""
        self._must_cover(asked.experiment_ids)
        age, status = self.age, self.status(asked.experiment_ids)
        hits = await self._runs.engine.fields(asked)
        return Answer(FieldPage(*hits, status), age, Origin.HIT)

    @property
    def condition(self) -> Condition:
        """The state of the index in a word."""
        if self._runs.is_too_large:
            return "too_large"
        if self.sync.is_failing:
            return "failing"
        return "complete" if self.sync.is_complete else "reading"

    @property
    def age(self) -> float:
        """Seconds since the last tick began; 0.0 before there was one."""
        return 0.0 if self.sync.synced is None else max(self._clock() - self.sync.synced, 0.0)

    @property
    def swept_age(self) -> float | None:
        """Seconds since when every run has been looked at; None before that."""
        return None if self.sync.swept is None else max(self._clock() - self.sync.swept, 0.0)

    @property
    def table(self) -> RunTable:
        """The runs."""
        return self._runs.table

    def state(self) -> SyncState | None:
        """What a snapshot keeps beside the runs; None before every run has been read."""
        sync = self.sync
        experiment_ids = self._runs.experiment_ids
        if sync.synced_ms is None or not experiment_ids or not sync.swept_ms.keys() >= set(experiment_ids):
            return None
        marks = Marks(sync.marks.start, sync.marks.end)
        return SyncState(sync.synced_ms, dict(sync.swept_ms), marks)

    def restore(self, table: RunTable, state: SyncState) -> None:
        """Begin from a snapshot, before the index runs. The times of the table are of the index's clock."""
        self._runs.replace_table(table, tuple(sorted(state.swept_ms)))
        self.sync.restore(state.marks, state.synced_ms, state.swept_ms)

    def _must_cover(self, experiment_ids: tuple[str, ...]) -> None:
        self.upkeep.searched()
        if self._runs.is_too_large:
            raise IndexTooLarge
        if not self.covers(experiment_ids):
            raise IndexNotReady(self.sync.share_read(experiment_ids))

    def _show(self, runs: Sequence[Run]) -> None:
        now, table = self._clock(), self._runs.table
        old: dict[float, list[str]] = {}
        for run in runs:
            before = now - self._ttl[run.is_terminal]
            if (table.asked_of(run.run_id) or now) < before:
                old.setdefault(before, []).append(run.run_id)
        for before, run_ids in old.items():
            self.upkeep.show(run_ids, before)
