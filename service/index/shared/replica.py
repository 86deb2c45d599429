"""A replica of an index that several share: one of them asks MLflow, and all apply what it learns."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from secrets import token_hex

from msgspec.structs import replace

from service.errors import StoreFailed
from service.index import records as records_
from service.index.indexed_runs import IndexedRuns
from service.index.journal import NoJournal, OwnJournal, SharedJournal, follow
from service.index.run_index import SyncedIndex
from service.index.shared import progress as progress_
from service.index.shared.handover import follow_progress
from service.index.shared.log import Deposed, Head, LogGap, News, SharedLog
from service.index.shared.progress import Progress, Tick
from service.index.shared.roles import Move, Role, Sight, Stand, next_move
from service.index.shared.snapshot import Begin, SharedSnapshot
from service.index.shared.writing import Writing
from service.index.snapshot import SnapshotError
from service.index.snapshot_keeper import Subject
from service.tracking.events import EventName, SyncChange

log = logging.getLogger("service.index")

_STORE_PAUSE = 0.1  # seconds after the store did not answer
_OWN_PAUSE = 0.05  # seconds after it told a replica what that one wrote itself


async def _nothing() -> None:
    pass


class Replica:
    """One of the replicas that share an index through a log: looks at the log, and makes the next move.

    index, runs: of this replica. shared: the log. subject: what the index is of. clock: seconds, monotonic,
    as the index has it. now: Unix epoch milliseconds. restore: lets the index begin from what this replica
    keeps elsewhere, where the store has nothing. sleep: waits for seconds.

    role: what it is to the others. replicas: how many there are, as was last seen. followed: how many records
    of others it has applied. ticks_made: is told which ticks the one that writes has made. role_changed: is
    told of each change. seen: is set after each look.
    """

    def __init__(
        self,
        index: SyncedIndex,
        runs: IndexedRuns,
        shared: SharedLog,
        subject: Subject,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        *,
        restore: Callable[[], Awaitable[None]] = _nothing,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.index = index
        self.runs = runs
        self.shared = shared
        self._sync = index.sync
        self._pace = index.sync.schedule.pace
        self._clock = clock
        self._sleep = sleep
        self._restore = restore
        self._snapshot = SharedSnapshot(runs, shared, subject, clock, now)
        self.writing = Writing(index.own, runs, shared, self._snapshot, clock)
        self._sync.journal = NoJournal()
        self.role = Role.STARTING
        self.replicas = 1
        self.followed = 0
        self.ticks_made: Callable[[Sequence[Tick]], object] = lambda _: None
        self.role_changed: Callable[[], object] = lambda: None
        self._epoch = ""  # of the log that this replica is in step with
        self._in_step = clock()
        self._progress: Progress | None = None  # of records that have not come yet
        self._sight: Sight | None = None
        self._looking = asyncio.Lock()
        self.seen = asyncio.Event()

    @property
    def ahead(self) -> float:
        """Seconds that the store's clock is before the one of the index."""
        return self.shared.now() - self._clock()

    @property
    def last(self) -> int:
        """The number of the last record that it has; 0 where it is in step with no log."""
        return self.runs.changes.last if self._epoch else 0

    async def look(self) -> None:
        """Look at the log, and get or prolong the lease to write it."""
        async with self._looking:
            if self.runs.is_too_large:
                await self.resign()
                return
            last = max(self.last, self.writing.overtaken if self.role is Role.WRITING else 0)
            try:
                head = await self.shared.lead()
            except StoreFailed:
                self._sight = Sight(None, last)
            else:
                self._sight = Sight(head, last)
                if self.role is Role.WRITING and head.epoch == self._epoch:
                    self.writing.see(head.snapshot)
                elif not self._epoch:
                    await self._snapshot.ask()
                self.replicas = max(head.replicas, 1)
        self.seen.set()

    async def resign(self) -> None:
        """Let another replica write, if this one does."""
        if self.role is Role.WRITING:
            self._follow_others()
        with suppress(StoreFailed):
            await self.shared.resign()

    async def move(self, wait: float = 0.0) -> bool:
        """Make the next move; False where there is none before the next look.

        wait: seconds that are waited for what others write, at most.
        """
        is_complete = self._sync.is_complete
        stand = Stand(self.role, self._epoch, self.last, self._in_step, is_complete, self._snapshot.refused)
        move = Move.WAIT if self.runs.is_too_large else next_move(stand, self._sight, self._clock())
        try:
            match move:
                case Move.BEGIN:
                    await self._begin()
                case Move.LOAD:
                    await self._load()
                case Move.READ:
                    await self._read(wait)
                case Move.WRITE:
                    await self._write()
                    await self._read(wait)
                case Move.BE_ALONE:
                    await self._be_alone()
                case Move.WAIT:
                    pass
        except StoreFailed:
            await self._sleep(_STORE_PAUSE)
        except Deposed:
            self.be_deposed()
        except LogGap:
            await self._be_lost()
        return move in {Move.BEGIN, Move.LOAD, Move.READ, Move.WRITE} and self._sight is not None

    async def work(self) -> float:
        """Make the step that is due, if this replica makes any; the seconds until the next one may be."""
        if self.role not in {Role.WRITING, Role.ALONE}:
            return 1.0
        try:
            if self.role is Role.WRITING:
                await self.writing.report()
            return await self._sync.step()
        except Deposed:
            self.be_deposed()
            return 0.0
        except StoreFailed:
            return _STORE_PAUSE

    async def _begin(self) -> None:
        """Begin a new epoch, from what this replica has."""
        if self.role is Role.STARTING:
            await self._restore()
        async with self._sync.alone, self._looking:
            epoch = token_hex(4)
            await self.shared.begin(epoch)
            await self.runs.thawed()
            self.runs.changes.begin(epoch, 0, self.runs.changes.staleness, is_shared=True)
            self._enter(epoch)
            self._sight = Sight(Head(epoch, 0, None, is_writer=True, replicas=self.replicas), 0)
            self._take_over(None)
        log.info("the shared index begins anew, with %d runs", len(self.runs.table))
        await self.writing.report()

    async def _load(self) -> None:
        """Begin from the snapshot of the store."""
        sight = self._sight
        try:
            begin = await self._snapshot.get()
        except SnapshotError as error:
            log.warning("the snapshot of the shared index %s", error)
            begin = None
        if begin is not None:
            async with self._sync.alone:
                await self.runs.thawed()
                self._begin_from(begin)
            log.info("%d runs come from the shared index", len(begin.table))
        elif sight is not None and sight.head is not None:
            self._snapshot.refuse(sight.head.epoch, sight.head.snapshot or 0)

    def _begin_from(self, begin: Begin) -> None:
        progress = begin.progress
        staleness = SyncChange(EventName.STALE, progress.stale_ms) if progress.is_stale else None
        self._follow_others()
        self.runs.replace_table(begin.table, progress.experiment_ids, progress.read)
        self.runs.changes.begin(begin.epoch, begin.number, staleness, is_shared=True)
        follow_progress(self._sync, progress, self.ahead)
        self._enter(begin.epoch)
        self.runs.settle()

    async def _read(self, wait: float) -> None:
        """Apply what another replica wrote, or heed what others wish."""
        news = await self.shared.read(self._epoch, self.last, wait)
        if self.role is Role.WRITING:
            for data in news.wishes:
                self.writing.heed(data)
            if news.records:  # which it has just published, and will apply
                await self._sleep(_OWN_PAUSE)
        else:
            await self._apply(news)
        self._in_step = self._clock()

    async def _apply(self, news: News) -> None:
        ahead = self.ahead
        try:
            records = [records_.moved(records_.decode(one.data), -ahead) for one in news.records]
            progress = None if news.progress is None else progress_.decode(news.progress)
        except ValueError as error:
            raise LogGap from error
        if records:
            await follow(self.runs, self._epoch, news.records[0].number - 1, records)
            self.followed += len(records)
        self._progress = progress or self._progress
        if self._progress is not None and self._progress.number <= self.last:
            follow_progress(self._sync, self._progress, ahead)
            self.ticks_made(self._progress.ticks)
            self._progress = None

    async def _write(self) -> None:
        """Go on where the one that wrote before has stopped."""
        if self.role is not Role.WRITING:
            async with self._sync.alone:
                head = None if self._sight is None else self._sight.head
                self._take_over(None if head is None else head.snapshot)
            log.info("this replica keeps the shared index in step with MLflow")

    def _take_over(self, snapshot: int | None) -> None:
        self._sync.journal = SharedJournal(self.runs, self.shared, self._epoch, self._clock, self._sleep)
        self._sync.schedule.pace = self._pace
        self._sync.resume()
        self.writing.begin(self._epoch, snapshot)
        self._be(Role.WRITING)

    async def _be_alone(self) -> None:
        if self.role is Role.ALONE:
            return
        if self.role is Role.STARTING:
            await self._restore()
        async with self._sync.alone:
            await self.runs.thawed()
            self.runs.changes.begin(token_hex(4), 0, self.runs.changes.staleness)
            self._enter("")
            self._sync.journal = OwnJournal(self.runs)
            pace, parts = self._pace, self.replicas
            shares = {"share": pace.share / parts, "first_share": pace.first_share / parts}
            self._sync.schedule.pace = replace(pace, **shares)
            self._sync.resume()
            self._be(Role.ALONE)
        log.warning("the shared index cannot be followed: this replica asks MLflow by itself")

    def be_deposed(self) -> None:
        """Another replica writes, or so it seems: the next look tells."""
        self._follow_others()
        self._sight = None

    async def _be_lost(self) -> None:
        """The log has not what follows, or it cannot be read."""
        self._snapshot.refuse(self._epoch, self.last)
        self._enter("")
        self._follow_others()
        await self._snapshot.ask()

    def _follow_others(self) -> None:
        self._sync.journal = NoJournal()
        self._be(Role.FOLLOWING)

    def _enter(self, epoch: str) -> None:
        self._epoch = epoch
        self._in_step = self._clock()
        self._progress = None

    def _be(self, role: Role) -> None:
        self.role = role
        self.index.own.wake()
        self.role_changed()
