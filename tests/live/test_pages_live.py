"""Walking the pages of GET /runs over a real MLflow and over the fake."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from yarl import URL

from service.api import schemas
from tests.api.serving import API, answered
from tests.live.contract import FRESH, Page, page_of
from tests.live.logbook import Logbook, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def page(mlflow: Logbook) -> AsyncIterator[Page]:
    async with page_of(mlflow) as page:
        yield page


async def started(page: Page, *starts: int, experiment: str = "") -> list[str]:
    """Runs of these starts; their ids, newest first."""
    where = experiment or page.experiment
    runs = [(-start, await page.mlflow.create_run(where, "n", start_time=start)) for start in starts]
    return [run_id for _, run_id in sorted(runs)]


async def walked(page: Page, *arriving: int, **query: str) -> list[list[str]]:
    """The ids on each page. arriving: starts of runs of which one comes after each page."""
    address, pages, coming = URL(f"{API}/runs").with_query(query), [], list(arriving)
    while True:
        response = await page.api.get(address, headers=FRESH)
        body = await answered(response, schemas.RunList)
        pages.append([run["run_id"] for run in body["runs"]])
        if "Link" not in response.headers:
            return pages
        address = URL(str(response.links["next"]["url"])).relative()
        if coming:
            await started(page, coming.pop())


async def test_walking_meets_every_run_once(page: Page) -> None:
    """Runs that started together, before 1970 and at 0 among them, in the order of the one long list."""
    expected = await started(page, 9, 7, 7, 7, 7, 7, 3, 0, 0, -5)
    assert expected == await page.ids()
    for limit in (1, 2, 3, 4, 10):
        pages = await walked(page, limit=str(limit))
        assert expected == [run_id for ids in pages for run_id in ids]
        assert -(-len(expected) // limit) == len(pages)


async def test_what_arrives_pushes_nothing_away(page: Page) -> None:
    """Each run that was there at first is met once, whether others come before, among or behind them."""
    expected = await started(page, 9, 7, 7, 7, 5, 3)
    pages = await walked(page, 10, 7, 10, 1, 7, limit="2")
    run_ids = [run_id for ids in pages for run_id in ids]
    assert expected == [run_id for run_id in run_ids if run_id in expected]
    assert len(set(run_ids)) == len(run_ids)


async def test_filters_hold_on_every_page(page: Page) -> None:
    """A text that MLflow's grammar cannot quote, too."""
    run_type = 'it\'s "odd"'
    for start in range(6):
        tags = {"run_type": run_type if start % 2 else "it_s _odd_"}
        await page.mlflow.create_run(page.experiment, str(start), tags=tags, start_time=start)
    assert [1, 1, 1] == list(map(len, await walked(page, run_type=run_type, limit="1")))


async def test_another_experiment(page: Page) -> None:
    """experiment_id lists its runs; one that is unknown has none."""
    other = await page.mlflow.create_experiment(unique("other"))
    expected = await started(page, 3, 2, 1, experiment=other)
    assert [expected[:2], expected[2:]] == await walked(page, experiment_id=other, limit="2")
    for unknown in ("987654321", "9" * 18, "9" * 19, "none"):
        assert [[]] == await walked(page, experiment_id=unknown)
