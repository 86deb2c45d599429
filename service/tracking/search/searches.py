"""Runs that match a search: from the index where it has them all, else from MLflow where it can say it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final, TypeVar

import msgspec

from service.answer import Answer, combine
from service.errors import FieldError, IndexNotReady, IndexTooLarge, InvalidRequest
from service.tracking.questions import GetExperiment, RunPage, SearchRuns
from service.tracking.runs import Run
from service.tracking.search.expressions import Comparison, Expression
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.paging import MlflowPage, start_of_groups, start_of_page, token_of_mlflow
from service.tracking.search.queries import (
    START_TIME,
    FacetValue,
    FieldPage,
    FieldSearch,
    Group,
    Grouping,
    IndexStatus,
    Order,
    RunIndex,
    RunSearch,
    SearchPage,
)
from service.tracking.search.tokens import token_of_groups, token_of_search
from service.tracking.source import Source

T = TypeVar("T")
State = tuple[object, ...]  # compared by identity
Conditions = tuple[Comparison, ...]

EXPORT_LIMIT: Final = 100_000  # runs that are answered in a row at most

_NEWEST_FIRST: Final = (Order(START_TIME, descending=True),)
# MLflow has these as columns of a run. By a metric it takes minutes to sort 100,000 runs, and a worker is
# busy all that time.
_SORTED_BY_MLFLOW: Final = frozenset(
    {"run_id", "run_name", "status", "user_id", "artifact_uri", "start_time", "end_time"}
)
_PER_EXPORTED_PAGE: Final = 1_000
_NO_RUNS: Final = IndexStatus(complete=True, runs=0)
_UNREAD: Final = IndexStatus(complete=False, runs=0, share_read=0.0)
_UNCOUNTED: Final = "MLflow was asked, which does not count, since the index does not hold all runs yet"
_NEVER_COUNTED: Final = "MLflow was asked, which does not count, since no index holds these runs"


class FoundRuns(msgspec.Struct, frozen=True, gc=False):
    """A page of the runs that match. total: of all pages; None where MLflow was asked, and `reason` says why.

    facets: in the order asked for. next_page_token: None on the last page.
    """

    runs: tuple[Run, ...]
    total: int | None
    reason: str | None
    next_page_token: str | None
    facets: tuple[tuple[FacetValue, ...], ...]
    index: IndexStatus


class FoundGroups(msgspec.Struct, frozen=True, gc=False):
    """A page of the groups of runs that match. total: groups of all pages."""

    groups: tuple[Group, ...]
    total: int
    next_page_token: str | None
    index: IndexStatus


class RunSearches:
    """The searches of the API.

    index: None where it is switched off. source: MLflow, remembered. experiment_name: the experiment that is
    searched where a search names none. conditions_of: a filter in MLflow's own grammar, None where it cannot
    be said there.
    """

    def __init__(
        self,
        index: RunIndex | None,
        source: Source,
        experiment_name: str,
        conditions_of: Callable[[Expression], Conditions | None],
    ) -> None:
        self._index = index
        self._source = source
        self._experiment_name = experiment_name
        self._conditions_of = conditions_of

    async def experiment_ids(self, named: tuple[str, ...]) -> Answer[tuple[str, ...]]:
        """The experiments to search: those named, else the default one; none where it does not exist."""
        if named:
            return Answer(named)
        experiment = await self._source.answer(GetExperiment(self._experiment_name))
        if experiment.value is None or not experiment.value.is_active:
            return combine((), [experiment])
        return _with(experiment, (experiment.value.experiment_id,))

    async def state(self, experiment_ids: tuple[str, ...]) -> Answer[State] | None:
        """What answers of the index are made of, as old as they are: others as soon as an answer is another.

        None where the index does not have all runs.
        """
        index = self._index
        if index is None or not experiment_ids or not index.covers(experiment_ids):
            return None
        reading = await self._reading(index, experiment_ids)
        status = index.status(experiment_ids)
        return _with(reading, (index.version, status.synced_ms, status.swept_ms))

    def must_cover(self, experiment_ids: tuple[str, ...], place: str, part: str) -> None:
        """Refuse what only the index can answer where it has not all runs of these experiments.

        part: which parameter asks for it. InvalidRequest where the index never will have them; IndexNotReady
        or IndexTooLarge.
        """
        if not self._covers(experiment_ids):
            raise self._no_index(experiment_ids, [part], place)

    async def search(self, search: RunSearch, page_token: str, place: str) -> Answer[FoundRuns]:
        """A page of runs. page_token: "" for the first page. place: where the search stands, for errors.

        InvalidRequest where the token is not one of this search, or where nothing will ever answer it;
        IndexNotReady where the index will, and UpstreamFailure where MLflow was asked in its place.
        """
        if not search.experiment_ids:
            return Answer(FoundRuns((), 0, None, None, ((),) * len(search.facets), _NO_RUNS))
        start = start_of_page(search, page_token, f"{place}.page_token")
        if isinstance(start, MlflowPage):  # a walk over pages ends where it began
            return await self._ask_mlflow(search, start, place)
        search = msgspec.structs.replace(search, after=start)
        if not self._covers(search.experiment_ids):
            return await self._ask_mlflow(search, MlflowPage(""), place)
        answer = await self._the_index(search.experiment_ids).search(search)
        return _with(answer, _found(search, answer.value))

    async def groups(
        self, grouping: Grouping, page_token: str, place: str = "query", part: str = "by"
    ) -> Answer[FoundGroups]:
        """A page of groups. As `search`, but that MLflow cannot answer it: part is what it cannot."""
        if not grouping.experiment_ids:
            return Answer(FoundGroups((), 0, None, _NO_RUNS))
        after = start_of_groups(grouping, page_token, f"{place}.page_token")
        self.must_cover(grouping.experiment_ids, place, part)
        grouping = msgspec.structs.replace(grouping, after=after)
        answer = await self._the_index(grouping.experiment_ids).groups(grouping)
        found = answer.value
        token = None if found.next is None else token_of_groups(grouping, found.next)
        return _with(answer, FoundGroups(found.groups, found.total, token, found.index))

    async def fields(self, asked: FieldSearch, place: str = "query") -> Answer[FieldPage]:
        """The fields of runs. As `groups`: MLflow cannot answer it."""
        if not asked.experiment_ids:
            return Answer(FieldPage((), dict.fromkeys(asked.kinds, 0), 0, _NO_RUNS))
        if not self._covers(asked.experiment_ids):
            raise self._no_index(asked.experiment_ids, ["filter"], place)
        return await self._the_index(asked.experiment_ids).fields(asked)

    async def every(
        self, search: RunSearch, place: str, part: str = "filter", at_once: int | None = None
    ) -> AsyncIterator[FoundRuns]:
        """All pages, up to EXPORT_LIMIT runs; at least one.

        As `search`, but only of the index: part is what MLflow cannot answer. at_once: runs of a page, None
        for those of an export.
        """
        if not search.experiment_ids:
            yield (await self.search(search, "", place)).value
            return
        left = EXPORT_LIMIT
        while True:
            self.must_cover(search.experiment_ids, place, part)
            search = msgspec.structs.replace(search, page_size=min(left, at_once or _PER_EXPORTED_PAGE))
            page = (await self._the_index(search.experiment_ids).search(search)).value
            yield _found(search, page)
            left -= len(page.runs)
            if not left or page.next is None:
                return
            search = msgspec.structs.replace(search, after=page.next)  # whole, which no token would be

    async def _reading(self, index: RunIndex, experiment_ids: tuple[str, ...]) -> Answer[None]:
        return index.reading(experiment_ids)

    def _covers(self, experiment_ids: tuple[str, ...]) -> bool:
        return self._index is not None and self._index.covers(experiment_ids)

    def _the_index(self, experiment_ids: tuple[str, ...]) -> RunIndex:
        """The index, which is to be asked only where it covers the experiments."""
        if self._index is None:
            raise LookupError(f"no index has the runs of {experiment_ids}")
        return self._index

    async def _ask_mlflow(self, search: RunSearch, start: MlflowPage, place: str) -> Answer[FoundRuns]:
        conditions = () if search.filter is None else self._conditions_of(search.filter)
        beyond = [] if conditions is not None else ["filter"]
        if any(not _is_sorted_by_mlflow(order) for order in search.order):
            beyond.append("order_by")
        if search.facets:
            beyond.append("facets")
        if search.after is not None:
            beyond.append("page_token")
        if beyond or conditions is None:
            raise self._no_index(search.experiment_ids, beyond, place)
        order = () if search.order == _NEWEST_FIRST else _distinct(search.order)
        question = SearchRuns(search.experiment_ids, conditions, order, search.page_size, start.token)
        answer: Answer[RunPage] = await self._source.answer(question)
        page = answer.value
        token = token_of_mlflow(search, page.next_page_token) if page.next_page_token else None
        index, reason = _UNREAD, _NEVER_COUNTED
        if self._index is not None and self._index.follows(search.experiment_ids):
            index, reason = self._index.status(search.experiment_ids), _UNCOUNTED
        index = msgspec.structs.replace(index, complete=False)
        return _with(answer, FoundRuns(page.runs, None, reason, token, (), index))

    def _no_index(self, experiment_ids: tuple[str, ...], parts: list[str], place: str) -> Exception:
        """Why these parts of a request cannot be answered: because of the settings, or only for now."""
        index = self._index
        if index is not None and index.is_too_large:
            return IndexTooLarge()
        if index is not None and index.follows(experiment_ids):
            return IndexNotReady(index.status(experiment_ids).share_read)
        which = "of this service is switched off (TRACKING_INDEX__ENABLED)"
        if index is not None:
            which = f"does not hold {_named(experiment_ids)} (TRACKING_INDEX__EXPERIMENTS)"
        message = f"MLflow cannot answer this, and the index {which}; its operator can change that"
        return InvalidRequest([FieldError(f"{place}.{part}", message) for part in parts])


class AnewSearches(RunSearches):
    """The same for callers who want MLflow's own word: new and active runs are looked for before.

    source: one that asks MLflow, whatever is remembered.
    """

    async def _reading(self, index: RunIndex, experiment_ids: tuple[str, ...]) -> Answer[None]:
        return await index.refresh(experiment_ids)


def _found(search: RunSearch, page: SearchPage) -> FoundRuns:
    token = None if page.next is None else token_of_search(search, page.next)
    return FoundRuns(page.runs, page.total, None, token, page.facets, page.index)


def _is_sorted_by_mlflow(order: Order) -> bool:
    operand = order.operand
    return (
        isinstance(operand, Field)
        and operand.kind is FieldKind.ATTRIBUTE
        and operand.key in _SORTED_BY_MLFLOW
    )


def _distinct(order: tuple[Order, ...]) -> tuple[tuple[str, bool], ...]:
    """An order for MLflow, which fails where a field comes twice."""
    directions: dict[str, bool] = {}
    for one in order:
        directions.setdefault(str(one.operand), one.descending)
    return tuple(directions.items())


def _with(answer: Answer[object], value: T) -> Answer[T]:
    return msgspec.structs.replace(answer, value=value)  # type: ignore[arg-type] # another value


def _named(experiment_ids: tuple[str, ...]) -> str:
    return f"experiment{'s' * (len(experiment_ids) > 1)} {', '.join(experiment_ids)}"
