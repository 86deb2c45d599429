"""What the tests of the sample's writing share."""

from __future__ import annotations

from mlflow import MlflowClient


def ignore(_: int) -> None:
    """For tests that do not look at the progress."""


def stored(client: MlflowClient, experiment_name: str) -> list[str]:
    """The ids of the experiment's runs, oldest start first."""
    experiment = client.get_experiment_by_name(experiment_name)
    found = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
    return [run.info.run_id for run in found]
