"""The examples of the API reference, logged in MLflow, come back as the reference shows them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from service.api import examples
from tests.api.serving import API, serving
from tests.live.contract import Page, page_of
from tests.live.logbook import Logbook, unique

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.live]

DETAIL = examples.RUN_DETAIL


@pytest_asyncio.fixture(loop_scope="module")
async def page(real: Logbook) -> AsyncIterator[Page]:
    """A page over an experiment whose artifacts are where the reference has them."""
    async with page_of(real, artifact_location="s3://mlflow-artifacts/1") as page:
        yield page


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def real(real_mlflow: str) -> AsyncIterator[Logbook]:
    async with aiohttp.ClientSession(real_mlflow) as session:
        yield Logbook(session)


async def logged(page: Page, run: dict[str, Any], tags: dict[str, str]) -> str:
    """Log a run of the reference; MLflow's own id for it."""
    run_id = await page.mlflow.create_run(
        page.experiment, run["run_name"], tags=tags, start_time=run.get("start_time", 1699900800000)
    )
    await page.mlflow.log(run_id, params=run.get("params"), metrics=run.get("metrics"))
    await page.mlflow.finish(run_id, "FINISHED", DETAIL["end_time"])
    return run_id


async def body_of(page: Page, method: str, path: str, ids: dict[str, str], body: object = None) -> Any:
    """The answer to a request of the reference, which has the reference's ids in MLflow's place."""
    for example, real in ids.items():
        path = path.replace(example, real)
        body = json.loads(json.dumps(body).replace(example, real))
    response = await page.api.request(method, API + path, json=body)
    text = await response.text()
    assert 200 == response.status, text
    for example, real in ids.items():
        text = text.replace(real, example)
    return json.loads(text)


def with_name(body: dict[str, Any]) -> dict[str, Any]:
    """A body of the reference with the tag that MLflow adds to every run."""
    if "runs" in body:
        return {**body, "runs": [with_name(run) for run in body["runs"]]}
    return {**body, "tags": {**body["tags"], "mlflow.runName": body["run_name"]}}


async def test_list_and_search_runs(page: Page) -> None:
    """GET /runs?run_type=…&strategy_id=…&limit=20"""
    [run] = examples.RUN_LIST["runs"]
    ids = {run["run_id"]: await logged(page, run, run["tags"])}
    path = f"/runs?run_type=walk_forward&strategy_id={examples.STRATEGY}&limit=20"
    assert with_name(examples.RUN_LIST) == await body_of(page, "GET", path, ids)


async def test_get_run_detail(page: Page) -> None:
    """GET /runs/abc123def456"""
    ids = {DETAIL["run_id"]: await logged(page, DETAIL, DETAIL["tags"])}
    assert with_name(DETAIL) == await body_of(page, "GET", f"/runs/{DETAIL['run_id']}", ids)


async def test_get_run_metrics(page: Page) -> None:
    """GET /runs/abc123def456/metrics"""
    ids = {DETAIL["run_id"]: await logged(page, DETAIL, DETAIL["tags"])}
    body = await body_of(page, "GET", f"/runs/{DETAIL['run_id']}/metrics", ids)
    assert examples.RUN_METRICS == body


async def test_get_run_hyperparameters(page: Page) -> None:
    """GET /runs/abc123def456/params"""
    run = {**DETAIL, "params": examples.RUN_PARAMS["params"]}
    ids = {DETAIL["run_id"]: await logged(page, run, DETAIL["tags"])}
    assert examples.RUN_PARAMS == await body_of(page, "GET", f"/runs/{DETAIL['run_id']}/params", ids)


async def test_compare_runs(page: Page) -> None:
    """POST /runs/compare"""
    ids = {
        run["run_id"]: await logged(page, run, {"run_type": run["run_type"]})
        for run in examples.COMPARISON["runs"]
    }
    body = await body_of(page, "POST", "/runs/compare", ids, examples.COMPARE_REQUEST)
    assert examples.COMPARISON == body
    assert [run["run_id"] for run in examples.COMPARISON["runs"]] == list(
        body["metric_diff"]["oos_sharpe"]["values"]
    )


async def test_list_mlflow_experiments(page: Page) -> None:
    """GET /experiments"""
    name = unique("hedge-fund-research")
    created = await page.mlflow.write(
        "experiments/create", name=name, artifact_location="s3://mlflow-artifacts/1"
    )
    async with serving(str(page.mlflow._session._base_url)) as api:
        listed = (await (await api.get(f"{API}/experiments")).json())["experiments"]
    default, research = examples.EXPERIMENTS["experiments"]
    assert default == listed[0]
    assert {**research, "experiment_id": created["experiment_id"], "name": name} == listed[-1]
