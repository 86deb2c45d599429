"""The fake against a real MLflow, runs and experiments: every case runs on both, and both answer the same."""

import json
import math
from typing import Any

import pytest

from tests.live.logbook import LARGEST, Logbook, names, problem, token, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestRuns:
    async def test_get_answers_the_whole_run(self, mlflow: Logbook, experiment: str) -> None:
        """runs/get answers info, data in the order logged, and inputs and outputs as empty objects."""
        run_id = await mlflow.create_run(
            experiment, "n", tags={"z": "1", "empty": ""}, start_time=5, user_id="u"
        )
        await mlflow.log(
            run_id, metrics={"m": 1.0, "a": -0.5}, params={"z": "1", "a": ""}, tags={"A": "é\u2028"}
        )
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
                    {"key": "m", "value": 1.0, "timestamp": 0, "step": 0},
                    {"key": "a", "value": -0.5, "timestamp": 0, "step": 0},
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

    async def test_unset_fields_are_left_out(self, mlflow: Logbook, experiment: str) -> None:
        """A run with nothing logged has no end_time, no metrics and no params; a start_time of 0 stays."""
        run_id = await mlflow.create_run(experiment, "bare")
        run = (await mlflow.get("runs/get", run_id=run_id)).body["run"]
        assert run["data"] == {"tags": [{"key": "mlflow.runName", "value": "bare"}]}
        assert run["info"]["start_time"] == 0
        assert run["info"]["user_id"] == ""
        assert "end_time" not in run["info"]

    async def test_an_end_time_of_zero_is_left_out(self, mlflow: Logbook, experiment: str) -> None:
        """A run that ended at 0 shows no end_time, though it is finished."""
        run_id = await mlflow.create_run(experiment, "n")
        await mlflow.finish(run_id, "FINISHED", 0)
        info = (await mlflow.get("runs/get", run_id=run_id)).body["run"]["info"]
        assert info["status"] == "FINISHED"
        assert "end_time" not in info

    async def test_a_created_run_is_answered_without_outputs(self, mlflow: Logbook, experiment: str) -> None:
        """runs/create answers the new run, running, with inputs but no outputs."""
        reply = await mlflow.post(
            "runs/create", experiment_id=experiment, tags=[{"key": "mlflow.runName", "value": "b"}]
        )
        run = reply.body["run"]
        assert set(run) == {"info", "data", "inputs"}
        assert run["info"]["run_name"] == "b"
        assert run["info"]["status"] == "RUNNING"

    async def test_infinity_is_the_largest_float_and_nan_a_string(
        self, mlflow: Logbook, experiment: str
    ) -> None:
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

    async def test_the_latest_metric_is_the_largest_step_time_and_value(
        self, mlflow: Logbook, experiment: str
    ) -> None:
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
    async def test_an_unknown_run_is_404(self, mlflow: Logbook, run_id: str) -> None:
        """An id that no run has, however odd, is RESOURCE_DOES_NOT_EXIST."""
        reply = await mlflow.get("runs/get", run_id=run_id)
        assert (404, "RESOURCE_DOES_NOT_EXIST", f"Run with id={run_id} not found") == problem(reply)

    async def test_ids_are_case_sensitive(self, mlflow: Logbook, experiment: str) -> None:
        """An upper-cased id is another id."""
        run_id = await mlflow.create_run(experiment, "n")
        assert (await mlflow.get("runs/get", run_id=run_id.upper())).status == 404

    async def test_an_empty_or_missing_id_is_400(self, mlflow: Logbook) -> None:
        """runs/get without an id, or with an empty one, is INVALID_PARAMETER_VALUE."""
        message = (
            "Missing value for required parameter 'run_id'. "
            "See the API docs for more information about request parameters."
        )
        expected = (400, "INVALID_PARAMETER_VALUE", message)
        assert expected == problem(await mlflow.get("runs/get", run_id=""))
        assert expected == problem(await mlflow.get("runs/get"))

    async def test_a_deleted_run_is_still_answered(self, mlflow: Logbook, experiment: str) -> None:
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

    async def test_a_deleted_run_takes_no_more_data(self, mlflow: Logbook, experiment: str) -> None:
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

    async def test_a_parameter_keeps_its_value(self, mlflow: Logbook, experiment: str) -> None:
        """A logged parameter may be logged again with its value, and with no other."""
        run_id = await mlflow.create_run(experiment, "n")
        await mlflow.write("runs/log-parameter", run_id=run_id, key="p", value="1")
        await mlflow.write("runs/log-parameter", run_id=run_id, key="p", value="1")
        message = (
            "Changing param values is not allowed. Param with key='p' was already logged with value='1' for run "
            f"ID='{run_id}'. Attempted logging new value '2'."
        )
        reply = await mlflow.post("runs/log-parameter", run_id=run_id, key="p", value="2")
        assert (400, "INVALID_PARAMETER_VALUE", message) == problem(reply)
        batch = await mlflow.post("runs/log-batch", run_id=run_id, params=[{"key": "p", "value": "2"}])
        assert problem(batch)[:2] == (400, "INVALID_PARAMETER_VALUE")

    async def test_the_name_is_a_tag_too(self, mlflow: Logbook, experiment: str) -> None:
        """Setting mlflow.runName renames the run, and renaming it sets the tag."""
        run_id = await mlflow.create_run(experiment, "one")
        await mlflow.write("runs/set-tag", run_id=run_id, key="mlflow.runName", value="two")
        run = (await mlflow.get("runs/get", run_id=run_id)).body["run"]
        assert run["info"]["run_name"] == "two"
        info = (await mlflow.write("runs/update", run_id=run_id, run_name="three"))["run_info"]
        assert info["run_name"] == "three"
        run = (await mlflow.get("runs/get", run_id=run_id)).body["run"]
        assert run["data"]["tags"] == [{"key": "mlflow.runName", "value": "three"}]

    async def test_an_unknown_status_is_ignored(self, mlflow: Logbook, experiment: str) -> None:
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
        self, mlflow: Logbook, experiment: str, endpoint: str, body: dict[str, Any], message: str
    ) -> None:
        """Logging without a required field, or under a name with odd characters, is INVALID_PARAMETER_VALUE."""
        run_id = await mlflow.create_run(experiment, "n")
        status, code, text = problem(await mlflow.post(f"runs/{endpoint}", run_id=run_id, **body))
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert text.startswith(message)

    async def test_a_run_needs_an_experiment(self, mlflow: Logbook) -> None:
        """A run cannot be created without an experiment (BAD_REQUEST) or in an unknown one (404)."""
        assert problem(await mlflow.post("runs/create"))[:2] == (400, "BAD_REQUEST")
        reply = await mlflow.post("runs/create", experiment_id="987654")
        assert problem(reply) == (404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=987654 exists")


class TestExperiments:
    async def test_by_name_and_by_id(self, mlflow: Logbook) -> None:
        """An experiment is answered in full by name and by id; its tags are left out where it has none."""
        name = unique("é '\"")
        experiment_id = await mlflow.create_experiment(name, {"k": "v"})
        by_name = await mlflow.get("experiments/get-by-name", experiment_name=name)
        assert by_name.text == (await mlflow.get("experiments/get", experiment_id=experiment_id)).text
        found = by_name.body["experiment"]
        assert found.pop("creation_time") == found.pop("last_update_time")
        assert found == {
            "experiment_id": experiment_id,
            "name": name,
            "artifact_location": f"mlflow-artifacts:/{experiment_id}",
            "lifecycle_stage": "active",
            "tags": [{"key": "k", "value": "v"}],
            "workspace": "default",
        }
        default = (await mlflow.get("experiments/get-by-name", experiment_name="Default")).body["experiment"]
        assert default["experiment_id"] == "0"
        assert "tags" not in default

    async def test_an_unknown_experiment_is_404(self, mlflow: Logbook) -> None:
        """A name or an id that no experiment has is RESOURCE_DOES_NOT_EXIST; an id that is no number is 400."""
        reply = await mlflow.get("experiments/get-by-name", experiment_name="nobody's")
        message = "Could not find experiment with name 'nobody's'"
        assert (404, "RESOURCE_DOES_NOT_EXIST", message) == problem(reply)
        reply = await mlflow.get("experiments/get", experiment_id="987654")
        assert problem(reply) == (404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=987654 exists")
        message = "Invalid experiment ID 'x'. Experiment ID must be a valid integer."
        reply = await mlflow.get("experiments/get", experiment_id="x")
        assert (400, "INVALID_PARAMETER_VALUE", message) == problem(reply)

    async def test_a_deleted_experiment_takes_its_runs_along(self, mlflow: Logbook) -> None:
        """A deleted experiment is still found by name, its runs are deleted with it, and it takes no new ones."""
        name = unique("gone")
        experiment_id = await mlflow.create_experiment(name)
        run_id = await mlflow.create_run(experiment_id, "n")
        await mlflow.delete_experiment(experiment_id)
        found = (await mlflow.get("experiments/get-by-name", experiment_name=name)).body["experiment"]
        assert found["lifecycle_stage"] == "deleted"
        assert found["last_update_time"] >= found["creation_time"]
        run = (await mlflow.get("runs/get", run_id=run_id)).body["run"]
        assert run["info"]["lifecycle_stage"] == "deleted"
        assert (await mlflow.post("runs/search", experiment_ids=[experiment_id])).body == {}
        message = f"The experiment {experiment_id} must be in the 'active' state. Current state is deleted."
        reply = await mlflow.post("runs/create", experiment_id=experiment_id)
        assert (400, "INVALID_PARAMETER_VALUE", message) == problem(reply)
        assert problem(await mlflow.post("experiments/delete", experiment_id=experiment_id))[0] == 404
        await mlflow.restore_experiment(experiment_id)
        assert names(await mlflow.post("runs/search", experiment_ids=[experiment_id])) == ["n"]
        assert problem(await mlflow.post("experiments/restore", experiment_id=experiment_id))[0] == 404

    async def test_a_name_is_taken_once(self, mlflow: Logbook) -> None:
        """A second experiment of the same name is RESOURCE_ALREADY_EXISTS, also after the first is deleted."""
        name = unique("once")
        experiment_id = await mlflow.create_experiment(name)
        await mlflow.delete_experiment(experiment_id)
        status, code, message = problem(await mlflow.post("experiments/create", name=name))
        assert (status, code) == (400, "RESOURCE_ALREADY_EXISTS")
        assert message.startswith(f"Experiment(name={name}) already exists.")
        assert problem(await mlflow.post("experiments/create", name=""))[:2] == (
            400,
            "INVALID_PARAMETER_VALUE",
        )

    async def test_search_needs_max_results(self, mlflow: Logbook) -> None:
        """experiments/search without max_results is 400, by GET and by POST; 50,001 is too many."""
        positive = "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"
        expected = (400, "INVALID_PARAMETER_VALUE", positive)
        assert expected == problem(await mlflow.post("experiments/search"))
        assert expected == problem(await mlflow.get("experiments/search"))
        most = "Invalid value 50001 for parameter 'max_results' supplied. It must be at most 50000"
        reply = await mlflow.post("experiments/search", max_results=50_001)
        assert (400, "INVALID_PARAMETER_VALUE", most) == problem(reply)

    async def test_search_by_pages(self, mlflow: Logbook) -> None:
        """Pages of experiments follow their tokens to the end; newest first, and oldest first when asked."""
        made = [await mlflow.create_experiment(unique("page")) for _ in range(3)]
        pages, page_token = [], ""
        while True:
            found = await mlflow.get(
                "experiments/search", max_results=2, page_token=page_token, order_by="creation_time ASC"
            )
            pages.append([one["experiment_id"] for one in found.body["experiments"]])
            page_token = found.body.get("next_page_token", "")
            if not page_token:
                break
            assert token({"offset": 2 * len(pages)}) == page_token
        ids = [one for page in pages for one in page]
        assert ids[0] == "0"
        assert ids[-3:] == made
        newest = (await mlflow.post("experiments/search", max_results=3)).body["experiments"]
        assert [one["experiment_id"] for one in newest] == made[::-1]

    async def test_search_by_view(self, mlflow: Logbook) -> None:
        """Deleted experiments are found only in the views that ask for them, by name or by number."""
        kept, gone = (
            await mlflow.create_experiment(unique("kept")),
            await mlflow.create_experiment(unique("gone")),
        )
        await mlflow.delete_experiment(gone)
        seen = {}
        for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL", "2"):
            found = await mlflow.get("experiments/search", max_results=1000, view_type=view)
            ids = {one["experiment_id"] for one in found.body["experiments"]}
            seen[view] = [one for one in (kept, gone) if one in ids]
        assert seen == {"ACTIVE_ONLY": [kept], "DELETED_ONLY": [gone], "ALL": [kept, gone], "2": [gone]}

    async def test_search_by_an_unknown_order_is_400(self, mlflow: Logbook) -> None:
        """experiments/search ordered by what an experiment lacks is INVALID_PARAMETER_VALUE."""
        reply = await mlflow.post("experiments/search", max_results=1, order_by=["bogus"])
        assert problem(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")
