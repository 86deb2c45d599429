"""What the replica that writes a shared index does beside the steps: it reports, and heeds wishes."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from math import inf

from service.errors import StoreFailed, UpstreamError, UpstreamFailure
from service.index.indexed_runs import IndexedRuns
from service.index.shared.handover import progress_of
from service.index.shared.log import Deposed, SharedLog
from service.index.shared.progress import Progress, Tick, encode, failure_of
from service.index.shared.roles import Kept, is_snapshot_due
from service.index.shared.snapshot import SharedSnapshot
from service.index.shared.wishes import Lost, MakeTick, Searched, Verify, decode
from service.index.snapshot import SnapshotError
from service.index.upkeep import OwnUpkeep, behind_callers

log = logging.getLogger("service.index")

_TICKS_KEPT = 50  # that were wished for


class Writing:
    """The words of the replica that writes, and what it does for others.

    own: makes the steps. clock: seconds, monotonic. overtaken: the number that another replica has of this
    epoch, where this one has less: the log is an older one. snapshots, snapshot_bytes: how many were put, and
    the size of the last one.
    """

    def __init__(
        self,
        own: OwnUpkeep,
        runs: IndexedRuns,
        shared: SharedLog,
        snapshot: SharedSnapshot,
        clock: Callable[[], float],
    ) -> None:
        self._own = own
        self._sync = own.sync
        self._runs = runs
        self._log = shared
        self._snapshot = snapshot
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._tokens: list[str] = []
        self._made: deque[Tick] = deque(maxlen=_TICKS_KEPT)
        self.snapshots = self.snapshot_bytes = 0
        self.begin("", None)

    def begin(self, epoch: str, snapshot: int | None) -> None:
        """This replica writes from now on, a log of this epoch, of which the store has this snapshot."""
        self._epoch = epoch
        self._told: Progress | None = None
        self._kept = Kept(snapshot, -inf if snapshot is None else self._clock())
        self._is_wished = False
        self.overtaken = 0
        self._was_reading = self._sync.schedule.is_reading
        self._putting: asyncio.Task[None] | None = None

    def see(self, snapshot: int | None) -> None:
        """The store has this snapshot, or none: it may lose what was put."""
        if self._putting is None:
            self._kept = Kept(snapshot, self._kept.at)

    async def report(self) -> None:
        """Say how far the index is, and put a snapshot where one is due. Deposed; StoreFailed."""
        is_reading = self._sync.schedule.is_reading
        self._is_wished |= self._was_reading and not is_reading
        self._was_reading = is_reading
        progress = progress_of(self._sync, self._log.now() - self._clock(), self._made)
        if progress != self._told:
            await self._log.tell(self._epoch, encode(progress))
            self._told = progress
        now = self._clock()
        if self._putting is None and is_snapshot_due(
            self._kept, progress.number, now, is_wished=self._is_wished
        ):
            self._is_wished = False
            self._kept = Kept(self._kept.number, now)
            self._putting = self._behind(self._put(self._epoch))

    def heed(self, data: bytes) -> None:
        """Do what a replica wishes; what is no wish is left alone."""
        try:
            wish = decode(data)
        except ValueError:
            log.warning("the store has a wish of %d bytes that cannot be read", len(data))
            return
        match wish:
            case Searched():
                self._own.searched()
            case Verify(run_ids, before):
                self._verify(run_ids, before - (self._log.now() - self._clock()))
            case MakeTick(token):
                self._make_tick(token)
            case Lost(epoch, number):
                self._is_wished = True
                self._own.wake()
                if epoch == self._epoch and number > self._runs.changes.last:
                    self.overtaken = number

    async def end(self) -> None:
        """Give up what was begun for others."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until all is done that was begun for others."""
        while self._tasks:
            # Unlike gather, which from Python 3.12 on does not let the loop go on where all have ended.
            await asyncio.wait(self._tasks)

    def _verify(self, run_ids: tuple[str, ...], before: float) -> None:
        old = [one for one in run_ids if (self._runs.table.asked_of(one) or -inf) <= before]
        if old:
            self._own.show(old, before)

    def _make_tick(self, token: str) -> None:
        if token in self._tokens or any(token == one.token for one in self._made):
            return
        self._tokens.append(token)
        if len(self._tokens) == 1:
            self._behind(self._make_ticks())

    async def _make_ticks(self) -> None:
        """A tick for all who wished for one before it begins, until nobody does."""
        while self._tokens:
            tokens = tuple(self._tokens)
            failure = None
            try:
                await self._own.tick()
            except UpstreamFailure as error:
                failure = failure_of(error)
            except Deposed:
                self._tokens.clear()  # who waits wishes it from another one
                return
            except Exception as error:
                log.exception("a tick is not made")
                failure = failure_of(UpstreamError(str(error)))
            self._made.extend(Tick(token, failure) for token in tokens)
            del self._tokens[: len(tokens)]
            self._own.wake()  # so that it is reported

    async def _put(self, epoch: str) -> None:
        try:
            await self._runs.thawed()
            progress = progress_of(self._sync, self._log.now() - self._clock())
            self.snapshot_bytes = await self._snapshot.put(epoch, progress)
        except (StoreFailed, Deposed, SnapshotError) as error:
            log.warning("the snapshot of the shared index is not put: %s", error)
        except Exception:
            log.exception("the snapshot of the shared index is not put")
        else:
            self.snapshots += 1
            if epoch == self._epoch:
                self._kept = Kept(progress.number, self._kept.at)
        finally:
            if epoch == self._epoch:
                self._putting = None

    def _behind(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, context=behind_callers())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
