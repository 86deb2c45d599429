"""How runs are read in windows of start_time, and which ones a tick reads. Pure: times are handed in.

MLflow's page tokens are offsets: they shift when runs come and go. So the next page is asked for as the runs
that started no later than the last one of the page before, which comes again. Only inside one millisecond
that has more runs than a page is the token used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, nextafter
from typing import Final

import msgspec

from service.errors import UpstreamError
from service.tracking.questions import RunPage, SearchRuns
from service.tracking.runs import TERMINAL, Run
from service.tracking.search.expressions import Comparison, Operator
from service.tracking.search.fields import Field, FieldKind

START: Final = Field(FieldKind.ATTRIBUTE, "start_time")
END: Final = Field(FieldKind.ATTRIBUTE, "end_time")
_STATUS: Final = Field(FieldKind.ATTRIBUTE, "status")
_RUN_ID: Final = Field(FieldKind.ATTRIBUTE, "run_id")

ACTIVE: Final = tuple(Comparison(_STATUS, Operator.NE, status) for status in sorted(TERMINAL))
AGAIN: Final = 10  # runs that a tick reads again at most, to find those that arrive late
_OVERLAP: Final = 15 * 60_000  # milliseconds that their clocks may be late, where there are fewer
_EARLIEST: Final = -(2**63)  # of the times that MLflow can keep
_SOON = 1.0  # seconds of MLflow for a page at most, about
_QUICK = 0.4  # seconds of MLflow below which a page may be larger
_FIRST_SIZE = 200
_LARGEST = 1_000


class PageSize:
    """How many runs a page may have, so that no call takes MLflow longer than about a second."""

    def __init__(self) -> None:
        self.runs = _FIRST_SIZE

    def took(self, seconds: float, runs: int) -> None:
        """A page of so many runs took MLflow so long."""
        if seconds > _SOON:
            self.halve()
        elif seconds < _QUICK and runs >= self.runs:
            self.runs = min(self.runs * 2, _LARGEST)

    def halve(self) -> None:
        """A page was too much."""
        self.runs = max(self.runs // 2, 1)


class Window(msgspec.Struct, frozen=True):
    """Runs that started at `lo` or later and before `hi`, in Unix epoch milliseconds: all of them have come.

    since: when the first of them was asked for, in seconds of the monotonic clock.
    """

    lo: float
    hi: float
    since: float


class Walk(msgspec.Struct):
    """A way through all runs of some experiments that meet the conditions, newest first.

    began: in seconds of the monotonic clock. began_ms: the same moment in Unix epoch milliseconds. upto: the
    latest start_time of the next page. token: MLflow's, inside one millisecond. hi: what started before has
    not come yet. since: when the first page of the window was asked for that is not complete yet.
    """

    experiment_ids: tuple[str, ...]
    began: float
    began_ms: int
    conditions: tuple[Comparison, ...] = ()
    upto: int | None = None
    token: str = ""
    hi: float = inf
    since: float | None = None
    is_done: bool = False

    def question(self, limit: int) -> SearchRuns:
        """What to ask next."""
        conditions = self.conditions
        if self.upto is not None:
            conditions = (*conditions, Comparison(START, Operator.LE, self.upto))
        return SearchRuns(self.experiment_ids, conditions, limit=limit, page_token=self.token)

    def take(self, page: RunPage, asked: float) -> Window | None:
        """Go on behind a page that came; the window that is complete now. asked: when it was asked for.

        UpstreamError where the server does not search as MLflow does.
        """
        self.since = asked if self.since is None else self.since
        starts = [run.start_time for run in page.runs if run.start_time is not None]
        self._refuse_disorder(starts)
        if not page.next_page_token:
            self.is_done = True
            return self._down_to(-inf)
        if not starts or starts[-1] == self.upto:
            self.token = page.next_page_token
            return None
        last = self.upto = starts[-1]
        self.token = ""
        lo = _above(last)
        if lo == self.hi:
            return None
        window = self._down_to(lo)
        # This page brought runs between both already, which belong to the next window.
        self.since = asked if lo > last + 1 else None
        return window

    def _down_to(self, lo: float) -> Window:
        window = Window(lo, self.hi, self.since or 0.0)
        self.hi, self.since = lo, None
        return window

    def _refuse_disorder(self, starts: Sequence[int]) -> None:
        first = inf if self.upto is None else self.upto
        if any(later > earlier for earlier, later in zip([first, *starts], starts, strict=False)):
            raise UpstreamError("runs/search does not bring runs by start_time, newest first, as MLflow does")


def _above(time: int) -> float:
    """The next double, as the index keeps times, that stands for later ones alone: from 2^53 on it is far."""
    return max(float(time) + 1, nextafter(time, inf))


def after(field: Field, mark: int) -> Comparison:
    """That a run started or ended after a mark, in Unix epoch milliseconds."""
    return Comparison(field, Operator.GT, mark)


def _by(field: Field, now_ms: int) -> Comparison:
    """Times that are further ahead are a clock's error, or made up: ticks leave them to the other steps."""
    return Comparison(field, Operator.LE, now_ms + _OVERLAP)


def by_ids(experiment_ids: tuple[str, ...], run_ids: tuple[str, ...]) -> SearchRuns:
    """The question for these runs."""
    return SearchRuns(
        experiment_ids, (Comparison(_RUN_ID, Operator.IN, run_ids),), limit=max(len(run_ids), 1)
    )


def active(experiment_ids: tuple[str, ...], limit: int) -> SearchRuns:
    """The question for the newest runs that have not ended."""
    return SearchRuns(experiment_ids, ACTIVE, limit=limit)


def since(field: Field, mark: int, now_ms: int) -> tuple[Comparison, ...]:
    """That a run started or ended after a mark, and not too far in the future. Unix epoch milliseconds."""
    return after(field, mark), _by(field, now_ms)


def newest(experiment_ids: tuple[str, ...], field: Field, now_ms: int) -> SearchRuns:
    """The question for the runs that a tick starts from, where it has no mark yet."""
    order = () if field == START else ((str(field), True),)
    return SearchRuns(experiment_ids, (_by(field, now_ms),), order, limit=AGAIN)


def next_mark(mark: int | None, times: Iterable[int | None], now_ms: int) -> int | None:
    """The mark after which the next tick reads, given the times of all runs that came after the last one.

    Some of them are read again, since clocks differ and answers overtake each other: those of the last
    quarter of an hour, ten at most; where more than ten share a time, as imported runs do, none of those.
    A mark is an int64, as the times are that MLflow compares with it.
    """
    known = sorted((time for time in times if time is not None and time <= now_ms + _OVERLAP), reverse=True)
    if not known:
        return mark
    new = known[0] - _OVERLAP
    if len(known) >= AGAIN:
        last = known[AGAIN - 1]
        new = max(new, last - (known.count(last) <= AGAIN))
    return max(_EARLIEST if mark is None else mark, new)


def times_of(runs: Iterable[Run], field: Field) -> list[int | None]:
    """When runs started or ended."""
    return [run.start_time if field == START else run.end_time for run in runs]
