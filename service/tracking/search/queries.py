"""What a search asks for and what it answers, and what an index of runs has to be able to. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from service.answer import Answer
from service.tracking.directions import Direction
from service.tracking.runs import Run
from service.tracking.search.cuts import CutText
from service.tracking.search.expressions import Expression, Scalar
from service.tracking.search.fields import Field, FieldKind, Operand

START_TIME: Final = Field(FieldKind.ATTRIBUTE, "start_time")
Placed = Scalar | CutText | None  # a value in a position: None where it is missing
FIELD_KINDS: Final[tuple[FieldKind, ...]] = (
    FieldKind.ATTRIBUTE,
    FieldKind.PARAM,
    FieldKind.METRIC,
    FieldKind.TAG,
)


class Order(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """One key of a sort order. NaN comes after all numbers and what is missing last, in both directions.

    Ties are broken by the next key, in the end by start_time, newest first, and then by run_id, ascending.
    """

    operand: Operand
    descending: bool = False


class Position(msgspec.Struct, frozen=True, gc=False):
    """Where a page ends: the values of its last run by each key of the order, its start_time and its run_id.

    A value is None where the run lacks it, and a long text may be cut. Where no run has the whole text any
    more, the page begins before all texts that start as it did: it may show again what was shown before.
    """

    values: tuple[Placed, ...]
    start_time: int | None
    run_id: str


class Selection(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Which metrics, params and tags of a run are wanted; None for all of that kind."""

    metrics: frozenset[str] | None = None
    params: frozenset[str] | None = None
    tags: frozenset[str] | None = None


class RunSearch(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A search. filter: None for all runs. after: None for the first page. facets: counted over all hits."""

    experiment_ids: tuple[str, ...]
    filter: Expression | None = None
    order: tuple[Order, ...] = (Order(START_TIME, descending=True),)
    page_size: int = 50
    after: Position | None = None
    facets: tuple[Field, ...] = ()
    selection: Selection = Selection()


class IndexStatus(msgspec.Struct, frozen=True, gc=False):
    """How fresh an index is. Times are Unix epoch milliseconds, None where that has not happened yet.

    complete: whether every run has been read. runs: in the index, of the experiments that were asked for.
    synced_ms: when new and active runs were last looked for. swept_ms: since when every run has been looked
    at.
    share_read: of the first read, 0.0 to 1.0, about; 1.0 once it is complete.
    """

    complete: bool
    runs: int
    synced_ms: int | None = None
    swept_ms: int | None = None
    share_read: float = 1.0


class FacetValue(msgspec.Struct, frozen=True, gc=False):
    """A value of a field, and how many hits have it; None counts the hits that lack it."""

    value: Scalar | None
    count: int


class SearchPage(msgspec.Struct, frozen=True, gc=False):
    """The hits of one page in order, all the hits' number, and where the next page starts: None on the last.

    total: None where only MLflow was asked, which does not count. facets: in the order asked for, the most
    frequent value first.
    """

    runs: tuple[Run, ...]
    total: int | None
    next: Position | None
    facets: tuple[tuple[FacetValue, ...], ...]
    index: IndexStatus


class GroupOrder(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """What groups are sorted by. statistic: of the metric, a field of MetricSummary.

    Without a metric it is "runs", "first_start_time", "last_start_time" or "key". None comes last; ties are
    broken by the key.
    """

    statistic: str = "runs"
    metric: str | None = None
    descending: bool = True


class Grouping(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Runs by the values of one to three fields. metrics: by name, the direction in which each is better.

    after: the key of the last group of the page before, with the value that it was sorted by.
    """

    experiment_ids: tuple[str, ...]
    by: tuple[Field, ...]
    metrics: tuple[tuple[str, Direction], ...] = ()
    filter: Expression | None = None
    order: GroupOrder = GroupOrder()
    page_size: int = 50
    after: GroupPosition | None = None


class GroupPosition(msgspec.Struct, frozen=True, gc=False):
    """Where a page of groups ends: the last group's key, and the value that it was sorted by.

    Texts are cut as those of a Position.
    """

    key: tuple[Placed, ...]
    value: Placed | tuple[Placed, ...]


class MetricSummary(msgspec.Struct, frozen=True, gc=False):
    """A metric over the runs of a group that have a finite value of it.

    n: their number. missing: the other runs. sd: the sample's, None below two. ci_low, ci_high: the 95 %
    confidence interval of the mean by Student's t, None below two. best_run_id: by the metric's direction;
    the newest of several.
    """

    n: int
    missing: int
    mean: float | None
    sd: float | None
    min: float | None
    max: float | None
    ci_low: float | None
    ci_high: float | None
    best_run_id: str | None


class Group(msgspec.Struct, frozen=True, gc=False):
    """The runs that share a key. statuses: how many runs have each status. Times: Unix epoch milliseconds."""

    key: tuple[Scalar | None, ...]
    runs: int
    statuses: Mapping[str, int]
    first_start_time: int | None
    last_start_time: int | None
    metrics: Mapping[str, MetricSummary]


class GroupPage(msgspec.Struct, frozen=True, gc=False):
    """The groups of one page in order, all the groups' number, and where the next page starts."""

    groups: tuple[Group, ...]
    total: int
    next: GroupPosition | None
    index: IndexStatus


class FieldSearch(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """The fields of the runs that match a filter, None for all runs.

    kinds: which, in the order of the answer. contains: in the field's name, in small letters, whatever the
    name's; "" for all. limit: of each kind at most so many, those that most runs have, then by key.
    """

    experiment_ids: tuple[str, ...]
    filter: Expression | None = None
    kinds: tuple[FieldKind, ...] = FIELD_KINDS
    contains: str = ""
    limit: int = 1_000


class FieldSummary(msgspec.Struct, frozen=True, gc=False):
    """A field over the runs that match and have it: `runs` many; a metric that is NaN is one that is there.

    distinct: different texts; None for numbers, and for artifact_uri. is_numeric: of parameters and tags,
    whether number(…) reads every text as a number; None else. low, high: of the finite numbers; None for what
    are none.
    """

    field: Field
    runs: int
    distinct: int | None = None
    is_numeric: bool | None = None
    low: float | None = None
    high: float | None = None


class FieldPage(msgspec.Struct, frozen=True, gc=False):
    """Fields of runs. counts: of each kind all fields, listed or not. total: runs that match."""

    fields: tuple[FieldSummary, ...]
    counts: Mapping[FieldKind, int]
    total: int
    index: IndexStatus


class RunIndex(Protocol):
    """All runs of the experiments that are indexed, held in memory.

    An answer's age is in seconds since new and active runs were last looked for.
    """

    def covers(self, experiment_ids: tuple[str, ...]) -> bool:
        """Whether every run of these experiments has been read, so that it can be searched."""
        ...

    def follows(self, experiment_ids: tuple[str, ...]) -> bool:
        """Whether these experiments are indexed, so that `covers` is true of them sooner or later."""
        ...

    def status(self, experiment_ids: tuple[str, ...]) -> IndexStatus:
        """How far the index is with these experiments."""
        ...

    def reading(self, experiment_ids: tuple[str, ...]) -> Answer[None]:
        """What an answer about these experiments would say of its age and origin now."""
        ...

    async def refresh(self, experiment_ids: tuple[str, ...]) -> Answer[None]:
        """The same, once new and active runs have been looked for after the call. UpstreamFailure."""
        ...

    @property
    def version(self) -> object:
        """An object that is another one as soon as an answer may be another one."""
        ...

    @property
    def is_too_large(self) -> bool:
        """Whether there are more runs than it may hold, so that it covers no experiment any more."""
        ...

    async def search(self, search: RunSearch) -> Answer[SearchPage]:
        """A page of the runs that match."""
        ...

    async def groups(self, grouping: Grouping) -> Answer[GroupPage]:
        """A page of groups of the runs that match."""
        ...

    async def fields(self, asked: FieldSearch) -> Answer[FieldPage]:
        """The fields of the runs that match."""
        ...
