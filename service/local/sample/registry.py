"""Writes the models that runs make to MLflow: logged models, and the versions that they are registered as."""

from __future__ import annotations

from collections.abc import Iterable

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

from service.local.sample.provenance import Model, Version
from service.local.sample.runs import SampleRun

_MODEL_TYPE = "rule"


def find_registered(client: MlflowClient, runs: Iterable[SampleRun]) -> str | None:
    """The name of a registered model that the runs would register and that is there already, if any is."""
    models = [run.makes for run in runs if run.makes is not None]
    names = dict.fromkeys(model.version.model_name for model in models if model.version is not None)
    return next((name for name in names if _is_registered(client, name)), None)


def register(client: MlflowClient, experiment_id: str, run_id: str, model: Model, there: Run | None) -> str:
    """Log a model as the run's output and register it as its version; return its id.

    there: the run where it is not new, but completed; what is there of the model is kept then.
    """
    logged = None if there is None else _logged(client, experiment_id, run_id)
    if logged is None:
        logged = client.create_logged_model(experiment_id, model.name, run_id, model_type=_MODEL_TYPE)
    if there is None or there.outputs is None or not there.outputs.model_outputs:
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    client.finalize_logged_model(logged.model_id, "READY")
    if model.version is not None:
        _add_version(client, logged, model.version)
    return str(logged.model_id)


def _logged(client: MlflowClient, experiment_id: str, run_id: str) -> LoggedModel | None:
    found = client.search_logged_models([experiment_id], f"source_run_id = '{run_id}'", max_results=1)
    return next(iter(found), None)


def _add_version(client: MlflowClient, logged: LoggedModel, version: Version) -> None:
    """Register the model from where its files would be: `models:/` is read by MLflow's own default store."""
    name, source = version.model_name, logged.artifact_location
    if not _is_registered(client, name):
        client.create_registered_model(name)
    versions = client.search_model_versions(f"name = '{name}'")
    added = next((each for each in versions if each.source == source), None)
    if added is None:
        added = client.create_model_version(
            name, source, logged.source_run_id, await_creation_for=0, model_id=logged.model_id
        )
    for alias in version.aliases:
        client.set_registered_model_alias(name, alias, added.version)


def _is_registered(client: MlflowClient, name: str) -> bool:
    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        return False
    return True
