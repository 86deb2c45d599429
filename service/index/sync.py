"""Keeps the index in step with MLflow, one step after another."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from service.checkpoint import checkpoint
from service.errors import UpstreamFailure, UpstreamNotAsked
from service.index.asking import MOST_IDS, Asking
from service.index.indexed_runs import IndexedRuns
from service.index.journal import Journal, OwnJournal
from service.index.records import Enter, HaveRead, Leave, Staleness
from service.index.schedule import Pace, Schedule, Step
from service.index.scope import Scope
from service.index.shared.log import Deposed
from service.index.shared.progress import Progress
from service.index.ticks import Marks, Ticks
from service.index.walks import Walks
from service.index.windows import Walk
from service.tracking.runs import Experiment
from service.tracking.source import Source

log = logging.getLogger("service.index")

_MOST_SHOWN = 1_000  # rows that wait to be verified
_IS_FAILING = 3  # failed attempts in a row
_IS_STALE = 2  # failed ticks in a row


class Sync:
    """The steps that keep the index in step with MLflow, in the order of the schedule.

    runs: the index. source: MLflow, without a memory. experiments: where experiments are asked for, which may
    remember. scope: which ones are indexed. clock: seconds, monotonic. now: Unix epoch milliseconds.

    alone: to be held while a step is made. told: what another replica says that makes the steps for this one;
    None where none does. synced: when the last tick began, by the clock. synced_ms: the same in Unix epoch
    milliseconds. swept_at, swept_ms: by the id of each experiment whose runs have all been read: since when
    all of them have been looked at. seconds: that MLflow took, by step. steps: by step and outcome, "done",
    "failed" or "held_back".
    """

    def __init__(
        self,
        runs: IndexedRuns,
        source: Source,
        experiments: Source,
        scope: Scope,
        pace: Pace,
        clock: Callable[[], float],
        now: Callable[[], int],
    ) -> None:
        self.runs = runs
        self._experiments = experiments
        self._scope = scope
        self._clock = clock
        self._now = now
        self.schedule = Schedule(pace)
        self._asking = Asking(source, runs, OwnJournal(runs), self._spent, clock)
        self._ticks = Ticks(self._asking, runs, clock, now)
        self._step = Step.SCOPE
        self._walks = Walks(self._asking, runs, clock, now)
        self._created: dict[str, int | None] = {}
        self._reads: list[tuple[str, ...]] = []
        self._shown: dict[str, None] = {}
        self.alone = asyncio.Lock()
        self.told: Progress | None = None
        self.synced: float | None = None
        self.synced_ms: int | None = None
        self.swept_at: dict[str, float] = {}
        self.swept_ms: dict[str, int] = {}
        self.seconds = dict.fromkeys(Step, 0.0)
        self.steps: Counter[tuple[Step, str]] = Counter()

    @property
    def journal(self) -> Journal:
        """Takes what changes the index."""
        return self._asking.journal

    @journal.setter
    def journal(self, journal: Journal) -> None:
        self._asking.journal = journal

    @property
    def marks(self) -> Marks:
        """Up to where ticks have read."""
        return self._ticks.marks

    @marks.setter
    def marks(self, marks: Marks) -> None:
        self._ticks.marks = marks

    @property
    def swept(self) -> float | None:
        """Since when every run has been looked at, by the clock; None before that."""
        return min(self.swept_at.values(), default=None)

    @property
    def is_complete(self) -> bool:
        """Whether every run of every experiment has been read, of which there may be none."""
        if self.told is not None:
            return self.told.is_complete
        if self.schedule.is_reading:
            return False
        is_empty = self.steps[Step.SCOPE, "done"] > 0 and not self.runs.experiment_ids
        return self.synced is not None or is_empty

    @property
    def is_failing(self) -> bool:
        """Whether a step has failed several times in a row."""
        if self.told is not None:
            return self.told.is_failing
        return any(one.failures >= _IS_FAILING for one in self.schedule.rounds.values())

    def restore(self, marks: Marks, synced_ms: int, swept_ms: Mapping[str, int]) -> None:
        """Begin from what a snapshot says, whose runs the index has."""
        now, now_ms = self._clock(), self._now()
        self._ticks.marks = marks
        self.synced_ms, self.synced = synced_ms, now - max(now_ms - synced_ms, 0) / 1000
        self.swept_ms = dict(swept_ms)
        self.swept_at = {key: now - max(now_ms - time, 0) / 1000 for key, time in swept_ms.items()}
        self.schedule.has_experiments = bool(self.runs.experiment_ids)

    def show(self, run_ids: list[str]) -> None:
        """Let rows that were shown be verified."""
        self._shown.update(dict.fromkeys(run_ids[: _MOST_SHOWN - len(self._shown)]))
        self.schedule.has_shown = bool(self._shown)

    def share_read(self, experiment_ids: tuple[str, ...]) -> float:
        """How much of these experiments has been read for the first time, 0.0 to 1.0, by time."""
        if all(one in self.swept_ms for one in experiment_ids):
            return 1.0
        reading, share = self.reading
        return share if set(reading) & set(experiment_ids) else 0.0

    @property
    def reading(self) -> tuple[tuple[str, ...], float]:
        """Which experiments are being read for the first time, and how much of them has been, 0.0 to 1.0."""
        if self.told is not None:
            return self.told.reading, self.told.share
        return self._walks.share_read(self._created)

    def resume(self) -> None:
        """Go on from what is known; to be called with `alone` held.

        What had been begun is begun anew: experiments that were not read to the end, too.
        """
        self.told = None
        self._walks.forget(*Step)
        self._asking.doubts.clear()
        self._shown.clear()
        unread = tuple(one for one in self.runs.experiment_ids if one not in self.swept_ms)
        self._reads = [unread] if unread else []
        self.schedule.begin_anew()
        self.schedule.has_experiments = bool(self.runs.experiment_ids)
        self.schedule.is_reading = bool(self._reads)

    async def step(self) -> float:
        """Make the step that is due, if one is; the seconds until the next one may be. Deposed."""
        async with self.alone:
            now = self._clock()
            step, at = self.schedule.next(now)
            if step is None:
                return at - now
            try:
                await self._make(step)
            except Deposed:
                raise
            except UpstreamFailure as error:
                log.info("%s: the index is not brought up to date: %s", step, error.cause or error)
            except Exception:
                log.exception("%s: the index is not brought up to date", step)
            return 0.0

    async def tick(self) -> None:
        """Make a tick, whether it is due or not; to be called with `alone` held. UpstreamFailure, Deposed."""
        if not self.runs.experiment_ids:
            await self._make(Step.SCOPE)
        if self.runs.experiment_ids:
            await self._make(Step.TICK)

    async def _make(self, step: Step) -> None:
        self._step, own = step, self.schedule.rounds[step]
        own.begin(self._clock())
        try:
            is_over = await self._steps[step](self)
        except UpstreamNotAsked as error:
            own.fail(self._clock(), was_asked=False, retry_after=error.retry_after)
            self.steps[step, "held_back"] += 1
            raise
        except Deposed:  # it will be made by another replica, or again by this one
            raise
        except Exception as error:
            own.fail(self._clock(), was_asked=True, retry_after=getattr(error, "retry_after", 0))
            self.steps[step, "failed"] += 1
            raise
        else:
            own.failures = 0
        finally:
            await self._log_staleness()
        self.steps[step, "done"] += 1
        if is_over:
            own.end()
        await checkpoint()

    async def _log_staleness(self) -> None:
        is_stale = self.schedule.rounds[Step.TICK].failures >= _IS_STALE
        if is_stale != (self.runs.changes.staleness is not None):
            await self.journal.write([Staleness(is_stale, self.synced_ms)])

    def _spent(self, seconds: float) -> None:
        self.seconds[self._step] += seconds
        self.schedule.spend(self._step, self._clock(), seconds)

    async def _look(self) -> bool:
        experiments, seconds = await self._scope.look(self._experiments)
        self._spent(seconds)
        self._created = {one.experiment_id: one.creation_time for one in experiments}
        before = self.runs.experiment_ids
        present = tuple(sorted(one.experiment_id for one in experiments))
        await self._leave(tuple(one for one in before if one not in present))
        await self._enter([one for one in experiments if one.experiment_id not in before])
        self.schedule.has_experiments = bool(self.runs.experiment_ids)
        self.schedule.is_reading = bool(self._reads)
        return True

    async def _enter(self, experiments: list[Experiment]) -> None:
        """New experiments are read together, once those are read that came before."""
        if not experiments:
            return
        new = tuple(sorted(one.experiment_id for one in experiments))
        await self.journal.write([Enter(new)])
        self._reads.append(new)

    async def _leave(self, gone: tuple[str, ...]) -> None:
        if not gone:
            return
        await self.journal.write([Leave(gone, self._clock())])
        for one in gone:
            self.swept_ms.pop(one, None)
            self.swept_at.pop(one, None)
        left = [tuple(one for one in ids if one not in gone) for ids in self._reads]
        if self._reads and left[0] != self._reads[0]:
            self._walks.forget(Step.FIRST)
        self._reads = [ids for ids in left if ids]
        self._walks.forget(Step.SWEEP)

    async def _tick(self) -> bool:
        began, began_ms = self._clock(), self._now()
        await self._ticks.tick(is_idle=not self.schedule.is_in_use(began))
        self.schedule.has_active = self._ticks.has_more_active
        self.synced, self.synced_ms = began, began_ms
        self.runs.touch()
        return True

    async def _verify_shown(self) -> bool:
        chosen = tuple(self._shown)[:MOST_IDS]
        await self._asking.verify_in_parts(chosen)
        for run_id in chosen:
            del self._shown[run_id]
        self.schedule.has_shown = bool(self._shown)
        return True

    async def _read_first(self) -> bool:
        ids = self._reads[0]
        walk = await self._walks.first(ids)
        if walk is None:
            return False
        await self.journal.write([HaveRead(walk.experiment_ids)])
        self._have_read(walk)
        self._reads.pop(0)
        self.schedule.is_reading = bool(self._reads)
        self.runs.settle()
        log.info("every run of %d experiments has been read: %d runs", len(ids), len(self.runs.table))
        return True

    async def _sweep(self) -> bool:
        walk = await self._walks.sweep()
        if walk is not None:
            self._have_read(walk)
        return walk is not None

    def _have_read(self, walk: Walk) -> None:
        self.swept_ms |= dict.fromkeys(walk.experiment_ids, walk.began_ms)
        self.swept_at |= dict.fromkeys(walk.experiment_ids, walk.began)
        self.runs.touch()

    _steps: Mapping[Step, Callable[[Sync], Awaitable[bool]]] = {
        Step.SCOPE: _look,
        Step.TICK: _tick,
        Step.SHOWN: _verify_shown,
        Step.HOUR: lambda self: self._walks.ended(Step.HOUR),
        Step.DAY: lambda self: self._walks.ended(Step.DAY),
        Step.ACTIVE: lambda self: self._walks.active(),
        Step.FIRST: _read_first,
        Step.SWEEP: _sweep,
    }
