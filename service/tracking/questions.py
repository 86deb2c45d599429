"""The questions that can be asked about MLflow: each is a value, has a type, and is its own cache key.

A question says three things about its answers beside what it asks: how fast they age (`freshness_of`), how
they become bytes (`codec`), and what they are made of (`entities`, `members`). So whoever remembers, shares
or counts answers need not know the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from sys import getsizeof
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from service.tracking.codec import Codec
from service.tracking.entity import Entity
from service.tracking.runs import Experiment, Place, Run
from service.tracking.search.expressions import Comparison

T = TypeVar("T")


class FreshnessClass(Enum):
    """How fast an answer ages. The settings give each class its time to live."""

    ENDED_RUN = auto()
    ACTIVE_RUN = auto()
    RUN_LIST = auto()
    EXPERIMENTS = auto()
    MISSING = auto()  # what does not exist


class Question(msgspec.Struct, Generic[T], frozen=True, gc=False, cache_hash=True):
    """What is asked, with the type of the answer's value. Questions of one kind and equal fields are one.

    codec: how a value becomes bytes and comes back, for a store that replicas share. is_shared: whether its
    answers are worth a place there.
    """

    codec: ClassVar[Codec[Any]]
    is_shared: ClassVar[bool] = True

    def freshness_of(self, value: T) -> FreshnessClass:
        """How fast this answer ages."""
        raise NotImplementedError

    def entities(self, value: T) -> Sequence[Entity]:
        """The entities that the value is made of. Equal ones are one object wherever they are remembered."""
        if value is None:
            return ()
        return value if isinstance(value, tuple) else (value,)  # type: ignore[return-value] # of entities

    def members(self, value: T) -> Sequence[Question[Any]]:
        """Of a tuple: the questions that its elements answer, in their order. () where they answer none."""
        del value
        return ()

    @property
    def size(self) -> int:
        """Bytes of memory that the question takes: its texts may be a caller's, and long."""
        return getsizeof(self) + sum(getsizeof(getattr(self, name)) for name in self.__struct_fields__)


class GetRun(Question[Run | None], frozen=True, gc=False):
    """The run of this id, deleted ones included; None where there is none."""

    run_id: str

    codec: ClassVar[Codec[Any]] = Codec(Run | None)

    def freshness_of(self, value: Run | None) -> FreshnessClass:
        """A run that has ended hardly ever changes any more."""
        if value is None:
            return FreshnessClass.MISSING
        return FreshnessClass.ENDED_RUN if value.is_terminal else FreshnessClass.ACTIVE_RUN


class ListRuns(Question[tuple[Run, ...]], frozen=True, gc=False):
    """The active runs of an experiment, newest start first, run id as the tie-break: at most `limit`.

    run_type and strategy_id ask for runs whose tag of that name is exactly this text; None asks for nothing.
    after: only runs that come after this place in the order; None for all.
    """

    experiment_id: str
    run_type: str | None
    strategy_id: str | None
    limit: int
    after: Place | None = None

    codec: ClassVar[Codec[Any]] = Codec(tuple[Run, ...])

    def freshness_of(self, value: tuple[Run, ...]) -> FreshnessClass:  # noqa: ARG002
        """A list ages as lists do, whatever is in it."""
        return FreshnessClass.RUN_LIST

    def members(self, value: tuple[Run, ...]) -> Sequence[GetRun]:
        """A list of runs answers for each run in it."""
        return [GetRun(run.run_id) for run in value]

    @property
    def tags(self) -> dict[str, str]:
        """The tags that a run must bear, by name."""
        tags = {"run_type": self.run_type, "strategy_id": self.strategy_id}
        return {name: value for name, value in tags.items() if value is not None}

    def asks_for(self, run: Run) -> bool:
        """Whether the run is one of these; one whose experiment the server does not say is taken for it."""
        return (
            not run.is_deleted
            and run.experiment_id in ("", self.experiment_id)
            and all(run.tags.get(name) == value for name, value in self.tags.items())
            and (self.after is None or run.place.rank > self.after.rank)
        )


class RunPage(msgspec.Struct, frozen=True, gc=False):
    """A page of runs as MLflow gives them. next_page_token: "" on the last; it is MLflow's own.

    unreadable: how many more runs the page has that cannot be read. seconds: what MLflow took for it.
    """

    runs: tuple[Run, ...]
    next_page_token: str = ""
    unreadable: int = 0
    seconds: float = 0.0


class SearchRuns(Question[RunPage], frozen=True, gc=False):
    """A page of the active runs that satisfy all conditions, in MLflow's order by these fields.

    conditions: only such as `upstream.conditions` can say in MLflow's grammar. order: a field as it is
    written in a filter, and whether it is descending; () means newest start first. limit: runs of the page at
    most.
    """

    experiment_ids: tuple[str, ...]
    conditions: tuple[Comparison, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    limit: int = 50
    page_token: str = ""

    codec: ClassVar[Codec[Any]] = Codec(RunPage)
    is_shared: ClassVar[bool] = False  # hardly anybody else asks for the same page

    def freshness_of(self, value: RunPage) -> FreshnessClass:  # noqa: ARG002
        """It ages as lists do."""
        return FreshnessClass.RUN_LIST

    def entities(self, value: RunPage) -> Sequence[Entity]:
        """The runs of the page."""
        return value.runs

    @property
    def size(self) -> int:
        """Bytes of memory that the question takes, about."""
        return getsizeof(self) + len(msgspec.json.encode(self)) * 4


class GetExperiment(Question[Experiment | None], frozen=True, gc=False):
    """The experiment of this name, deleted ones included; None where there is none."""

    name: str

    codec: ClassVar[Codec[Any]] = Codec(Experiment | None)

    def freshness_of(self, value: Experiment | None) -> FreshnessClass:
        """Experiments are hardly ever created, renamed or deleted."""
        return FreshnessClass.MISSING if value is None else FreshnessClass.EXPERIMENTS


class ListExperiments(Question[tuple[Experiment, ...]], frozen=True, gc=False):
    """Every active experiment, oldest first."""

    codec: ClassVar[Codec[Any]] = Codec(tuple[Experiment, ...])

    def freshness_of(self, value: tuple[Experiment, ...]) -> FreshnessClass:  # noqa: ARG002
        """The list ages as a single experiment does, even while it is empty."""
        return FreshnessClass.EXPERIMENTS
