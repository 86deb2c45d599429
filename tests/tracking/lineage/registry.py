"""An MLflow with a registry, in memory, and what a resolution is asked through."""

from collections.abc import Iterable
from typing import Any, TypeVar

from msgspec.structs import replace

from service.answer import Answer
from service.errors import UpstreamFailure
from service.settings.load import config_dir
from service.tracking.asked import Asked
from service.tracking.directions import load_directions
from service.tracking.lineage.questions import (
    GetLoggedModel,
    GetModelByAlias,
    GetModelVersion,
    LoggedModel,
    ModelVersion,
    NotServed,
    RunsOfDataset,
    SearchRunsOfDataset,
)
from service.tracking.queries import TrackingQueries
from service.tracking.questions import (
    GetExperiment,
    GetRun,
    ListExperiments,
    Question,
    RunPage,
    SearchRuns,
)
from service.tracking.runs import Experiment, Run
from service.tracking.search.queries import RunIndex
from service.tracking.search.searches import RunSearches
from service.tracking.source import Source
from service.upstream.conditions import conditions_of
from service.workers import Workers
from tests.tracking.search.plainly import matches
from tests.tracking.values import make_run

T = TypeVar("T")
DIRECTIONS = load_directions(config_dir() / "metrics.toml")
A_CALL = 0.1  # seconds that a question waits


def run_id_of(number: int) -> str:
    """An id as MLflow makes them."""
    return f"{number:032x}"


def made_by(number: int, **fields: Any) -> Run:
    """A run of experiment 0 that started at this time, with its artifacts in a bucket."""
    run_id = run_id_of(number)
    told: dict[str, Any] = {
        "experiment_id": "0",
        "start_time": number,
        "artifact_uri": f"s3://bucket/0/{run_id}/artifacts",
    }
    return replace(make_run(run_id), **(told | fields))


class RegistryInMemory(Source):
    """Runs, model versions and logged models in memory.

    lacks: kinds of questions that are not served, with the reason. fails: raised by these kinds of questions.
    calls: what was asked. aliases: name and alias, with a version.
    """

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self.runs = {run.run_id: run for run in runs}
        self.experiments = [Experiment("0", "Default", "s3://bucket/0", "active")]
        self.versions: dict[tuple[str, str], ModelVersion] = {}
        self.aliases: dict[tuple[str, str], str] = {}
        self.models: dict[str, LoggedModel] = {}
        self.lacks: dict[type[Question[Any]], str] = {}
        self.fails: dict[type[Question[Any]], UpstreamFailure] = {}
        self.calls: list[Question[Any]] = []

    def register(self, version: ModelVersion, *aliases: str) -> None:
        """Add a model version, and let aliases stand for it."""
        self.versions[version.name, version.version] = version
        self.aliases |= {(version.name, alias): version.version for alias in aliases}

    async def answer(self, question: Question[T]) -> Answer[T]:
        self.calls.append(question)
        kind = type(question)
        if kind in self.fails:
            raise self.fails[kind]
        value: Any = NotServed(self.lacks[kind]) if kind in self.lacks else self._look(question)
        return Answer(value, waited=A_CALL)

    def _look(self, question: Question[Any]) -> Any:
        match question:
            case GetModelVersion(name, version):
                return self.versions.get((name, version))
            case GetModelByAlias(name, alias):
                return self.versions.get((name, self.aliases.get((name, alias), "")))
            case GetLoggedModel(model_id):
                return self.models.get(model_id)
            case _:
                return self._tracked(question)

    def _tracked(self, question: Question[Any]) -> Any:
        match question:
            case GetRun(run_id):
                return self.runs.get(run_id)
            case GetExperiment(name):
                return next((one for one in self.experiments if one.name == name), None)
            case ListExperiments():
                return tuple(one for one in self.experiments if one.is_active)
            case SearchRuns(conditions=conditions, limit=limit):
                found = self._active(question.experiment_ids)
                hits = [run for run in found if all(matches(run, one) for one in conditions)]
                start = int(question.page_token or 0)
                end = start + limit
                return RunPage(tuple(hits[start:end]), str(end) if len(hits) > end else "")
            case SearchRunsOfDataset(digest=digest, limit=limit):
                found = self._active(question.experiment_ids)
                hits = [run for run in found if run.recorded and digest in _digests(run)]
                return RunsOfDataset(tuple(hits[:limit]), len(hits) <= limit)
            case _:
                raise TypeError(question)

    def _active(self, experiment_ids: tuple[str, ...]) -> list[Run]:
        runs = [
            run for run in self.runs.values() if run.experiment_id in experiment_ids and not run.is_deleted
        ]
        return sorted(runs, key=lambda run: run.place.rank)


def _digests(run: Run) -> set[str]:
    return set() if run.recorded is None else {one.digest for one in run.recorded.datasets}


def asked_of(
    source: Source,
    index: RunIndex | None = None,
    kind: type[RunSearches] = RunSearches,
    experiment: str = "Default",
) -> Asked:
    """What a request is answered from: this source and this index, which search this experiment."""
    queries = TrackingQueries(source, experiment, DIRECTIONS)
    return Asked(queries, kind(index, source, experiment, conditions_of), DIRECTIONS, Workers())
