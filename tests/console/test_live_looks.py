"""Pages of runs that go on look again when the service tells of a change, and else every few seconds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from tests.api.serving import serving
from tests.console.comparing import cell, compared, two_runs
from tests.console.conftest import QUICK_INDEX, Open, fixture
from tests.console.data import BEGIN
from tests.console.scripted import Answer, Script, plain, scripted
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console

ACTIVE = "cccc"
SNAPSHOT = 'id: e-1\nevent: snapshot\ndata: {"index": {"complete": true}, "total": 1}\n\n'
_HIDE = """(isHidden) => {
  Object.defineProperty(document, "hidden", { get: () => isHidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def told(name: str, number: int) -> str:
    """An event about the active run."""
    data = f'{{"run": {{"run_id": "{ACTIVE}"}}, "matches": true, "since_ms": null}}'
    return f"id: e-{number}\nevent: {name}\ndata: {data}\n\n"


def spoken(texts: asyncio.Queue[str]) -> Answer:
    """A stream that says what a test puts there."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        while True:
            await response.write((await texts.get()).encode())

    return answer


class Page:
    """The page of a run that goes on, whose time is the test's."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched

    @property
    def looks(self) -> int:
        """How often the run was asked for."""
        return sum(url.endswith(f"/tracking/runs/{ACTIVE}") for url in self.watched.requests)

    async def has_looked(self, times: int) -> None:
        """Wait until it was asked for so often."""
        await self.until(lambda: self.looks >= times)
        assert times == self.looks

    async def shows(self, locator: Any) -> None:
        """Wait until that is there."""
        async with asyncio.timeout(15):
            while not await locator.count():
                await self.later(0.02)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the page's time go on a little until it holds."""
        async with asyncio.timeout(15):
            while not condition():
                await self.later(0.02)

    async def later(self, seconds: float) -> None:
        """Let the page's time go on."""
        await self.watched.page.clock.run_for(seconds * 1_000)

    async def is_hidden(self, hidden: bool) -> None:
        await self.watched.page.evaluate(_HIDE, hidden)


Begin = Callable[..., Awaitable[Page]]


@fixture
async def begin(fake: FakeMlflow, pages: AsyncExitStack, open_page: Open) -> AsyncIterator[Begin]:
    """Shows the page of a run that goes on, of a service whose events are those of a script.

    begin(script, expected message). The service remembers runs for an hour.
    """
    async with (
        serving(fake.url, index=QUICK_INDEX, cache={"active_ttl": 3_600}) as client,
        AsyncExitStack() as stack,
    ):

        async def begun(script: Script, expected: str = "") -> Page:
            fake.add_run(run_id=ACTIVE, status="RUNNING", metrics={"x": 1.0}, start_time=BEGIN)
            watched = await open_page(await stack.enter_async_context(scripted(client, script)))
            if expected:
                watched.expected.append(expected)
            await watched.page.clock.install()
            await watched.go(f"run?id={ACTIVE}")
            await watched.page.locator(".run-facts").get_by_text("running").wait_for()
            page = Page(watched)
            await page.until(lambda: len(script.requests) > 0)
            return page

        yield begun
        await pages.aclose()


async def test_a_run_is_looked_at_when_it_changes(begin: Begin, fake: FakeMlflow) -> None:
    """While nothing is told nothing is asked; what is told is asked of MLflow, whatever is remembered."""
    texts: asyncio.Queue[str] = asyncio.Queue()
    script = Script(spoken(texts))
    page = await begin(script)
    assert {"filter": f"run_id IN ('{ACTIVE}')", "experiment_id": "0"} == dict(script.requests[0].query)
    await texts.put(SNAPSHOT)
    await page.has_looked(2)  # since the run may have changed before the stream began
    await page.later(10)
    assert 2 == page.looks
    fake.log(ACTIVE, "x", [(1, BEGIN + 1, 7.5)])
    await texts.put(told("run.updated", 2))
    await page.shows(page.watched.page.locator("tr", has_text="7.5"))
    await page.shows(page.watched.page.locator(".chart-plot[aria-label*='last 7.5']"))
    assert 3 == page.looks


async def test_changes_are_gathered(begin: Begin) -> None:
    """Of changes that follow each other the next look is 4 s after the last one."""
    texts: asyncio.Queue[str] = asyncio.Queue()
    page = await begin(Script(spoken(texts)))
    await texts.put(SNAPSHOT + told("run.updated", 2) + told("run.updated", 3))
    await page.has_looked(2)
    await texts.put(told("run.updated", 4) + told("run.updated", 5))
    await page.later(3)
    assert 2 == page.looks
    await page.later(3)
    await page.has_looked(3)


async def test_a_run_that_ends_is_looked_at_at_once(begin: Begin, fake: FakeMlflow) -> None:
    """Its end is shown without a wait, and from then on nobody listens or asks."""
    texts: asyncio.Queue[str] = asyncio.Queue()
    script = Script(spoken(texts))
    page = await begin(script)
    await texts.put(SNAPSHOT)
    await page.has_looked(2)
    fake.store.runs[ACTIVE].update(status="FINISHED", end_time=BEGIN + 3_840_000)
    await texts.put(told("run.ended", 2))
    await page.shows(page.watched.page.locator(".run-facts").get_by_text("finished"))
    await page.watched.is_settled()
    await page.later(4)  # in which answers that were renewed are asked for again
    before = len(page.watched.requests)
    await page.later(60)
    assert before == len(page.watched.requests)


@pytest.mark.parametrize("status", [404, 422, 503])
async def test_without_events_it_asks_every_few_seconds(begin: Begin, status: int) -> None:
    """Of a replica that is too old, an index that is off, or a service that refuses, it is all the same."""
    refusal = {"code": "refused", "detail": "No events here.", "status": status}
    page = await begin(Script(plain(status, refusal)), str(status))
    for times in (2, 3):
        await page.later(4)
        await page.has_looked(times)


async def test_while_mlflow_does_not_answer_it_asks_every_few_seconds(begin: Begin) -> None:
    """Its silence says nothing then; once MLflow answers, the page listens again."""
    texts: asyncio.Queue[str] = asyncio.Queue()
    page = await begin(Script(spoken(texts)))
    await texts.put(SNAPSHOT)
    await page.has_looked(2)
    await texts.put(told("stale", 2))
    await page.later(4)
    await page.has_looked(3)
    await texts.put(told("fresh", 3))
    await page.has_looked(4)
    await page.later(12)
    assert 4 == page.looks


async def test_a_hidden_page_costs_nothing(begin: Begin) -> None:
    """Nothing is asked while it is hidden; seen again, it goes on listening where it was."""
    texts: asyncio.Queue[str] = asyncio.Queue()
    script = Script(spoken(texts))
    page = await begin(script)
    await texts.put(SNAPSHOT)
    await page.has_looked(2)
    await page.watched.is_settled()
    await page.is_hidden(True)
    before = len(page.watched.requests)
    await page.later(3_600)
    assert before == len(page.watched.requests)
    await page.is_hidden(False)
    await page.until(lambda: len(script.requests) == 2)
    assert "e-1" == script.requests[1].headers["Last-Event-ID"]


async def test_a_comparison_is_looked_at_when_a_run_changes(
    fake: FakeMlflow, pages: AsyncExitStack, open_page: Open
) -> None:
    """Its figures and its end are shown though others are remembered; ended runs are not asked for anew."""
    async with serving(fake.url, index=QUICK_INDEX, cache={"active_ttl": 3_600}) as client:
        watched = await open_page(client)
        first, second = two_runs(fake)
        fake.add_run(run_id=ACTIVE, status="RUNNING", metrics={"oos_sharpe": 0.1})
        table = await compared(watched, [first, second, ACTIVE])
        await table.locator(f'th[data-run="{ACTIVE}"]', has_text="running").wait_for()
        fake.log(ACTIVE, "oos_sharpe", [(1, BEGIN, 7.5)])
        await cell(table, "oos_sharpe", ACTIVE).get_by_text("7.5").wait_for()
        fake.store.runs[ACTIVE].update(status="FINISHED", end_time=BEGIN)
        await table.locator(f'th[data-run="{ACTIVE}"]', has_text="finished").wait_for()
        asked = [url for url in watched.requests if "/tracking/runs/" in url]
        assert not [url for url in asked if url.endswith((f"/runs/{first}", f"/runs/{second}"))]
        await pages.aclose()
