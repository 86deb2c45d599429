"""MLflow's basic-auth app, which the service reads as a plain user."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.api import schemas
from tests.api.serving import API, Client, refused, serving
from tests.live.contract import FRESH, Page, page_of
from tests.live.logbook import Logbook, unique
from tests.matrix.cases.conftest import logbook_of
from tests.matrix.servers import Tracked
from tests.matrix.servers.accounts import ADMIN, RESEARCHER, forbid_experiment

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "0123456789abcdef0123456789abcdef"


@pytest_asyncio.fixture(loop_scope="module")
async def page(mlflow: Logbook) -> AsyncIterator[Page]:
    async with page_of(mlflow) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="module")
async def secret(tracked: Tracked) -> AsyncIterator[tuple[str, str]]:
    """An experiment of another's that the plain user may not read, by its name, and a run in it."""
    name = unique("secret")
    async with logbook_of(tracked, ADMIN) as admin:
        experiment_id = await admin.create_experiment(name)
        forbid_experiment(tracked.url, experiment_id, RESEARCHER, by=ADMIN)
        yield name, await admin.create_run(experiment_id, "n")


async def test_a_run_that_may_not_be_read(page: Page, secret: tuple[str, str]) -> None:
    """A run that the account may not read is a 404 that says so, or {} inside a 200, like an unknown run."""
    _, run_id = secret
    for unknown in (run_id, NOBODY):
        body = await refused(await page.api.get(f"{API}/runs/{unknown}"), 404, "run_not_found")
        assert "may not be read" in body["detail"]
        assert {} == (await page.ask(f"/runs/{unknown}/metrics", schemas.RunMetrics))["metrics"]
        assert {} == (await page.ask(f"/runs/{unknown}/params", schemas.RunParams))["params"]


async def test_comparing_with_what_may_not_be_read(page: Page, secret: tuple[str, str]) -> None:
    """All that may not be read or does not exist is named in one 404."""
    _, run_id = secret
    mine = await page.mlflow.create_run(page.experiment, "n")
    response = await page.api.post(f"{API}/runs/compare", json={"run_ids": [run_id, mine, NOBODY]})
    assert [run_id, NOBODY] == (await refused(response, 404, "run_not_found"))["missing_run_ids"]


async def test_an_experiment_that_may_not_be_read(page: Page, secret: tuple[str, str]) -> None:
    """A list of an experiment that the account may not read is a 502 upstream_forbidden that names it."""
    name, _ = secret
    async with serving(page.mlflow.url, mlflow_experiment_name=name, **page.mlflow.access) as api:
        body = await refused(await api.get(f"{API}/runs"), 502, "upstream_forbidden")
        assert name in body["detail"]
        await refused(await api.get(f"{API}/runs/{NOBODY}"), 404, "run_not_found")


async def test_only_what_may_be_read_is_listed(page: Page, secret: tuple[str, str]) -> None:
    """Of the experiments those are listed that the account may read."""
    name, _ = secret
    listed = await page.ask("/experiments", schemas.ExperimentList)
    names = [one["name"] for one in listed["experiments"]]
    assert page.name in names
    assert name not in names


async def test_a_wrong_password(page: Page) -> None:
    """Without a good password every route is a 502 upstream_auth, and no run is called missing."""
    access = {**page.mlflow.access, "mlflow_tracking_password": "another password"}
    async with serving(page.mlflow.url, mlflow_experiment_name=page.name, **access) as api:
        await assert_refused_everywhere(api)


async def test_a_wrong_prefix(page: Page) -> None:
    """Below a wrong prefix MLflow answers 403 to everything, which is a 502 upstream_auth on every route."""
    async with serving(f"{page.mlflow.url}nowhere", **page.mlflow.access) as api:
        await assert_refused_everywhere(api)


async def assert_refused_everywhere(api: Client) -> None:
    run = f"/runs/{NOBODY}"
    for path in ("/runs", run, f"{run}/metrics", f"{run}/params", "/experiments"):
        await refused(await api.get(API + path, headers=FRESH), 502, "upstream_auth")
    response = await api.post(f"{API}/runs/compare", json={"run_ids": ["a", "b"]})
    await refused(response, 502, "upstream_auth")


async def test_unreadable_runs_do_not_shut_the_door(page: Page, secret: tuple[str, str]) -> None:
    """Two dozen questions for a run that may not be read, and all others are answered meanwhile."""
    _, run_id = secret
    mine = await page.mlflow.create_run(page.experiment, "n")
    for _ in range(24):
        await refused(await page.api.get(f"{API}/runs/{run_id}", headers=FRESH), 404, "run_not_found")
        assert mine == (await page.detail(mine))["run_id"]
