"""The inputs and outputs of a run, read from MLflow's JSON."""

import json
from typing import Any

import pytest

from service.tracking.recorded import Dataset, Recorded
from service.tracking.runs import Run
from service.upstream import wire
from tests.upstream.readers import read_runs

INFO = {"run_id": "r", "status": "FINISHED"}
PRICES = {
    "name": "prices",
    "digest": "d1",
    "source_type": "s3",
    "source": '{"uri": "s3://b/p"}',
    "schema": "long",
    "profile": "long",
}
CONTEXT = {"key": "mlflow.data.context", "value": "training"}


def run_of(**members: Any) -> dict[str, Any]:
    return {"info": INFO, "data": {}, **members}


def read(**members: Any) -> Run:
    return wire.read_run(json.dumps({"run": run_of(**members)}).encode())


def test_a_run_has_its_datasets_and_models() -> None:
    """Datasets with their context, models used and models made; schema and profile are not kept."""
    run = read(
        inputs={
            "dataset_inputs": [{"dataset": PRICES, "tags": [{"key": "x", "value": "y"}, CONTEXT]}],
            "model_inputs": [{"model_id": "m-1"}],
        },
        outputs={"model_outputs": [{"model_id": "m-2", "step": 3}]},
    )
    dataset = Dataset("prices", "d1", "s3", '{"uri": "s3://b/p"}', "training")
    assert Recorded((dataset,), ("m-1",), ("m-2",)) == run.recorded


def test_outputs_stand_alone() -> None:
    """A run may have made a model and used nothing, and a model of two steps is one."""
    run = read(outputs={"model_outputs": [{"model_id": "m-2", "step": 0}, {"model_id": "m-2", "step": 1}]})
    assert Recorded((), (), ("m-2",)) == run.recorded


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"inputs": {}, "outputs": {}},
        {"inputs": {"dataset_inputs": []}},
        {"inputs": None, "outputs": None},
    ],
    ids=["missing", "empty", "no list", "null"],
)
def test_a_run_without_inputs_has_recorded_nothing(members: dict[str, Any]) -> None:
    """Members that are missing, empty or null are nothing."""
    assert read(**members).recorded is None


@pytest.mark.parametrize(
    "inputs", [[], 5, "x", {"dataset_inputs": 5}, {"dataset_inputs": [None, {}, {"dataset": {}}]}], ids=repr
)
def test_a_run_is_not_lost_for_its_inputs(inputs: object) -> None:
    """A run whose inputs cannot be read is read without them."""
    run = read(inputs=inputs)
    assert ("r", None) == (run.run_id, run.recorded)


def test_numbers_are_read_as_texts() -> None:
    """A digest that a server writes as a number is a text."""
    run = read(inputs={"dataset_inputs": [{"dataset": {"name": "p", "digest": 12}, "tags": [None]}]})
    assert Recorded((Dataset("p", "12"),)) == run.recorded


def test_another_servers_run_has_them_too() -> None:
    """A run that is read member by member, here because of a number as a param, keeps its inputs."""
    run = read(data={"params": [{"key": "p", "value": 1}]}, inputs={"dataset_inputs": [{"dataset": PRICES}]})
    assert "1" == run.params["p"]
    assert run.recorded is not None
    assert "d1" == run.recorded.datasets[0].digest


def test_runs_of_a_list_share_what_is_equal() -> None:
    """Equal inputs of two runs of a reply are one object."""
    inputs = {"dataset_inputs": [{"dataset": PRICES, "tags": [CONTEXT]}]}
    first = run_of(inputs=inputs, outputs={"model_outputs": [{"model_id": "m-1"}]})
    body = json.dumps({"runs": [first, run_of(inputs=inputs), run_of(inputs=inputs)]}).encode()
    one, other, third = (run.recorded for run in read_runs(body).found)
    assert one is not None
    assert other is not None
    assert other is third
    assert one.datasets[0] is other.datasets[0]
