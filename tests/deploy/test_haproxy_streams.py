"""HAProxy and streams of events: they come through as they are written, and have places of their own."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.api.listening import EVENTS, EventReader, Heard
from tests.api.serving import refused
from tests.deploy.balancer import Balancer
from tests.deploy.stub import Stub, balanced_stubs

pytestmark = pytest.mark.haproxy

POLL = {"Accept": "application/json"}


class Streaming:
    """A replica that streams what a test wants. asked: how many streams it was asked for."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[bytes] = asyncio.Queue()
        self.asked = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse | None:
        if not request.path.endswith("/events") or request.headers.get("Accept") == POLL["Accept"]:
            return None
        self.asked += 1
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        while data := await self.coming.get():
            await response.write(data)
        return response


@asynccontextmanager
async def streaming(
    directory: Path, **variables: str
) -> AsyncIterator[tuple[aiohttp.ClientSession, Balancer, Stub, Streaming]]:
    """A client, the balancer, and the replica behind it."""
    async with (
        balanced_stubs(directory, 1, **variables) as (balancer, [stub]),
        aiohttp.ClientSession(balancer.url) as caller,
    ):
        replica = Streaming()
        stub.before = replica
        yield caller, balancer, stub, replica


async def heard_of(answer: aiohttp.ClientResponse) -> list[Heard]:
    """All events of a stream that ends."""
    assert (200, "text/event-stream") == (answer.status, answer.content_type)
    return EventReader().feed(await answer.read())


async def sessions(balancer: Balancer, backend: str) -> int:
    """How many requests a backend handles now."""
    async with aiohttp.request("GET", f"{balancer.operators}/metrics?scope=backend") as answer:
        text = await answer.text()
    found = re.search(rf'^haproxy_backend_current_sessions{{proxy="{backend}"}} (\d+)$', text, re.MULTILINE)
    assert found is not None
    return int(found[1])


async def test_events_come_as_they_are_written(tmp_path: Path) -> None:
    """Each event reaches the caller before the next one is written, and a stream takes no request's place."""
    async with streaming(tmp_path) as (caller, balancer, _, replica):
        answering = asyncio.create_task(caller.get(EVENTS))
        for number in range(5):
            event = b"id: e-%d\ndata: 1\n\n" % number
            replica.coming.put_nowait(event)
            async with asyncio.timeout(10):
                assert event == await (await answering).content.readexactly(len(event))
        assert (0, 1) == (await sessions(balancer, "replicas"), await sessions(balancer, "streams"))
        replica.coming.put_nowait(b"")
        assert b"" == await (await answering).read()


async def test_polls_are_requests(tmp_path: Path) -> None:
    """Whoever asks for JSON is sent where requests are, and counted as they are."""
    async with streaming(tmp_path, RATE_LIMIT="1") as (caller, _, stub, replica):
        async with caller.get(EVENTS, headers=POLL) as answer:
            assert 200 == answer.status
        await refused(await caller.get(EVENTS, headers=POLL), 429, "rate_limited")
        assert (1, 0) == (len(stub.asked), replica.asked)


async def test_a_stream_that_goes_on_is_not_counted(tmp_path: Path) -> None:
    """Above the limit a stream begins no more, but one that goes on does; a request is refused as ever."""
    async with streaming(tmp_path, RATE_LIMIT="2") as (caller, _, _stub, replica):
        for _ in range(5):
            replica.coming.put_nowait(b"")
            async with caller.get(EVENTS, headers={"Last-Event-ID": "e-1"}) as answer:
                assert 200 == answer.status
        for _ in range(2):
            replica.coming.put_nowait(b"")
            async with caller.get(EVENTS) as answer:
                assert 200 == answer.status
        async with caller.get(EVENTS) as answer:
            [unavailable] = await heard_of(answer)
        assert ("unavailable", "rate_limited") == (unavailable.name, unavailable.data["code"])
        await refused(await caller.get("/"), 429, "rate_limited")
        replica.coming.put_nowait(b"")
        async with caller.get(EVENTS, headers={"Last-Event-ID": "e-1"}) as answer:
            assert b"" == await answer.read()
        assert 8 == replica.asked


async def test_without_a_replica_a_browser_comes_back(tmp_path: Path) -> None:
    """Where no replica is left, a stream is told so with status 200, and how long to wait."""
    async with streaming(tmp_path) as (caller, balancer, stub, _):
        stub.ready = False
        await balancer.has(0)
        async with caller.get(EVENTS) as answer:
            body = await answer.read()
            request_id = answer.headers["X-Request-ID"]
        assert "no-store" == answer.headers["Cache-Control"]
    reader = EventReader()
    [unavailable] = reader.feed(body)
    assert ("unavailable", 503, "no_replica", request_id, 3_000) == (
        unavailable.name,
        unavailable.data["status"],
        unavailable.data["code"],
        unavailable.data["request_id"],
        reader.retry,
    )
