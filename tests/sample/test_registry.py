"""What runs were made from and what they made, in MLflow's own SQLite store and its model registry."""

from __future__ import annotations

import pytest
from mlflow import MlflowClient

from service.local.sample.record import NotEmptyError, record
from service.local.sample.runs import SampleRun
from tests.sample.store import ignore, stored

# SQLAlchemy deprecates a loader that MLflow's models still use.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),
    pytest.mark.usefixtures("own_environment"),
]


def test_every_run_names_its_dataset(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """Each run has one dataset as its input, with the digest of the prices that it read."""
    record(client, experiment_name, runs[:6], ignore)
    for run, run_id in zip(runs, stored(client, experiment_name), strict=False):
        (recorded,) = client.get_run(run_id).inputs.dataset_inputs
        assert run.dataset is not None
        assert (run.dataset.name, run.dataset.digest) == (recorded.dataset.name, recorded.dataset.digest)
        assert [run.context] == [tag.value for tag in recorded.tags]


def test_models_are_versions_with_aliases(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """The first strategy's two models are versions of one name; each names the run whose output it is."""
    record(client, experiment_name, runs[:5], ignore)
    run_ids = stored(client, experiment_name)
    for alias, version, place in (("champion", "1", 1), ("challenger", "2", 3)):
        found = client.get_model_version_by_alias("equity-index-momentum", alias)
        assert (version, run_ids[place]) == (str(found.version), found.run_id)
        (output,) = client.get_run(run_ids[place]).outputs.model_outputs
        assert output.model_id in found.source


def test_a_backtest_names_the_model_that_it_used(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """Its input is the output of the training that made the model."""
    trained, tested = runs[1], next(run for run in runs if run.uses is not None)
    record(client, experiment_name, [trained, tested], ignore)
    made, used = (client.get_run(run_id) for run_id in stored(client, experiment_name))
    expected = [output.model_id for output in made.outputs.model_outputs]
    assert expected == [model.model_id for model in used.inputs.model_inputs]


def test_a_registered_model_of_somebody_is_left_alone(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """Where a name of the sample is registered already, nothing is written."""
    client.create_registered_model("equity-index-momentum")
    with pytest.raises(NotEmptyError, match="'equity-index-momentum' is there already"):
        record(client, experiment_name, runs, ignore)
    assert client.get_experiment_by_name(experiment_name) is None


def test_resuming_registers_nothing_twice(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """A version that is there is kept, and so is its alias."""
    record(client, experiment_name, runs[:2], ignore)
    record(client, experiment_name, runs[:2], ignore, resume=True)
    (version,) = client.search_model_versions("name = 'equity-index-momentum'")
    assert 1 == int(version.version)
    assert {"champion": "1"} == {
        alias: str(number)
        for alias, number in client.get_registered_model("equity-index-momentum").aliases.items()
    }
