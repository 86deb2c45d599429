"""What the server has of a run, by its own answer, is what the service tells."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.live.contract import Page, page_of
from tests.live.logbook import Logbook

pytestmark = pytest.mark.asyncio(loop_scope="module")

# As MLflow's own clients and its integrations write them.
TAGS = {
    "mlflow.user": "quant",
    "mlflow.source.name": "train.py",
    "mlflow.note.content": "# A note\nwith 'quotes'",
    "run_type": "training",
    "a/b-c d.e": "",
}


@pytest_asyncio.fixture(loop_scope="module")
async def page(mlflow: Logbook) -> AsyncIterator[Page]:
    async with page_of(mlflow) as page:
        yield page


async def test_all_that_the_server_has(page: Page) -> None:
    """A run's tags, MLflow's own included, params and metrics are told as the server has them."""
    run_id = await page.mlflow.create_run(page.experiment, "named", tags=TAGS, user_id="quant")
    await page.mlflow.log(run_id, params={"a/b c": " x ", "empty": ""}, metrics={"val/loss": -0.0, "n": 7})
    told = (await page.mlflow.get("runs/get", run_id=run_id)).body["run"]["data"]
    assert TAGS.items() <= by_key(told["tags"]).items()
    for answer in (await page.detail(run_id), (await page.listed())[0]):
        assert by_key(told["tags"]) == answer["tags"]
        assert by_key(told["params"]) == answer["params"]
        assert by_key(told["metrics"]) == answer["metrics"]


def by_key(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: pair["value"] for pair in pairs}
