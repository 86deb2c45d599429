"""What queries read through. MlflowClient is one source, a store around it another, tests have a third."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Generic, Protocol, TypeVar

import msgspec

from service.tracking.runs import Experiment, Run, RunQuestion

T_co = TypeVar("T_co", covariant=True)


# Whether nobody waits for what is asked: a renewal behind a caller's back, which gives way to callers.
IS_RENEWAL: ContextVar[bool] = ContextVar("is_renewal", default=False)
# When the caller gives up, by the event loop's clock, in seconds; None for never.
PATIENCE_ENDS: ContextVar[float | None] = ContextVar("patience_ends", default=None)
# The caller's place in a trace, as the headers of W3C's Trace Context; None where it is in none.
TRACE: ContextVar[Mapping[str, str] | None] = ContextVar("trace", default=None)


class Reading(msgspec.Struct, Generic[T_co], frozen=True):
    """A value, how old it is, and how it was come by.

    age: seconds since it arrived from MLflow, 0.0 when it was fetched for this very question.
    cache: the parameters of a Cache-Status header (RFC 9211), "fwd=miss" when MLflow was asked.
    waited: seconds that the question waited for MLflow.
    """

    value: T_co
    age: float = 0.0
    cache: str = "fwd=miss"
    waited: float = 0.0


class RunSource(Protocol):
    """Where runs and experiments come from.

    Every method raises UpstreamFailure when MLflow cannot be asked or understood; what does not exist is
    None, and only ever because MLflow says so.
    """

    async def run(self, run_id: str) -> Reading[Run | None]:
        """The run of this id, deleted ones included."""
        ...

    async def runs(
        self, run_ids: Sequence[str], experiment_id: str | None
    ) -> Reading[tuple[Run | None, ...]]:
        """Several runs at once, each as `run` would bring it, in the order asked for.

        experiment_id: where most of them are likely to be, if that is known. The age is the oldest run's,
        and so is the word on where it came from.
        """
        ...

    async def search(self, question: RunQuestion) -> Reading[tuple[Run, ...]]:
        """The active runs that the question asks for, newest start first, run id as the tie-break."""
        ...

    async def experiment(self, name: str) -> Reading[Experiment | None]:
        """The experiment of this name, deleted ones included."""
        ...

    async def experiments(self) -> Reading[tuple[Experiment, ...]]:
        """Every active experiment, oldest first."""
        ...
