"""Listening to events in a real browser: what is asked, and when, and what is told."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from service.console.files import digest
from tests.api.serving import Client
from tests.console.conftest import Open, fixture
from tests.console.scripted import Answer, Script, plain, scripted, stream
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console

_LISTEN = """
async ([address, options]) => {
  const { listen } = await import(address);
  window.heard = [];
  window.states = [];
  let isHidden = false;
  Object.defineProperty(document, "hidden", { get: () => isHidden });
  window.hide = (hidden) => {
    isHidden = hidden;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  const limits = { silence: 300, quiet: 60_000, poll: 30, idle: 60_000, longest: 60_000, first: 30 };
  window.stop = listen({
    filter: "status = 'FINISHED'", experimentIds: ["1", "2"], limits, draw: () => 1,
    onEvent: (event) => window.heard.push(event), onState: (state) => window.states.push(state), ...options,
  });
}
"""


def event(number: int, name: str = "run.updated", data: str = "{}") -> str:
    return f"id: e-{number}\nevent: {name}\ndata: {data}\n\n"


def polled(id_: str, name: str) -> Answer:
    """The answer to a poll: one event."""
    one = {"id": id_, "event": name, "data": {}}
    return plain(200, {"events": [one], "next": id_, "reset": False})


class Listening:
    """A page that listens. script: of what the service answers."""

    def __init__(self, watched: Watched, script: Script) -> None:
        self.watched = watched
        self.script = script

    async def begin(self, **options: Any) -> None:
        await self.watched.go("health")
        await self.watched.has_title("Health")
        address = f"{self.watched.base}assets/{digest()}/js/live/listen.js"
        await self.watched.page.evaluate(_LISTEN, [address, options])

    async def ids(self) -> list[str]:
        return [one["id"] for one in await self.watched.page.evaluate("window.heard")]

    async def state(self) -> dict[str, Any]:
        return dict(await self.watched.page.evaluate("window.states.at(-1) ?? {}"))

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it holds, for so long as a busy machine may take."""
        async with asyncio.timeout(15):
            while not await condition():
                await asyncio.sleep(0.02)

    async def hears(self, *ids: str) -> None:
        async def heard() -> bool:
            return len(await self.ids()) >= len(ids)

        await self.until(heard)
        assert list(ids) == await self.ids()

    async def is_in(self, name: str) -> dict[str, Any]:
        async def is_it() -> bool:
            return name == (await self.state()).get("name")

        await self.until(is_it)
        return await self.state()


Begin = Callable[..., Awaitable[Listening]]


@fixture
async def listening(open_page: Open, indexed: Client) -> Any:
    """Opens a page that listens to a script."""
    begun: list[Listening] = []
    async with AsyncExitStack() as stack:

        async def begin(*answers: Any, expected: str = "", **options: Any) -> Listening:
            script = Script(*answers)
            address = await stack.enter_async_context(scripted(indexed, script))
            listening = Listening(await open_page(address), script)
            if expected:
                listening.watched.expected.append(expected)
            await listening.begin(**options)
            begun.append(listening)
            return listening

        yield begin
        for one in begun:
            await one.watched.page.evaluate("window.stop()")


async def test_a_stream_goes_on_where_it_ended(listening: Begin) -> None:
    """When a stream ends, the next one names the last event, a mere position too; nothing comes twice."""
    rest = asyncio.Event()
    first = stream("retry: 20\n\n" + event(1, "snapshot") + event(2) + ":\nid: e-7\n\n")
    page = await listening(first, stream(event(8), then=rest))
    await page.hears("e-1", "e-2", "e-8")
    begun, resumed = page.script.requests
    assert {"filter": "status = 'FINISHED'", "experiment_id": "1,2"} == dict(begun.query)
    assert None is begun.headers.get("Last-Event-ID")
    assert "e-7" == resumed.headers["Last-Event-ID"]
    assert "live" == (await page.state())["name"]
    rest.set()


async def test_a_stream_that_is_held_back_is_replaced_by_polls(listening: Begin) -> None:
    """Where a proxy keeps a stream back, polls bring the events, each from the last one on."""
    held = asyncio.Event()
    polls = [
        plain(
            200, {"events": [{"id": "e-1", "event": "snapshot", "data": {}}], "next": "e-1", "reset": False}
        ),
        plain(
            200, {"events": [{"id": "e-2", "event": "run.ended", "data": {}}], "next": "e-2", "reset": False}
        ),
        plain(200, {"events": [], "next": "e-3", "reset": False}),
    ]
    page = await listening(stream("", then=held), *polls)
    await page.hears("e-1", "e-2")
    held.set()
    assert [None, "e-1"] == [one.query.get("since") for one in page.script.requests[1:3]]
    assert all("application/json" == one.headers["Accept"] for one in page.script.requests[1:])
    state = await page.state()
    assert ("live", "poll") == (state["name"], state["by"])


async def test_a_replica_that_is_full_is_polled(listening: Begin) -> None:
    """Where there is no room for one more stream, polls take its place."""
    full = event(0, "unavailable", '{"code": "overloaded", "detail": "Full.", "status": 503}')
    poll = plain(
        200, {"events": [{"id": "e-1", "event": "snapshot", "data": {}}], "next": "e-1", "reset": False}
    )
    page = await listening(stream("retry: 20\n\n" + full), poll)

    async def has_heard() -> bool:
        return "e-1" in await page.ids()

    await page.until(has_heard)
    assert {"e-1"} == set(await page.ids())
    assert "poll" == (await page.state())["by"]


@pytest.mark.parametrize(("status", "name"), [(404, "old"), (422, "refused"), (403, "refused")])
async def test_what_asking_again_does_not_change_is_asked_once(
    listening: Begin, status: int, name: str
) -> None:
    """A replica without events, and one that refuses the filter or the caller, are not asked again."""
    problem = {"code": "some_code", "detail": "No.", "status": status}
    page = await listening(plain(status, problem), expected=str(status))
    state = await page.is_in(name)
    assert ("No.", None) == (state["detail"], state["retryAt"])
    assert 1 == len(page.script.requests)


async def test_retry_after_is_obeyed(listening: Begin) -> None:
    """A 503 with Retry-After is asked again no sooner, and the state says when."""
    problem = {"code": "upstream_unavailable", "detail": "MLflow is away.", "status": 503}
    page = await listening(plain(503, problem, Retry_After="40"), expected="503")
    before = await page.watched.page.evaluate("Date.now()")
    state = await page.is_in("waiting")
    assert "MLflow is away." == state["detail"]
    assert state["retryAt"] - before > 35_000
    assert 1 == len(page.script.requests)


async def test_what_is_not_available_for_now_is_asked_for_again(listening: Begin) -> None:
    """A stream that says it cannot be had for now, such as while runs are read, is opened again later."""
    away = event(0, "unavailable", '{"code": "index_not_ready", "detail": "Soon.", "status": 503}')
    rest = asyncio.Event()
    page = await listening(stream("retry: 20\n\n" + away), stream(event(1, "snapshot"), then=rest))
    await page.hears("e-1")
    states = await page.watched.page.evaluate("window.states")
    assert "Soon." in [state["detail"] for state in states if state["name"] == "waiting"]
    rest.set()


async def test_a_hidden_tab_listens_to_nothing(listening: Begin) -> None:
    """A tab that is hidden closes its stream; when it is shown again, one request goes on there."""
    rest = asyncio.Event()
    page = await listening(stream(event(1, "snapshot"), then=rest), stream(event(2), then=rest))
    await page.hears("e-1")
    await page.watched.page.evaluate("window.hide(true)")
    await page.is_in("hidden")
    assert 1 == len(page.script.requests)
    await page.watched.page.evaluate("window.hide(false)")
    await page.hears("e-1", "e-2")
    assert ["e-1"] == [one.headers.get("Last-Event-ID") for one in page.script.requests[1:]]
    rest.set()


async def test_the_state_says_since_when_mlflow_does_not_answer(listening: Begin) -> None:
    """`stale` says since when nothing new is known, until `fresh`, and the listening page is told both."""
    rest = asyncio.Event()
    stale = event(1, "snapshot") + event(1, "stale", '{"since_ms": 1764201600000}')
    page = await listening(stream(stale + event(2, "fresh"), then=rest))
    await page.hears("e-1", "e-1", "e-2")
    since = [state["staleSince"] for state in await page.watched.page.evaluate("window.states")]
    assert 1764201600000 in since
    assert None is since[-1]
    rest.set()


async def test_a_position_that_is_not_known_any_more_means_to_read_anew(listening: Begin) -> None:
    """A poll whose position is refused is made without it, and the page is told to read anew."""
    polls = [
        plain(422, {"code": "invalid_request", "detail": "No position.", "status": 422}),
        plain(
            200, {"events": [{"id": "f-1", "event": "snapshot", "data": {}}], "next": "f-1", "reset": False}
        ),
    ]
    held = asyncio.Event()
    page = await listening(stream("", then=held), *polls, expected="422", since="e-9")

    async def has_begun_anew() -> bool:
        return "f-1" in await page.ids()

    await page.until(has_begun_anew)
    names = [one["event"] for one in await page.watched.page.evaluate("window.heard")]
    assert ["reset", "snapshot"] == names[:2]
    assert ["e-9", None] == [one.query.get("since") for one in page.script.requests[1:3]]
    held.set()


async def test_a_stopped_listener_asks_and_tells_nothing(listening: Begin) -> None:
    """Once stopped, the stream is closed, and no event or state is told."""
    rest = asyncio.Event()
    page = await listening(stream(event(1, "snapshot"), then=rest))
    await page.hears("e-1")
    told = await page.watched.page.evaluate("[window.stop(), window.states.length][1]")
    rest.set()
    await page.watched.page.evaluate("window.hide(true); window.hide(false);")
    assert told == await page.watched.page.evaluate("window.states.length")
    assert 1 == len(page.script.requests)


async def test_a_run_of_mlflow_is_heard_of(open_page: Open, indexed: Client, fake: FakeMlflow) -> None:
    """A run that MLflow gets while a page listens to the real service is told with its fields."""
    fake.add_run(tags={"mlflow.runName": "first"})
    page = Listening(await open_page(indexed), Script())
    await page.begin(filter="", experimentIds=[])

    async def has_heard() -> bool:
        return bool(await page.ids())

    await page.until(has_heard)
    run_id = fake.add_run(metrics={"oos_sharpe": 1.2})

    async def has_heard_of_it() -> bool:
        heard = await page.watched.page.evaluate("window.heard")
        return run_id in [one["data"].get("run", {}).get("run_id") for one in heard]

    await page.until(has_heard_of_it)
    await page.watched.page.evaluate("window.stop()")
