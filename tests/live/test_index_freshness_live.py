"""How soon the index knows what happens in a real MLflow, while somebody searches."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.api.serving import API, Client, serving
from tests.live.logbook import Logbook, unique

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

TICKING = 60.0  # seconds in which the next tick begins and ends, however busy the machine is
SWEEP = 120.0  # seconds that a sweep over a few runs may take: it begins each 30 s
SHOWN = 60.0  # seconds that verifying a row may take, which gives way to all else
ROUNDS = 20
LOOK = 0.05


class Watched:
    """An experiment of a real MLflow, and a service that indexes it."""

    def __init__(self, mlflow: Logbook, experiment_id: str, client: Client) -> None:
        self.mlflow = mlflow
        self.experiment_id = experiment_id
        self._client = client

    async def search(self, text: str, **more: str) -> dict[str, Any]:
        """The answer to a filter."""
        query = {"filter": text, "fields": "run_id", **more}
        async with self._client.get(f"{API}/runs/search", params=query) as response:
            assert response.status == 200, await response.text()
            return dict(await response.json())

    async def found_by_the_next_tick(self, text: str) -> None:
        """Return once an answer has the run that this filter describes as it is now in MLflow.

        The first answer whose tick began after now must have it, however long that takes.
        """
        happened = now()
        async with asyncio.timeout(TICKING):
            while not is_found(answer := await self.search(text)):
                assert (answer["index"]["synced_ms"] or 0) <= happened
                await asyncio.sleep(LOOK)

    async def until(
        self, text: str, is_it: Callable[[dict[str, Any]], bool], most: float, **more: str
    ) -> None:
        """Return once the answer to a filter is as it should be. TimeoutError where it never is."""
        async with asyncio.timeout(most):
            while not is_it(await self.search(text, **more)):
                await asyncio.sleep(LOOK)


def is_found(answer: dict[str, Any]) -> bool:
    return bool(answer["total"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(real_mlflow: str) -> AsyncIterator[Watched]:
    """A service that has read the few runs of its experiment, with its usual settings."""
    async with aiohttp.ClientSession(real_mlflow) as session:
        mlflow = Logbook(session)
        name = unique("fresh")
        experiment_id = await mlflow.create_experiment(name)
        for number in range(5):
            run_id = await mlflow.create_run(experiment_id, f"old {number}", start_time=number)
            await mlflow.finish(run_id, end_time=number + 1)
        async with serving(real_mlflow, index={}, mlflow_experiment_name=name) as client:
            watched = Watched(mlflow, experiment_id, client)
            await watched.until("", lambda answer: answer["total"] == 5, most=60.0)
            yield watched


def now() -> int:
    return time.time_ns() // 1_000_000


async def test_new_changed_and_ended_runs_are_found_after_a_tick(watched: Watched) -> None:
    """A tick that began after a run began, logged something, or ended finds it so, each of many times."""
    mlflow = watched.mlflow
    for number in range(ROUNDS):
        run_id = await mlflow.create_run(watched.experiment_id, f"new {number}", start_time=now())
        is_run = f"run_id = '{run_id}'"
        await watched.found_by_the_next_tick(is_run)
        await mlflow.log(run_id, metrics={"loss": number + 0.5})
        await watched.found_by_the_next_tick(f"{is_run} AND metrics.loss = {number + 0.5}")
        await mlflow.finish(run_id, end_time=now())
        await watched.found_by_the_next_tick(f"{is_run} AND status = 'FINISHED'")


async def test_a_late_tag_is_on_a_page_from_the_second_look_on(watched: Watched) -> None:
    """A run that ended long ago is looked at again once a page has shown it, so that a new tag is there soon.

    A sweep of so few runs may be as quick; tests/index tells the two apart.
    """
    [run_id, *_] = [run["run_id"] for run in (await watched.search("run_name = 'old 0'"))["runs"]]
    await asyncio.sleep(31)  # past TRACKING_CACHE__TERMINAL_TTL, after which a shown run is looked at again
    await watched.mlflow.log(run_id, tags={"approved": "yes"})
    shown = f"run_id = '{run_id}'"
    await watched.search(shown)

    def has_tag(answer: dict[str, Any]) -> bool:
        return bool(answer["runs"][0]["tags"])

    await watched.until(shown, has_tag, SHOWN, fields="tags.approved")


async def test_a_late_tag_is_found_after_a_sweep(watched: Watched) -> None:
    """A tag that is set late on a run that nobody sees is found once an answer says that it was swept."""
    [run_id] = [run["run_id"] for run in (await watched.search("run_name = 'old 4'"))["runs"]]
    await watched.mlflow.log(run_id, tags={"champion": "yes"})
    tagged = now()
    await watched.until("tags.champion = 'no'", lambda answer: answer["index"]["swept_ms"] > tagged, SWEEP)
    assert is_found(await watched.search("tags.champion = 'yes'"))
