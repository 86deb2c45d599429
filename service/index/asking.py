"""Asks MLflow for runs, puts what comes into the index, and counts what it cost MLflow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from service.errors import UpstreamNotAsked, UpstreamRefused, UpstreamTimeout, UpstreamTooLarge
from service.index.indexed_runs import IndexedRuns
from service.index.journal import Journal
from service.index.records import Drop, Put, of_experiment
from service.index.windows import PageSize, Walk, by_ids
from service.tracking.questions import GetRun, RunPage, SearchRuns
from service.tracking.runs import Run
from service.tracking.source import Source

MOST_IDS: Final = 100  # runs that one call asks for by their ids
_ONE_BY_ONE = 5  # runs that are asked for each by itself, at once


class Arrival(NamedTuple):
    """A page, when it was asked for, by the clock, and the seconds that MLflow took for it."""

    page: RunPage
    asked: float
    seconds: float


class Asking:
    """Asks one source for runs, page by page.

    runs: the index. journal: takes what changes it; another one may take its place. spent: is told of the
    seconds that MLflow took for each call. clock: seconds, monotonic. size: of a page.
    doubts: ids of runs that should have come and did not, in batches of which each is asked for by one call.
    """

    def __init__(
        self,
        source: Source,
        runs: IndexedRuns,
        journal: Journal,
        spent: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self._source = source
        self._runs = runs
        self.journal = journal
        self._spent = spent
        self._clock = clock
        self.size = PageSize()
        self.doubts: deque[tuple[str, ...]] = deque()

    async def page(self, question: SearchRuns) -> Arrival:
        """A page, whose runs are in the index by then."""
        asked = self._clock()
        try:
            page = (await self._source.answer(question)).value
        except UpstreamNotAsked:
            raise
        except BaseException:
            self._spent(self._clock() - asked)
            raise
        seconds = page.seconds or self._clock() - asked
        self._spent(seconds)
        complete = of_experiment(question.experiment_ids)
        await self.journal.write([Put(complete(run), asked) for run in page.runs])
        return Arrival(page, asked, seconds)

    async def walk(self, walk: Walk) -> tuple[Run, ...]:
        """The runs of the next page; runs of the index that should have come and did not are doubts then."""
        try:
            page, asked, seconds = await self.page(walk.question(self.size.runs))
        except (UpstreamTooLarge, UpstreamTimeout):
            self.size.halve()
            raise
        self.size.took(seconds, len(page.runs) + page.unreadable)
        window = walk.take(page, asked)
        if window is not None and not walk.conditions:
            known = self._runs.table.known_between(walk.experiment_ids, window.lo, window.hi)
            self.doubt(self._runs.asked_before(known, window.since))
        return page.runs

    def doubt(self, run_ids: Sequence[str]) -> None:
        """Let these runs be asked for by their ids."""
        for start in range(0, len(run_ids), MOST_IDS):
            self.doubts.append(tuple(run_ids[start : start + MOST_IDS]))

    async def settle(self) -> None:
        """Ask for one batch of doubts; it stays where that fails, and for less where it was too much."""
        run_ids = self.doubts.popleft()
        try:
            await self.verify(run_ids)
        except BaseException as error:
            half = len(run_ids) // 2
            if half and isinstance(error, UpstreamTooLarge | UpstreamTimeout):
                self.doubts.extendleft((run_ids[:half], run_ids[half:]))
            else:
                self.doubts.appendleft(run_ids)
            raise

    async def verify(self, run_ids: tuple[str, ...]) -> None:
        """Ask for runs by their ids; those that are not there any more are dropped.

        Of the runs of a page that cannot be read MLflow's client says only how many they are. Where they are
        some of those that are missing, the missing ones are asked for by halves, until it is clear which.
        """
        try:
            page, asked, _ = await self.page(by_ids(self._runs.experiment_ids, run_ids))
        except UpstreamRefused:
            await self._verify_one_by_one(run_ids)
            return
        present = {run.run_id for run in page.runs}
        absent = tuple(run_id for run_id in run_ids if run_id not in present)
        if not page.unreadable:
            await self.journal.write([Drop(run_id, asked) for run_id in absent])
        elif len(absent) > page.unreadable:
            half = len(absent) // 2
            self.doubts.extend((absent[:half], absent[half:]))

    async def verify_in_parts(self, run_ids: tuple[str, ...]) -> None:
        """The same; where they are too much for one call, halves of them are doubts then."""
        try:
            await self.verify(run_ids)
        except (UpstreamTooLarge, UpstreamTimeout):
            half = len(run_ids) // 2
            if not half:
                raise
            self.doubts.extend((run_ids[:half], run_ids[half:]))

    async def _verify_one_by_one(self, run_ids: tuple[str, ...]) -> None:
        """The same, of a server that does not search for ids."""
        first, rest = run_ids[:_ONE_BY_ONE], run_ids[_ONE_BY_ONE:]
        asked = self._clock()
        answers = await self._source.answer_many([GetRun(run_id) for run_id in first])
        self._spent(self._clock() - asked)
        await self.journal.write(
            [
                Drop(run_id, asked)
                if answer.value is None or answer.value.is_deleted
                else Put(answer.value, asked)
                for run_id, answer in zip(first, answers, strict=True)
            ]
        )
        if rest:
            self.doubts.append(rest)
