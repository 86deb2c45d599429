"""How many searches are answered by the index and how many by MLflow, and how long that takes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from service.answer import Answer
from service.durations import Durations
from service.telemetry.families import histogram
from service.tracking.questions import Question, SearchRuns
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

T = TypeVar("T")

_BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class QueryTimes:
    """Durations of the queries that were answered, by their kind; what failed is not counted here.

    search, groups, fields: answered by the index. mlflow: a search that was handed to MLflow, or answered
    from what is remembered of that. clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.durations = {kind: Durations(_BOUNDS) for kind in ("search", "groups", "fields", "mlflow")}

    async def timed(self, kind: str, answer: Awaitable[Answer[T]]) -> Answer[T]:
        """The answer, once it is there."""
        began = self._clock()
        answered = await answer
        self.durations[kind].add(self._clock() - began)
        return answered


class TimedIndex(RunIndex):
    """An index whose answers are timed."""

    def __init__(self, index: RunIndex, times: QueryTimes) -> None:
        self._index = index
        self._times = times

    def covers(self, experiment_ids: tuple[str, ...]) -> bool:
        return self._index.covers(experiment_ids)

    def follows(self, experiment_ids: tuple[str, ...]) -> bool:
        return self._index.follows(experiment_ids)

    def status(self, experiment_ids: tuple[str, ...]) -> IndexStatus:
        return self._index.status(experiment_ids)

    def reading(self, experiment_ids: tuple[str, ...]) -> Answer[None]:
        return self._index.reading(experiment_ids)

    async def refresh(self, experiment_ids: tuple[str, ...]) -> Answer[None]:
        return await self._index.refresh(experiment_ids)

    @property
    def is_too_large(self) -> bool:
        return self._index.is_too_large

    @property
    def version(self) -> object:
        return self._index.version

    async def search(self, search: RunSearch) -> Answer[SearchPage]:
        return await self._times.timed("search", self._index.search(search))

    async def groups(self, grouping: Grouping) -> Answer[GroupPage]:
        return await self._times.timed("groups", self._index.groups(grouping))

    async def fields(self, asked: FieldSearch) -> Answer[FieldPage]:
        return await self._times.timed("fields", self._index.fields(asked))


class TimedSource(Source):
    """A source whose answers to searches are timed."""

    def __init__(self, source: Source, times: QueryTimes) -> None:
        self._source = source
        self._times = times

    async def answer(self, question: Question[T]) -> Answer[T]:
        answer = self._source.answer(question)
        return await (self._times.timed("mlflow", answer) if isinstance(question, SearchRuns) else answer)


class QueryCollector(Collector):
    """Collects the times of queries for Prometheus."""

    def __init__(self, times: QueryTimes) -> None:
        self._times = times

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        yield histogram(
            "tracking_query_duration_seconds",
            "Time to find runs, groups of runs or their fields, by what answered: the index, or MLflow.",
            ("kind",),
            (((kind,), durations) for kind, durations in self._times.durations.items()),
        )
