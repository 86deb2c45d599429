"""Runs, experiments and an honest source of them, all in memory."""

from collections.abc import Iterable, Mapping, Sequence

from service.answer import Answer
from service.errors import UpstreamError
from service.tracking.runs import Experiment, Run, RunQuestion


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


class RunsInMemory:
    """A RunSource over lists that a test may change; `calls` is what it was asked, `fails` makes it fail."""

    def __init__(self, runs: Iterable[Run] = (), experiments: Iterable[Experiment] = ()) -> None:
        self.stored = list(runs)
        self.listed = list(experiments) or [make_experiment()]
        self.calls: list[tuple[object, ...]] = []
        self.fails = False

    async def run(self, run_id: str) -> Answer[Run | None]:
        self._note("run", run_id)
        return Answer(next((run for run in self.stored if run.run_id == run_id), None))

    async def runs(self, run_ids: Sequence[str], experiment_id: str | None) -> Answer[tuple[Run | None, ...]]:
        del experiment_id
        return Answer(tuple([(await self.run(run_id)).value for run_id in run_ids]))

    async def search(self, question: RunQuestion) -> Answer[tuple[Run, ...]]:
        self._note("search", question)
        found = [run for run in self.stored if question.tags.items() <= run.tags.items()]
        found.sort(key=lambda run: (-(run.start_time or 0), run.run_id))
        return Answer(tuple(found[: question.limit]))

    async def experiment(self, name: str) -> Answer[Experiment | None]:
        self._note("experiment", name)
        return Answer(next((one for one in self.listed if one.name == name), None))

    async def experiments(self) -> Answer[tuple[Experiment, ...]]:
        self._note("experiments")
        return Answer(tuple(one for one in self.listed if one.is_active))

    def _note(self, *call: object) -> None:
        self.calls.append(call)
        if self.fails:
            raise UpstreamError("told to fail")
