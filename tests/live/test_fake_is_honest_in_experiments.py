"""The fake against a real MLflow, experiments: both answer the same."""

import pytest

from tests.live.logbook import Logbook, names, problem, token, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_by_name_and_by_id(mlflow: Logbook) -> None:
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


async def test_an_unknown_experiment_is_404(mlflow: Logbook) -> None:
    """A name or an id that no experiment has is 404, and an id that is no number 400."""
    reply = await mlflow.get("experiments/get-by-name", experiment_name="nobody's")
    message = "Could not find experiment with name 'nobody's'"
    assert (404, "RESOURCE_DOES_NOT_EXIST", message) == problem(reply)
    reply = await mlflow.get("experiments/get", experiment_id="987654")
    assert problem(reply) == (404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=987654 exists")
    message = "Invalid experiment ID 'x'. Experiment ID must be a valid integer."
    reply = await mlflow.get("experiments/get", experiment_id="x")
    assert (400, "INVALID_PARAMETER_VALUE", message) == problem(reply)


async def test_a_deleted_experiment_takes_its_runs_along(mlflow: Logbook) -> None:
    """A deleted experiment is still found by name; its runs are deleted with it, and it takes none."""
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


async def test_a_name_is_taken_once(mlflow: Logbook) -> None:
    """A second experiment of the same name is a 400, also after the first is deleted."""
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


async def test_search_needs_max_results(mlflow: Logbook) -> None:
    """experiments/search without max_results is 400, by GET and by POST; 50,001 is too many."""
    positive = "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"
    expected = (400, "INVALID_PARAMETER_VALUE", positive)
    assert expected == problem(await mlflow.post("experiments/search"))
    assert expected == problem(await mlflow.get("experiments/search"))
    most = "Invalid value 50001 for parameter 'max_results' supplied. It must be at most 50000"
    reply = await mlflow.post("experiments/search", max_results=50_001)
    assert (400, "INVALID_PARAMETER_VALUE", most) == problem(reply)


async def test_search_by_pages(mlflow: Logbook) -> None:
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


async def test_search_by_view(mlflow: Logbook) -> None:
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


async def test_search_by_an_unknown_order_is_400(mlflow: Logbook) -> None:
    """experiments/search ordered by what an experiment lacks is INVALID_PARAMETER_VALUE."""
    reply = await mlflow.post("experiments/search", max_results=1, order_by=["bogus"])
    assert problem(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")
