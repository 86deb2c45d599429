"""Writes runs that have been decided elsewhere to MLflow, with their inputs; `registry` writes the models."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, Metric, Param, Run, ViewType
from mlflow.exceptions import MlflowException

from service.local.sample.provenance import SOURCE_TYPE
from service.local.sample.registry import find_registered, register
from service.local.sample.runs import SampleRun

_PARENT = "mlflow.parentRunId"
_CONTEXT = "mlflow.data.context"


class NotEmptyError(Exception):
    """The experiment holds something already; the sample is for empty ones only."""


class WriteError(Exception):
    """MLflow could not be reached or refused a write; some runs may have been written."""


def connect(tracking_uri: str) -> MlflowClient:
    """A client for the tracking server at this address; nothing is asked of it yet.

    Raises WriteError for an address that MLflow refuses, as a folder, unless MLFLOW_ALLOW_FILE_STORE is set.
    """
    try:
        return MlflowClient(tracking_uri)
    except MlflowException as error:
        raise WriteError(str(error)) from error


def record(
    client: MlflowClient,
    experiment_name: str,
    runs: Sequence[SampleRun],
    progress: Callable[[int], None],
    *,
    resume: bool = False,
) -> None:
    """Write the runs to the experiment, which is created where it is missing.

    progress is told, after each run, how many are written. resume: some of them may be there, the last one in
    part; they are completed, and other runs left alone. Raises NotEmptyError, with nothing written, where the
    experiment is deleted or, unless resume, has a run, even a deleted one, or the registry has a model of the
    sample; WriteError where MLflow fails.
    """
    try:
        experiment_id = _find_experiment(client, experiment_name, may_have_runs=resume)
        if not resume and (name := find_registered(client, runs)):
            raise NotEmptyError(f"registered model {name!r} is there already")
        experiment_id = experiment_id or str(client.create_experiment(experiment_name))
        written = _Written(client, experiment_id, _found(client, experiment_id) if resume else {})
        for count, run in enumerate(runs, start=1):
            written.write(run)
            progress(count)
    except MlflowException as error:
        raise WriteError(re.sub(r"//[^/\s]*@", "//", str(error))) from error  # an address may hold a password


def _find_experiment(client: MlflowClient, name: str, *, may_have_runs: bool) -> str | None:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return None
    if experiment.lifecycle_stage != "active":
        raise NotEmptyError(f"experiment {name!r} is deleted")
    if not may_have_runs and client.search_runs(
        [experiment.experiment_id], run_view_type=ViewType.ALL, max_results=1
    ):
        raise NotEmptyError(f"experiment {name!r} has runs already")
    return str(experiment.experiment_id)


def _found(client: MlflowClient, experiment_id: str) -> dict[int, Run]:
    """The sample's runs that are there, by start."""
    found: dict[int, Run] = {}
    token: str | None = ""
    while token is not None:
        page = client.search_runs([experiment_id], run_view_type=ViewType.ALL, page_token=token or None)
        found |= {run.info.start_time: run for run in page}
        token = page.token or None
    return found


class _Written:
    """The runs of the sample in one experiment: those found there, by start, and those written since."""

    def __init__(self, client: MlflowClient, experiment_id: str, found: Mapping[int, Run]) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self._found = found
        self._run_ids: dict[int, str] = {start: run.info.run_id for start, run in found.items()}
        self._model_ids: dict[str, str] = {}

    def write(self, run: SampleRun) -> None:
        """Write a run, or again what is there of it: MLflow keeps the same value once."""
        there = self._found.get(run.start_time)
        if there is not None and there.info.lifecycle_stage != "active":
            return  # somebody has deleted it
        run_id = there.info.run_id if there is not None else self._begin(run)
        self._client.log_batch(
            run_id,
            metrics=[Metric(point.key, point.value, point.timestamp, point.step) for point in run.metrics],
            params=[Param(key, value) for key, value in run.params.items()],
        )
        self._log_inputs(run_id, run)
        if run.makes is not None:
            self._model_ids[run.makes.name] = register(
                self._client, self._experiment_id, run_id, run.makes, there
            )
        if run.end_time is not None:
            self._client.set_terminated(run_id, run.status, run.end_time)

    def _begin(self, run: SampleRun) -> str:
        tags = dict(run.tags)
        if run.parent is not None:
            tags[_PARENT] = self._run_ids[run.parent]
        begun = self._client.create_run(self._experiment_id, run.start_time, tags, run.name)
        self._run_ids[run.start_time] = run_id = str(begun.info.run_id)
        return run_id

    def _log_inputs(self, run_id: str, run: SampleRun) -> None:
        datasets, models = [], []
        if (dataset := run.dataset) is not None:
            described = Dataset(
                dataset.name, dataset.digest, SOURCE_TYPE, dataset.source, dataset.schema, dataset.profile
            )
            datasets.append(DatasetInput(described, [InputTag(_CONTEXT, run.context)]))
        if run.uses in self._model_ids:  # not where somebody has deleted the run that made it
            models.append(LoggedModelInput(self._model_ids[run.uses]))
        if datasets or models:
            self._client.log_inputs(run_id, datasets=datasets, models=models or None)
