"""Streams of events as HTTP: how many, for how long, how they end, and what is said of them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from aiohttp import web

from service.errors import IndexNotReady, InvalidRequest
from service.http.access_record import AccessRecord
from service.http.capacity import Capacity
from service.http.event_stream import Sink, framed
from service.http.server import Server
from service.http.streams import Opening, Streams
from tests.cache.scripted import Clock
from tests.http.pipelines import pipeline
from tests.http.raw import Connection, connected

GET = b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n"


class Served:
    """Streams that a test feeds. sinks: those that are open. records: what the log would say."""

    def __init__(self, limit: int = 10, drain_seconds: float = 0.0) -> None:
        self.clock = Clock()
        self.drawn = 1.0
        self.streams = Streams(limit, drain_seconds, self.clock, lambda _, most: min(most, self.drawn))
        self.capacity = Capacity(1)
        self.sinks: list[Sink] = []
        self.records: list[AccessRecord] = []
        self.refuses: Exception | None = None
        self.port = 0

    async def respond(self, _request: web.BaseRequest) -> web.StreamResponse:
        """A stream that begins with an event."""
        return await self.streams.open(self._opening)

    async def opened(self, streams: int) -> None:
        """Wait until so many are open."""
        async with asyncio.timeout(10):
            while len(self.sinks) != streams:
                await asyncio.sleep(0)

    async def _opening(self) -> Opening:
        if self.refuses is not None:
            raise self.refuses
        return Opening(b"event: hello\ndata: 1\n\n", self._feed)

    @contextmanager
    def _feed(self, sink: Sink) -> Iterator[None]:
        self.sinks.append(sink)
        try:
            yield
        finally:
            self.sinks.remove(sink)


@asynccontextmanager
async def served(one: Served) -> AsyncIterator[Served]:
    """The streams behind the pipeline of the service."""
    respond = pipeline(one.capacity, [one.records.append]).wrap(one.respond)
    server = Server(respond, respond)  # type: ignore[arg-type] # nothing unreadable is sent
    runner = web.ServerRunner(server, shutdown_timeout=0.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        one.port = runner.addresses[0][1]
        yield one
    finally:
        await runner.cleanup()


async def head_of(connection: Connection) -> bytes:
    """The head of a stream's answer."""
    return await connection.read_to(b"\r\n\r\n")


async def test_a_stream_is_open_until_it_is_ended() -> None:
    """It begins with how long to wait and its first event, takes frames, and ends as HTTP ends a body."""
    async with served(Served()) as one, connected(one.port) as caller:
        caller.send(GET)
        head = await head_of(caller)
        await one.opened(1)
        assert one.sinks[0].offer(framed(b"event: more\ndata: 2\n\n"))
        one.sinks[0].end()
        body = await caller.to_the_end()
    assert b"Content-Type: text/event-stream\r\n" in head
    assert b"Cache-Control: no-store\r\nVary: Accept\r\nX-Accel-Buffering: no\r\n" in head
    assert b"Connection: close" in head
    first, second, third, *rest = body.split(b"\r\n")[1::2]
    assert first.startswith(b"retry: ")
    assert first.endswith(b"\n\nevent: hello\ndata: 1\n\n")
    assert b"event: more\ndata: 2\n\n" == second
    assert 500 <= int(third.removeprefix(b"retry: ").strip()) <= 3_000
    assert body.endswith(b"\r\n0\r\n\r\n")
    assert [] == [one for one in rest if one]


async def test_http_1_0_has_no_chunks() -> None:
    """To a caller of HTTP/1.0, such as a proxy, the events come as they are, up to the connection's end."""
    async with served(Served()) as one, connected(one.port) as caller:
        caller.send(b"GET /events HTTP/1.0\r\n\r\n")
        head = await head_of(caller)
        await one.opened(1)
        one.sinks[0].offer(framed(b"event: more\ndata: 2\n\n"))
        one.sinks[0].end()
        body = await caller.to_the_end()
    assert b"chunked" not in head
    assert b"\n\nevent: hello\ndata: 1\n\nevent: more\ndata: 2\n\nretry: " in body


async def test_head_has_no_body() -> None:
    """HEAD is answered with the head of a stream, and nothing is open then."""
    async with served(Served()) as one, connected(one.port) as caller:
        caller.send(b"HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await caller.to_the_end()
        assert (0, 1) == (len(one.streams), len(one.records))
    assert b"Content-Type: text/event-stream\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


async def test_streams_are_no_requests_in_flight() -> None:
    """Open streams take none of the places of requests."""
    async with served(Served()) as one, connected(one.port) as first, connected(one.port) as second:
        for caller in (first, second):
            caller.send(GET)
            await head_of(caller)
        await one.opened(2)
        assert (0, 2) == (one.capacity.active, len(one.streams))


async def test_more_streams_than_a_replica_has() -> None:
    """One above the limit is told so in an event, with status 200, so that a browser comes back."""
    async with served(Served(limit=1)) as one:
        async with connected(one.port) as first, connected(one.port) as second:
            first.send(GET)
            await one.opened(1)
            second.send(GET)
            answer = await second.to_the_end()
            assert (1, 1) == (len(one.streams), one.streams.refused)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\n\r\nretry: " in answer
        assert b'\n\nevent: unavailable\ndata: {"type":"urn:experiment-tracking:problem:overloaded"' in answer
        assert ["overloaded"] == [record.code for record in one.records if record.code]
        await one.opened(0)
        async with connected(one.port) as third:
            third.send(GET)
            await one.opened(1)


async def test_what_goes_by_itself_is_told_in_an_event() -> None:
    """An index that still reads is no reason for a browser to give up for good."""
    async with served(Served()) as one, connected(one.port) as caller:
        one.refuses = IndexNotReady(0.5)
        caller.send(GET)
        answer = await caller.to_the_end()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"status":503' in answer
    assert b'"share_read":0.5' in answer


async def test_what_is_wrong_is_an_error() -> None:
    """A request that no wait makes right is refused as on any route."""
    async with served(Served()) as one, connected(one.port) as caller:
        one.refuses = InvalidRequest([])
        caller.send(GET)
        answer = await caller.answer()
    assert (422, "application/problem+json") == (answer.status, answer.headers["content-type"])


async def test_a_stream_is_logged_once_with_its_length() -> None:
    """The record of a stream comes when it is over; its duration is that of the answer, not of the stream."""
    async with served(Served()) as one, connected(one.port) as caller:
        caller.send(GET)
        await one.opened(1)
        assert [] == one.records
        one.clock.tick(90.0)
        one.sinks[0].end()
        await caller.to_the_end()
    [record] = one.records
    assert (200, 90_000.0) == (record.status, record.streamed_ms)
    assert record.duration_ms < 5_000


async def test_a_caller_who_leaves_ends_its_stream() -> None:
    """When a caller hangs up, its stream is over, and the log says how long it was open."""
    async with served(Served()) as one:
        async with connected(one.port) as caller:
            caller.send(GET)
            await one.opened(1)
        await one.opened(0)
        async with asyncio.timeout(10):
            while not one.records:
                await asyncio.sleep(0)
        assert 0 == len(one.streams)


async def test_a_caller_who_takes_nothing_is_cut_off() -> None:
    """A stream whose caller does not read takes no more soon, and after half a minute it is over."""
    async with served(Served()) as one, connected(one.port) as caller:
        caller.send(GET)
        await head_of(caller)
        await one.opened(1)
        [sink] = one.sinks
        offered = 0
        while sink.offer(framed(b"x" * 32_768)):
            offered += 1
            assert offered < 1_000
        one.clock.tick(29.0)
        assert not sink.is_ready()
        await asyncio.sleep(0)
        assert [sink] == one.sinks
        one.clock.tick(2.0)
        assert not sink.is_ready()
        await one.opened(0)


async def test_a_stream_does_not_last_for_ever() -> None:
    """After its time a stream ends by itself, so that its caller is authenticated anew."""
    one = Served()
    one.drawn = 0.0  # of fifteen minutes
    async with served(one), connected(one.port) as caller:
        caller.send(GET)
        assert (await caller.to_the_end()).endswith(b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("is_draining", [True, False])
async def test_streams_end_when_the_service_stops(is_draining: bool) -> None:
    """All streams end with how long to wait, and new ones are refused in the same way."""
    async with served(Served()) as one, connected(one.port) as caller, connected(one.port) as late:
        caller.send(GET)
        await one.opened(1)
        if is_draining:
            one.streams.drain()
        else:
            one.streams.end()
        late.send(GET)
        assert b"\nretry: " in (await caller.to_the_end())
        assert b"event: unavailable" in (await late.to_the_end())
        await one.opened(0)
