"""Runs, experiments and an honest source of them, all in memory."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from service.answer import Answer
from service.errors import UpstreamError
from service.tracking.questions import GetExperiment, GetRun, ListExperiments, ListRuns, Question
from service.tracking.runs import Experiment, Place, Run
from service.tracking.source import Source

T = TypeVar("T")


def make_run(
    run_id: str = "r",
    *,
    name: str = "n",
    status: str = "FINISHED",
    start_time: int | None = 1,
    end_time: int | None = 2,
    params: Mapping[str, str] | None = None,
    metrics: Mapping[str, float | None] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Run:
    return Run(
        run_id=run_id,
        run_name=name,
        status=status,
        start_time=start_time,
        end_time=end_time,
        artifact_uri=f"s3://bucket/{run_id}",
        params=params or {},
        metrics=metrics or {},
        tags=tags or {},
    )


def make_experiment(experiment_id: str = "0", name: str = "Default", stage: str = "active") -> Experiment:
    return Experiment(experiment_id, name, f"s3://bucket/{experiment_id}", stage)


class RunsInMemory(Source):
    """A source over lists that a test may change; `calls` is what it was asked, `fails` makes it fail."""

    def __init__(self, runs: Iterable[Run] = (), experiments: Iterable[Experiment] = ()) -> None:
        self.stored = list(runs)
        self.listed = list(experiments) or [make_experiment()]
        self.calls: list[Question[Any]] = []
        self.fails = False

    async def answer(self, question: Question[T]) -> Answer[T]:
        self.calls.append(question)
        if self.fails:
            raise UpstreamError("told to fail")
        return Answer(self._look(question))

    def _look(self, question: Question[Any]) -> Any:
        match question:
            case GetRun(run_id):
                return next((run for run in self.stored if run.run_id == run_id), None)
            case ListRuns():
                return matching(self.stored, question)
            case GetExperiment(name):
                return next((one for one in self.listed if one.name == name), None)
            case ListExperiments():
                return tuple(one for one in self.listed if one.is_active)
            case _:
                raise TypeError(question)


def matching(runs: Iterable[Run], question: ListRuns) -> tuple[Run, ...]:
    """What MLflow answers to a question about these runs, all of which are of the experiment."""
    found = [run for run in runs if question.tags.items() <= run.tags.items()]
    found.sort(key=_age)
    if question.after is not None:
        found = [run for run in found if _age(run) > _age(question.after)]
    return tuple(found[: question.limit])


def _age(of: Run | Place) -> tuple[float, str]:
    return float("inf") if of.start_time is None else -of.start_time, of.run_id
