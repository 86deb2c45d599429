"""The fake against a real MLflow, runs: every case runs on both, and both answer the same."""

import json
import math
from typing import Any

import pytest

from tests.live.logbook import LARGEST, Logbook, names, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_get_answers_the_whole_run(mlflow: Logbook, experiment: str) -> None:
    """runs/get answers info, data in the order logged, and inputs and outputs as empty objects."""
    run_id = await mlflow.create_run(experiment, "n", tags={"z": "1", "empty": ""}, start_time=5, user_id="u")
    await mlflow.log(run_id, metrics={"m": 1.0, "a": -0.5}, params={"z": "1", "a": ""}, tags={"A": "é\u2028"})
    await mlflow.finish(run_id, "FAILED", 9)
    expected = {
        "info": {
            "run_uuid": run_id,
            "experiment_id": experiment,
            "run_name": "n",
            "user_id": "u",
            "status": "FAILED",
            "start_time": 5,
            "end_time": 9,
            "artifact_uri": f"mlflow-artifacts:/{experiment}/{run_id}/artifacts",
            "lifecycle_stage": "active",
            "run_id": run_id,
        },
        "data": {
            "metrics": [
                {"key": "m", "value": 1.0, "timestamp": 1, "step": 0},
                {"key": "a", "value": -0.5, "timestamp": 1, "step": 0},
            ],
            "params": [{"key": "z", "value": "1"}, {"key": "a", "value": ""}],
            "tags": [
                {"key": "z", "value": "1"},
                {"key": "empty", "value": ""},
                {"key": "mlflow.runName", "value": "n"},
                {"key": "A", "value": "é\u2028"},
            ],
        },
        "inputs": {},
        "outputs": {},
    }
    reply = await mlflow.get("runs/get", run_id=run_id)
    assert reply.status == 200
    assert reply.content_type == "application/json"
    assert json.dumps({"run": expected}, indent=2) == reply.text
    assert {"runs": [expected]} == (await mlflow.post("runs/search", experiment_ids=[experiment])).body


async def test_unset_fields_are_left_out(mlflow: Logbook, experiment: str) -> None:
    """A run with nothing logged has no end_time, no metrics and no params; a start_time of 0 stays."""
    run_id = await mlflow.create_run(experiment, "bare")
    run = (await mlflow.get("runs/get", run_id=run_id)).body["run"]
    assert run["data"] == {"tags": [{"key": "mlflow.runName", "value": "bare"}]}
    assert run["info"]["start_time"] == 0
    assert run["info"]["user_id"] == ""
    assert "end_time" not in run["info"]


async def test_an_end_time_of_zero_is_left_out(mlflow: Logbook, experiment: str) -> None:
    """A run that ended at 0 shows no end_time, though it is finished."""
    run_id = await mlflow.create_run(experiment, "n")
    await mlflow.finish(run_id, "FINISHED", 0)
    info = (await mlflow.get("runs/get", run_id=run_id)).body["run"]["info"]
    assert info["status"] == "FINISHED"
    assert "end_time" not in info


async def test_a_created_run_is_answered_without_outputs(mlflow: Logbook, experiment: str) -> None:
    """runs/create answers the new run, running, with inputs but no outputs."""
    reply = await mlflow.post(
        "runs/create", experiment_id=experiment, tags=[{"key": "mlflow.runName", "value": "b"}]
    )
    run = reply.body["run"]
    assert set(run) == {"info", "data", "inputs"}
    assert run["info"]["run_name"] == "b"
    assert run["info"]["status"] == "RUNNING"


async def test_infinity_is_the_largest_float_and_nan_a_string(mlflow: Logbook, experiment: str) -> None:
    """NaN is answered as "NaN", and infinities as the largest and smallest float."""
    run_id = await mlflow.create_run(experiment, "n")
    await mlflow.log(
        run_id, metrics={"nan": math.nan, "inf": math.inf, "ninf": -math.inf}, timestamp=3, step=-3
    )
    metrics = (await mlflow.get("runs/get", run_id=run_id)).body["run"]["data"]["metrics"]
    assert [(m["key"], m["value"]) for m in metrics] == [
        ("nan", "NaN"),
        ("inf", LARGEST),
        ("ninf", -LARGEST),
    ]
    assert {(3, -3)} == {(m["timestamp"], m["step"]) for m in metrics}


async def test_the_latest_metric_is_the_largest_step_time_and_value(mlflow: Logbook, experiment: str) -> None:
    """Of a metric's history the run shows the highest step, then timestamp, then value."""
    run_id = await mlflow.create_run(experiment, "n")
    await mlflow.log(run_id, metrics={"m": 1.0}, timestamp=5, step=1)
    await mlflow.log(run_id, metrics={"m": 9.0}, timestamp=4, step=1)
    await mlflow.log(run_id, metrics={"m": 3.0}, timestamp=5, step=1)
    await mlflow.log(run_id, metrics={"m": 2.0}, timestamp=5, step=1)
    await mlflow.log(run_id, metrics={"m": 8.0}, timestamp=9, step=0)
    metrics = (await mlflow.get("runs/get", run_id=run_id)).body["run"]["data"]["metrics"]
    assert metrics == [{"key": "m", "value": 3.0, "timestamp": 5, "step": 1}]


@pytest.mark.parametrize("run_id", ["0" * 32, "nope", "a" * 300, "' OR '1'='1", "%00", "é"])
async def test_an_unknown_run_is_404(mlflow: Logbook, run_id: str) -> None:
    """An id that no run has, however odd, is RESOURCE_DOES_NOT_EXIST."""
    reply = await mlflow.get("runs/get", run_id=run_id)
    assert (404, "RESOURCE_DOES_NOT_EXIST", f"Run with id={run_id} not found") == problem(reply)


async def test_ids_are_case_sensitive(mlflow: Logbook, experiment: str) -> None:
    """An upper-cased id is another id."""
    run_id = await mlflow.create_run(experiment, "n")
    assert (await mlflow.get("runs/get", run_id=run_id.upper())).status == 404


async def test_an_empty_or_missing_id_is_400(mlflow: Logbook) -> None:
    """runs/get without an id, or with an empty one, is INVALID_PARAMETER_VALUE."""
    message = (
        "Missing value for required parameter 'run_id'. "
        "See the API docs for more information about request parameters."
    )
    expected = (400, "INVALID_PARAMETER_VALUE", message)
    assert expected == problem(await mlflow.get("runs/get", run_id=""))
    assert expected == problem(await mlflow.get("runs/get"))


async def test_a_deleted_run_is_still_answered(mlflow: Logbook, experiment: str) -> None:
    """runs/get answers a deleted run, marked; runs/search only in the views that ask for it."""
    run_id = await mlflow.create_run(experiment, "gone")
    await mlflow.delete_run(run_id)
    reply = await mlflow.get("runs/get", run_id=run_id)
    assert reply.status == 200
    assert reply.body["run"]["info"]["lifecycle_stage"] == "deleted"
    search = {"experiment_ids": [experiment]}
    assert names(await mlflow.post("runs/search", **search)) == []
    assert names(await mlflow.post("runs/search", **search, run_view_type="DELETED_ONLY")) == ["gone"]
    assert names(await mlflow.post("runs/search", **search, run_view_type="ALL")) == ["gone"]
    await mlflow.restore_run(run_id)
    assert names(await mlflow.post("runs/search", **search)) == ["gone"]


async def test_a_deleted_run_takes_no_more_data(mlflow: Logbook, experiment: str) -> None:
    """Logging to a deleted run is INVALID_PARAMETER_VALUE."""
    run_id = await mlflow.create_run(experiment, "gone")
    await mlflow.delete_run(run_id)
    message = f"The run {run_id} must be in the 'active' state. Current state is deleted."
    expected = (400, "INVALID_PARAMETER_VALUE", message)
    assert expected == problem(
        await mlflow.post("runs/log-metric", run_id=run_id, key="m", value=1, timestamp=1)
    )
    assert expected == problem(await mlflow.post("runs/set-tag", run_id=run_id, key="t", value="v"))
    assert expected == problem(await mlflow.post("runs/log-parameter", run_id=run_id, key="p", value="v"))
    assert expected == problem(await mlflow.post("runs/log-batch", run_id=run_id))
    assert expected == problem(await mlflow.post("runs/update", run_id=run_id, status="FAILED"))


async def test_a_parameter_keeps_its_value(mlflow: Logbook, experiment: str) -> None:
    """A logged parameter may be logged again with its value, and with no other."""
    run_id = await mlflow.create_run(experiment, "n")
    await mlflow.write("runs/log-parameter", run_id=run_id, key="p", value="1")
    await mlflow.write("runs/log-parameter", run_id=run_id, key="p", value="1")
    message = (
        "Changing param values is not allowed. Param with key='p' was already logged with value='1' for "
        f"run ID='{run_id}'. Attempted logging new value '2'."
    )
    reply = await mlflow.post("runs/log-parameter", run_id=run_id, key="p", value="2")
    assert (400, "INVALID_PARAMETER_VALUE", message) == problem(reply)
    batch = await mlflow.post("runs/log-batch", run_id=run_id, params=[{"key": "p", "value": "2"}])
    assert problem(batch)[:2] == (400, "INVALID_PARAMETER_VALUE")


async def test_the_name_is_a_tag_too(mlflow: Logbook, experiment: str) -> None:
    """Setting mlflow.runName renames the run, and renaming it sets the tag."""
    run_id = await mlflow.create_run(experiment, "one")
    await mlflow.write("runs/set-tag", run_id=run_id, key="mlflow.runName", value="two")
    run = (await mlflow.get("runs/get", run_id=run_id)).body["run"]
    assert run["info"]["run_name"] == "two"
    info = (await mlflow.write("runs/update", run_id=run_id, run_name="three"))["run_info"]
    assert info["run_name"] == "three"
    run = (await mlflow.get("runs/get", run_id=run_id)).body["run"]
    assert run["data"]["tags"] == [{"key": "mlflow.runName", "value": "three"}]


async def test_an_unknown_status_is_ignored(mlflow: Logbook, experiment: str) -> None:
    """runs/update with a status that MLflow does not know leaves the run as it is."""
    run_id = await mlflow.create_run(experiment, "n")
    assert (await mlflow.write("runs/update", run_id=run_id, status="BOGUS"))["run_info"][
        "status"
    ] == "RUNNING"


@pytest.mark.parametrize(
    ("endpoint", "body", "message"),
    [
        ("log-metric", {"key": "m"}, "Missing value for required parameter 'value'."),
        ("log-metric", {"key": "m", "value": 1}, "Missing value for required parameter 'timestamp'."),
        (
            "log-metric",
            {"key": "$", "value": 1, "timestamp": 1},
            "Invalid value \"$\" for parameter 'name'",
        ),
        ("set-tag", {"value": "1"}, "Missing value for required parameter 'key'."),
        ("set-tag", {"key": "$", "value": "1"}, "Invalid value \"$\" for parameter 'key'"),
        (
            "log-batch",
            {"metrics": [{"key": "m"}]},
            "Missing value for required parameter 'metrics[0].value'.",
        ),
        ("log-batch", {"tags": [{"value": "v"}]}, "Missing value for required parameter 'tags[0].key'."),
        (
            "log-batch",
            {"params": [{"key": "p"}, {"key": "p"}]},
            "Duplicate parameter keys have been submitted",
        ),
    ],
)
async def test_incomplete_data_is_400(
    mlflow: Logbook, experiment: str, endpoint: str, body: dict[str, Any], message: str
) -> None:
    """Logging without a required field, or under an odd name, is INVALID_PARAMETER_VALUE."""
    run_id = await mlflow.create_run(experiment, "n")
    status, code, text = problem(await mlflow.post(f"runs/{endpoint}", run_id=run_id, **body))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert text.startswith(message)


async def test_a_run_needs_an_experiment(mlflow: Logbook) -> None:
    """A run cannot be created without an experiment (BAD_REQUEST) or in an unknown one (404)."""
    assert problem(await mlflow.post("runs/create"))[:2] == (400, "BAD_REQUEST")
    reply = await mlflow.post("runs/create", experiment_id="987654")
    assert problem(reply) == (404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=987654 exists")
