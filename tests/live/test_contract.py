"""The contract end to end: the same cases over the fake and over a real MLflow."""

import math
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.api import schemas
from tests.api.serving import API, refused, serving
from tests.live.contract import FRESH, Page, page_of
from tests.live.logbook import Logbook, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "0123456789abcdef0123456789abcdef"


@pytest_asyncio.fixture(loop_scope="module")
async def page(mlflow: Logbook) -> AsyncIterator[Page]:
    async with page_of(mlflow) as page:
        yield page


async def test_a_run_from_its_start_to_its_end(page: Page) -> None:
    """A run is listed and detailed while it runs, and after it has ended, with all that was logged."""
    assert await page.listed() == []
    # MLflow sets the last of the tags by itself, FastTrackML does not.
    tags = {"run_type": "walk_forward", "note": "é\n☃", "mlflow.runName": "walk_forward"}
    run_id = await page.mlflow.create_run(
        page.experiment, "walk_forward", tags=tags, start_time=1699900800000
    )
    summary = {
        "run_id": run_id,
        "run_name": "walk_forward",
        "status": "RUNNING",
        "start_time": 1699900800000,
        "params": {},
        "metrics": {},
        "tags": tags,
    }
    assert [summary] == await page.listed()
    artifacts = f"{page.mlflow.artifacts}{page.experiment}/{run_id}/artifacts"
    assert {**summary, "end_time": None, "artifact_uri": artifacts} == await page.detail(run_id)
    await page.mlflow.log(run_id, params={"n_splits": "5", "empty": ""}, metrics={"sharpe": 1.0}, step=1)
    await page.mlflow.log(run_id, metrics={"sharpe": 1.42, "loss": 0.5}, step=2)
    await page.mlflow.finish(run_id, "FAILED", 1699901520000)
    logged = {
        **summary,
        "status": "FAILED",
        "params": {"n_splits": "5", "empty": ""},
        "metrics": {"sharpe": 1.42, "loss": 0.5},
    }
    assert [logged] == await page.listed()
    assert {**logged, "end_time": 1699901520000, "artifact_uri": artifacts} == await page.detail(run_id)
    metrics = await page.ask(f"/runs/{run_id}/metrics", schemas.RunMetrics)
    assert {"run_id": run_id, "metrics": logged["metrics"]} == metrics
    params = await page.ask(f"/runs/{run_id}/params", schemas.RunParams)
    assert {"run_id": run_id, "params": logged["params"]} == params


async def test_values_that_json_lacks_are_null(page: Page) -> None:
    """NaN and the infinities, however MLflow keeps them, are null everywhere and never the best."""
    values = {"sharpe": math.nan, "calmar": math.inf, "sortino": -math.inf, "big": 1e308}
    first = await page.mlflow.create_run(page.experiment, "a")
    await page.mlflow.log(first, metrics=values)
    second = await page.mlflow.create_run(page.experiment, "b")
    await page.mlflow.log(second, metrics={"sharpe": -3.0, "calmar": math.nan})
    expected = {"sharpe": None, "calmar": None, "sortino": None, "big": 1e308}
    assert expected == (await page.detail(first))["metrics"]
    assert expected in [run["metrics"] for run in await page.listed()]
    best = {
        name: diff["best_run_id"] for name, diff in (await page.compare(first, second))["metric_diff"].items()
    }
    assert {"sharpe": second, "calmar": None, "sortino": None, "big": first} == best


async def test_the_newest_start_comes_first(page: Page) -> None:
    """Runs stand by descending start, and by id where they started together."""
    late = await page.mlflow.create_run(page.experiment, "late", start_time=30)
    together = [await page.mlflow.create_run(page.experiment, "together", start_time=20) for _ in range(3)]
    early = await page.mlflow.create_run(page.experiment, "early", start_time=10)
    expected = [late, *sorted(together), early]
    assert expected == await page.ids()
    assert expected[:2] == await page.ids(limit="2")
    assert expected == await page.ids(limit="1000")


async def test_filters(page: Page) -> None:
    """run_type and strategy_id narrow together, exactly and with regard to case; empty ones not at all."""
    tags = [
        ("training", "s1"),
        ("backtest", "s1"),
        ("training", "s2"),
        ("Training", "s1"),
        ("trainings", "s1"),
    ]
    ids = [
        await page.mlflow.create_run(
            page.experiment, "n", tags={"run_type": run_type, "strategy_id": strategy_id}, start_time=-number
        )
        for number, (run_type, strategy_id) in enumerate(tags)
    ]
    assert [ids[0], ids[2]] == await page.ids(run_type="training")
    assert [ids[0]] == await page.ids(run_type="training", strategy_id="s1")
    assert [ids[0], ids[1], ids[3], ids[4]] == await page.ids(strategy_id="s1")
    assert [] == await page.ids(run_type="cpcv")
    assert ids == await page.ids(run_type="", strategy_id="")


async def test_a_deleted_run(page: Page) -> None:
    """A deleted run is answered and compared, never listed, and listed again once it is restored."""
    kept, gone = [
        await page.mlflow.create_run(page.experiment, "n", start_time=-number) for number in range(2)
    ]
    await page.mlflow.log(gone, params={"p": "1"})
    await page.mlflow.delete_run(gone)
    assert [kept] == await page.ids()
    assert {"p": "1"} == (await page.detail(gone))["params"]
    assert {"p": "1"} == (await page.ask(f"/runs/{gone}/params", schemas.RunParams))["params"]
    assert [gone, kept] == [run["run_id"] for run in (await page.compare(gone, kept))["runs"]]
    await page.mlflow.restore_run(gone)
    assert [kept, gone] == await page.ids()


@pytest.mark.parametrize("run_id", [NOBODY, "nobody", NOBODY.upper(), "a" * 256])
async def test_an_unknown_run(page: Page, run_id: str) -> None:
    """A run that MLflow does not know is a 404 as a detail, and {} inside a 200 otherwise."""
    body = await refused(await page.api.get(f"{API}/runs/{run_id}"), 404, "run_not_found")
    assert [run_id] == body["missing_run_ids"]
    assert {} == (await page.ask(f"/runs/{run_id}/metrics", schemas.RunMetrics))["metrics"]
    assert {} == (await page.ask(f"/runs/{run_id}/params", schemas.RunParams))["params"]


async def test_an_id_in_capitals_is_another_one(page: Page) -> None:
    """A known run's id in capitals is unknown."""
    run_id = await page.mlflow.create_run(page.experiment, "n")
    if run_id != run_id.upper():
        await refused(await page.api.get(f"{API}/runs/{run_id.upper()}"), 404, "run_not_found")


async def test_comparing(page: Page) -> None:
    """Runs of several experiments are compared in the order asked for, by their own directions."""
    elsewhere = await page.mlflow.create_experiment(unique("elsewhere"))
    ids = [
        await page.mlflow.create_run(place, f"n{number}", tags={"run_type": "cpcv"} if number else {})
        for number, place in enumerate([page.experiment, elsewhere, page.experiment])
    ]
    for run_id, params, metrics in zip(
        ids,
        [{"lr": "0.1", "depth": "6"}, {"lr": "0.10", "depth": "6"}, {"depth": "6"}],
        [{"max_drawdown": -0.2, "rmse": 3.0}, {"max_drawdown": 0.1, "rmse": 2.0}, {"max_drawdown": -0.1}],
        strict=True,
    ):
        await page.mlflow.log(run_id, params=params, metrics=metrics)
    a, b, c = ids
    body = await page.compare(c, a, b)
    assert [(c, "cpcv"), (a, "unknown"), (b, "cpcv")] == [
        (run["run_id"], run["run_type"]) for run in body["runs"]
    ]
    assert {
        "max_drawdown": {"values": {c: -0.1, a: -0.2, b: 0.1}, "best_run_id": c},
        "rmse": {"values": {c: None, a: 3.0, b: 2.0}, "best_run_id": b},
    } == body["metric_diff"]
    assert {
        "depth": {"values": {c: "6", a: "6", b: "6"}, "varies": False},
        "lr": {"values": {c: None, a: "0.1", b: "0.10"}, "varies": True},
    } == body["param_diff"]
    assert [c, a, b] == list(body["metric_diff"]["rmse"]["values"])


async def test_comparing_with_what_is_missing(page: Page) -> None:
    """All that is missing is named in one 404."""
    run_id = await page.mlflow.create_run(page.experiment, "n")
    response = await page.api.post(f"{API}/runs/compare", json={"run_ids": ["zz", run_id, NOBODY]})
    assert ["zz", NOBODY] == (await refused(response, 404, "run_not_found"))["missing_run_ids"]


async def test_experiments(page: Page) -> None:
    """Active experiments come oldest first, the deleted are left out."""
    made = [await page.mlflow.create_experiment(unique(name)) for name in "cab"]
    await page.mlflow.delete_experiment(made[1])
    experiments = (await page.ask("/experiments", schemas.ExperimentList))["experiments"]
    assert {
        "experiment_id": page.experiment,
        "name": page.name,
        "artifact_location": f"{page.mlflow.artifacts}{page.experiment}",
        "lifecycle_stage": "active",
    } in experiments
    ids = [one["experiment_id"] for one in experiments]
    assert "0" == ids[0]
    assert [page.experiment, made[0], made[2]] == ids[-3:]


async def test_the_default_experiment_is_deleted(page: Page) -> None:
    """Without its experiment the list is empty; it is back when the experiment is."""
    run_id = await page.mlflow.create_run(page.experiment, "n")
    await page.mlflow.delete_experiment(page.experiment)
    assert [] == await page.ids()
    assert run_id == (await page.detail(run_id))["run_id"]
    await page.mlflow.restore_experiment(page.experiment)
    assert [run_id] == await page.ids()


async def test_the_default_experiment_does_not_exist(mlflow: Logbook) -> None:
    """An experiment that MLflow never had is a list of none."""
    async with serving(mlflow.url, mlflow_experiment_name=unique("never"), **mlflow.access) as api:
        response = await api.get(f"{API}/runs", headers=FRESH)
        assert {"runs": [], "total": 0} == await response.json()


async def test_an_upstream_address_that_is_wrong(mlflow: Logbook) -> None:
    """Below a wrong prefix MLflow answers HTML, and no run is called missing for that."""
    async with serving(f"{mlflow.url}nowhere", **mlflow.access) as api:
        for path in ("/runs", "/runs/abc", "/runs/abc/metrics", "/runs/abc/params", "/experiments"):
            await refused(await api.get(API + path), 502, "upstream_error")
        response = await api.post(f"{API}/runs/compare", json={"run_ids": ["a", "b"]})
        await refused(response, 502, "upstream_error")
