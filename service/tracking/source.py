"""What queries read through. MlflowClient is one source, a store around it another, tests have a third."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from service.answer import Answer
from service.tracking.runs import Experiment, Run, RunQuestion


class RunSource(Protocol):
    """Where runs and experiments come from.

    Every method raises UpstreamFailure when MLflow cannot be asked or understood; what does not exist is
    None, and only ever because MLflow says so.
    """

    async def run(self, run_id: str) -> Answer[Run | None]:
        """The run of this id, deleted ones included."""
        ...

    async def runs(self, run_ids: Sequence[str], experiment_id: str | None) -> Answer[tuple[Run | None, ...]]:
        """Several runs at once, each as `run` would bring it, in the order asked for.

        experiment_id: where most of them are likely to be, if that is known. The age is the oldest run's,
        and so is the word on where it came from.
        """
        ...

    async def search(self, question: RunQuestion) -> Answer[tuple[Run, ...]]:
        """The active runs that the question asks for, newest start first, run id as the tie-break."""
        ...

    async def experiment(self, name: str) -> Answer[Experiment | None]:
        """The experiment of this name, deleted ones included."""
        ...

    async def experiments(self) -> Answer[tuple[Experiment, ...]]:
        """Every active experiment, oldest first."""
        ...
