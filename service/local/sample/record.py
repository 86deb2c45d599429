"""The one file of the sample that knows MLflow: it writes runs that have been decided elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, ViewType
from mlflow.exceptions import MlflowException

from service.local.sample.runs import SampleRun


class NotEmptyError(Exception):
    """The experiment holds something already; the sample is for empty ones only."""


class WriteError(Exception):
    """MLflow could not be reached or refused a write; some runs may have been written."""


def connect(tracking_uri: str) -> MlflowClient:
    """A client for the tracking server at this address; nothing is asked of it yet."""
    return MlflowClient(tracking_uri)


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
    experiment is deleted or, unless resume, has a run, even a deleted one; WriteError where MLflow fails.
    """
    try:
        experiment_id = _experiment(client, experiment_name, may_have_runs=resume)
        written = _written(client, experiment_id) if resume else {}
        for count, run in enumerate(runs, start=1):
            _write(client, experiment_id, run, written.get((run.name, run.start_time)))
            progress(count)
    except MlflowException as error:
        raise WriteError(re.sub(r"//[^/\s]*@", "//", str(error))) from error  # an address may hold a password


def _experiment(client: MlflowClient, name: str, *, may_have_runs: bool) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return str(client.create_experiment(name))
    if experiment.lifecycle_stage != "active":
        raise NotEmptyError(f"experiment {name!r} is deleted")
    if not may_have_runs and client.search_runs(
        [experiment.experiment_id], run_view_type=ViewType.ALL, max_results=1
    ):
        raise NotEmptyError(f"experiment {name!r} has runs already")
    return str(experiment.experiment_id)


def _written(client: MlflowClient, experiment_id: str) -> dict[tuple[str, int], Run]:
    """The runs that are there, by name and start; no two runs of the sample start at the same time."""
    found: dict[tuple[str, int], Run] = {}
    token: str | None = ""
    while token is not None:
        page = client.search_runs([experiment_id], run_view_type=ViewType.ALL, page_token=token or None)
        found |= {(run.info.run_name, run.info.start_time): run for run in page}
        token = page.token or None
    return found


def _write(client: MlflowClient, experiment_id: str, run: SampleRun, there: Run | None) -> None:
    """Write a run, or again what is there of it: MLflow keeps the same value once."""
    if there is not None and there.info.lifecycle_stage != "active":
        return  # somebody has deleted it
    begun = there or client.create_run(experiment_id, run.start_time, dict(run.tags), run.name)
    run_id = begun.info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric(point.key, point.value, point.timestamp, point.step) for point in run.metrics],
        params=[Param(key, value) for key, value in run.params.items()],
    )
    if run.end_time is not None:
        client.set_terminated(run_id, run.status, run.end_time)
