"""Looks for runs that are new, active, or have just ended."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import msgspec

from service.index.asking import MOST_IDS, Asking
from service.index.indexed_runs import IndexedRuns
from service.index.windows import END, START, Walk, active, newest, next_mark, since, times_of
from service.tracking.questions import RunPage
from service.tracking.runs import Run
from service.tracking.search.fields import Field

_MOST_ACTIVE = 50  # active runs that a tick reads, the newest: others are read each minute
_SELDOM = 10.0  # seconds between two calls that hardly ever bring anything


class Marks(msgspec.Struct):
    """Up to where ticks have read, in Unix epoch milliseconds; None where no tick has been made.

    start: runs that started later are read again. end: and those that ended later.
    """

    start: int | None = None
    end: int | None = None


class Ticks:
    """Ticks over the experiments that are indexed: two calls, and each ten seconds a third.

    A run that is new is either active or has ended since the last tick, so that the runs that started since
    need not be asked for each time: that finds those whose end time is no guide. Where no run is known to be
    active, it is the active ones that are not asked for each time: that finds those that go on after they
    had ended. now: in Unix epoch milliseconds. has_more_active: whether there are more than a tick reads.
    """

    def __init__(
        self, asking: Asking, runs: IndexedRuns, clock: Callable[[], float], now: Callable[[], int]
    ) -> None:
        self._asking = asking
        self._runs = runs
        self._clock = clock
        self._now = now
        self._looked = {"active": -inf, "start": -inf}
        self.marks = Marks()
        self.has_more_active = False

    async def tick(self, *, is_idle: bool) -> None:
        """Look once. is_idle: nobody searches, so the active runs can wait until somebody does."""
        began, experiment_ids = self._clock(), self._runs.experiment_ids
        has_active = bool(self._runs.table.active_ids()) or began - self._looked["active"] >= _SELDOM
        page = None if is_idle or not has_active else await self._active(experiment_ids)
        self.marks.end = await self._since(self.marks.end, END, experiment_ids, is_idle=is_idle)
        if page is None or began - self._looked["start"] >= _SELDOM:
            self.marks.start = await self._since(self.marks.start, START, experiment_ids, is_idle=is_idle)
            self._looked["start"] = began
        if page is not None:
            await self._verify_active(page, began)
            self._looked["active"] = began

    async def _active(self, experiment_ids: tuple[str, ...]) -> RunPage:
        page = (await self._asking.page(active(experiment_ids, _MOST_ACTIVE))).page
        self.has_more_active = bool(page.next_page_token)
        return page

    async def _verify_active(self, page: RunPage, began: float) -> None:
        """Ask for the runs that were active and have not come, neither as active nor as ended."""
        oldest = min((run.start_time or 0 for run in page.runs), default=0)
        last = float(oldest) if self.has_more_active else -inf  # a double, as the index keeps the others
        unseen = self._runs.asked_before(self._runs.table.active_ids(), began)
        known = [run for run_id in unseen if (run := self._runs.table.run(run_id)) is not None]
        missing = [run.run_id for run in known if (run.start_time or 0) > last]
        if missing:
            await self._asking.verify_in_parts(tuple(missing[:MOST_IDS]))
            self._asking.doubt(missing[MOST_IDS:])

    async def _since(
        self, mark: int | None, field: Field, experiment_ids: tuple[str, ...], *, is_idle: bool
    ) -> int | None:
        """Read what started or ended since a mark; the next mark."""
        now = self._now()
        if mark is None:
            page = (await self._asking.page(newest(experiment_ids, field, now))).page
            return next_mark(None, times_of(page.runs, field), now)
        walk = Walk(experiment_ids, self._clock(), now, since(field, mark, now))
        runs: list[Run] = []
        while not walk.is_done:
            runs += await self._asking.walk(walk)
            if is_idle and not walk.is_done:  # one call a minute: the next ones find the rest
                return mark
        return next_mark(mark, times_of(runs, field), now)
