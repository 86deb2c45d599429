"""What callers can ask for: the use cases, over whatever source they are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, cast

from service.answer import Answer, combine
from service.errors import RunsNotFound
from service.tracking.comparison import Comparison, compare
from service.tracking.directions import Directions
from service.tracking.questions import GetExperiment, GetRun, ListExperiments, ListRuns, Question
from service.tracking.runs import Experiment, Place, Run, is_experiment_id, is_run_id
from service.tracking.source import Source

T = TypeVar("T")


class TrackingQueries:
    """The questions of the API. experiment_name: the experiment whose runs are listed."""

    def __init__(self, source: Source, experiment_name: str, directions: Directions) -> None:
        self._source = source
        self._experiment_name = experiment_name
        self._directions = directions

    async def answer(self, question: Question[T]) -> Answer[T]:
        """The answer to a question as the source gives it, for what needs no more than that."""
        return await self._source.answer(question)

    async def several(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        """The answers to several questions, asked at once, in their order."""
        return await self._source.answer_many(questions)

    async def runs(
        self,
        *,
        run_type: str | None,
        strategy_id: str | None,
        limit: int,
        experiment_id: str | None = None,
        after: Place | None = None,
    ) -> Answer[tuple[Run, ...]]:
        """The newest runs of an experiment, and one more than the limit where there are more.

        Of the default experiment where experiment_id is None; none where it does not exist (any more).
        """
        if experiment_id is not None:
            if not is_experiment_id(experiment_id):
                return Answer(())
            return await self._source.answer(ListRuns(experiment_id, run_type, strategy_id, limit + 1, after))
        experiment = await self._source.answer(GetExperiment(self._experiment_name))
        if experiment.value is None or not experiment.value.is_active:
            return combine((), [experiment])
        question = ListRuns(experiment.value.experiment_id, run_type, strategy_id, limit + 1, after)
        return (await self._source.answer(question)).after(experiment)

    async def run(self, run_id: str) -> Answer[Run | None]:
        """One run; None where MLflow says that it does not exist, or allows no run of such an id."""
        if not is_run_id(run_id):
            return Answer(None)
        return await self._source.answer(GetRun(run_id))

    async def together(self, questions: Sequence[GetRun]) -> Answer[tuple[Run, ...]]:
        """Several runs, read at once; RunsNotFound names all that MLflow does not know."""
        answer = await self._source.answer_together(questions)
        if not all(answer.value):
            pairs = zip(questions, answer.value, strict=True)
            raise RunsNotFound([question.run_id for question, run in pairs if run is None])
        return cast("Answer[tuple[Run, ...]]", answer)

    def compare(self, runs: Sequence[Run]) -> Comparison:
        """What differs between runs, and which is best by each metric."""
        return compare(runs, self._directions)

    async def experiments(self) -> Answer[tuple[Experiment, ...]]:
        """Every active experiment, oldest first."""
        return await self._source.answer(ListExperiments())
