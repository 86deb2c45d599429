"""GET /runs/{run_id}, /metrics and /params over a fake MLflow."""

import math
from typing import Any

import pytest
from yarl import URL

from service.api import examples, schemas
from tests.api.serving import API, Client, answered, refused, serving
from tests.fakes.mlflow import FakeMlflow

ODD_IDS = [
    "nobody",
    "a%2Fb",
    "%00",
    "%FF",
    "%20",
    "a'b",
    "a%22b",
    "..%2F..",
    "%C3%A9",
    "-dash",
    "a" * 257,
    "x" * 10_000,
]


async def detail(api: Client, run_id: str) -> dict[str, Any]:
    return await answered(await api.get(f"{API}/runs/{run_id}"), schemas.RunDetail)


async def part(api: Client, run_id: str, name: str) -> dict[str, Any]:
    model = schemas.RunMetrics if name == "metrics" else schemas.RunParams
    return await answered(await api.get(f"{API}/runs/{run_id}/{name}"), model)


async def test_the_detail_of_the_reference(api: Client, fake: FakeMlflow) -> None:
    """The reference's example is answered field for field, but for MLflow's own artifact root and tag."""
    run = examples.RUN_DETAIL
    fake.add_run(
        run_id=run["run_id"],
        name=run["run_name"],
        start_time=run["start_time"],
        end_time=run["end_time"],
        params=run["params"],
        metrics=run["metrics"],
        tags=run["tags"],
    )
    own = {
        "artifact_uri": "mlflow-artifacts:/0/abc123def456/artifacts",
        "tags": run["tags"] | {"mlflow.runName": run["run_name"]},
    }
    assert {**run, **own} == await detail(api, run["run_id"])
    assert examples.RUN_METRICS == await part(api, run["run_id"], "metrics")


async def test_the_params_of_the_reference(api: Client, fake: FakeMlflow) -> None:
    """The hyperparameters of the reference's example are answered as they were logged, as strings."""
    fake.add_run(run_id="abc123def456", params=examples.RUN_PARAMS["params"])
    assert examples.RUN_PARAMS == await part(api, "abc123def456", "params")


@pytest.mark.parametrize("status", ["RUNNING", "SCHEDULED"])
async def test_an_active_run_has_no_end(api: Client, fake: FakeMlflow, status: str) -> None:
    """end_time is null while the run is active, though MLflow leaves the field out."""
    fake.add_run(run_id="r", status=status)
    run = await detail(api, "r")
    assert (status, None) == (run["status"], run["end_time"])


async def test_a_deleted_run_is_answered(api: Client, fake: FakeMlflow) -> None:
    """An audit finds a deleted run, its metrics and its params."""
    fake.add_run(run_id="gone", lifecycle_stage="deleted", params={"p": "1"}, metrics={"m": 2.0})
    assert "gone" == (await detail(api, "gone"))["run_id"]
    assert {"m": 2.0} == (await part(api, "gone", "metrics"))["metrics"]
    assert {"p": "1"} == (await part(api, "gone", "params"))["params"]


async def test_a_run_of_any_experiment_is_answered(api: Client, fake: FakeMlflow) -> None:
    """The detail is not bound to the default experiment."""
    fake.add_run(fake.add_experiment("other"), run_id="elsewhere")
    assert "elsewhere" == (await detail(api, "elsewhere"))["run_id"]


async def test_values_that_json_lacks_are_null(api: Client, fake: FakeMlflow) -> None:
    """A metric that is NaN or infinite is null in the detail and in the metrics."""
    fake.add_run(run_id="r", metrics={"nan": math.nan, "inf": math.inf, "zero": -0.0})
    expected = {"nan": None, "inf": None, "zero": 0.0}
    assert expected == (await detail(api, "r"))["metrics"]
    assert expected == (await part(api, "r", "metrics"))["metrics"]


@pytest.mark.parametrize("run_id", ODD_IDS)
async def test_an_unknown_or_malformed_id(api: Client, caplog: pytest.LogCaptureFixture, run_id: str) -> None:
    """What is no run is a 404 as a detail, {} inside a 200 as metrics and params, and nothing to log."""
    url = URL(f"{API}/runs/{run_id}", encoded=True)
    body = await refused(await api.get(url), 404, "run_not_found")
    [missing] = body["missing_run_ids"]
    assert len(body["detail"]) < 200
    for name in ("metrics", "params"):
        model = schemas.RunMetrics if name == "metrics" else schemas.RunParams
        response = await api.get(URL(f"{url}/{name}", encoded=True))
        assert {"run_id": missing, name: {}} == await answered(response, model)
    assert [] == [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_a_malformed_id_is_not_worth_a_call(api: Client, fake: FakeMlflow) -> None:
    """MLflow is not asked for an id that it does not allow."""
    await api.get(URL(f"{API}/runs/a%2Fb", encoded=True))
    await api.get(f"{API}/runs/{'a' * 257}/metrics")
    assert [] == fake.calls


async def test_the_id_asked_for_is_echoed(api: Client) -> None:
    """metrics and params echo the id as it was meant, decoded."""
    response = await api.get(URL(f"{API}/runs/a%2Fb%20c/params", encoded=True))
    assert {"run_id": "a/b c", "params": {}} == await answered(response, schemas.RunParams)


async def test_ids_differ_by_case(api: Client, fake: FakeMlflow) -> None:
    """An id in capitals is another id."""
    fake.add_run(run_id="abc")
    await refused(await api.get(f"{API}/runs/ABC"), 404, "run_not_found")


async def test_an_upstream_404_that_is_not_of_the_run_is_no_missing_run(fake: FakeMlflow) -> None:
    """Only MLflow's own word makes a run missing: the HTML 404 of a wrong address is an upstream failure."""
    async with serving(f"{fake.url}nowhere/") as api:
        await refused(await api.get(f"{API}/runs/abc"), 502, "upstream_error")
        await refused(await api.get(f"{API}/runs/abc/metrics"), 502, "upstream_error")
