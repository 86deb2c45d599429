"""A connection that is closed while its caller still sends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
import uvloop

from service.http.closing import Closing, Patience
from tests.http.raw import PATIENCE, Connection, connected

ANSWER = b"no"
MEGABYTE = b"x" * 1_000_000


class Hasty(asyncio.Protocol):
    """Answers the first bytes, and closes."""

    def __init__(self, closing: Closing, closed: asyncio.Event) -> None:
        self._closing = closing
        self._closed = closed
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none of asyncio's classes

    def data_received(self, _data: bytes) -> None:
        self._transport.write(ANSWER)
        self._transport.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._closing.take(self._transport)
        self._closed.set()


@asynccontextmanager
async def answered(closing: Closing) -> AsyncIterator[Connection]:
    """A caller who has sent a byte, and whose connection was closed with an answer."""
    closed = asyncio.Event()
    server = await asyncio.get_running_loop().create_server(lambda: Hasty(closing, closed), "127.0.0.1", 0)
    async with server, connected(server.sockets[0].getsockname()[1]) as caller:
        caller.send(b"x")
        async with asyncio.timeout(PATIENCE):
            await closed.wait()
        yield caller
        await closing.end()


async def goes_on_sending(caller: Connection) -> None:
    """Send until the connection is reset, which raises ConnectionError; TimeoutError where it is not."""
    async with asyncio.timeout(PATIENCE):
        while True:
            caller.send(MEGABYTE)
            await caller.sent()


async def test_a_caller_who_sends_first_and_reads_then() -> None:
    """It can send what it has, reads the answer and sees the end."""
    async with answered(Closing()) as caller:
        for _ in range(5):
            caller.send(MEGABYTE)
            await caller.sent()
        assert ANSWER == await caller.to_the_end()


def test_in_the_loop_that_serves() -> None:
    """So it is in uvloop, whose transports are not asyncio's."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test_a_caller_who_sends_first_and_reads_then())


async def test_the_end_is_seen_at_once() -> None:
    """A caller who reads while it sends need not wait for the end."""
    async with answered(Closing(Patience(seconds=3_600))) as caller:
        assert ANSWER == await caller.to_the_end()


@pytest.mark.parametrize(
    "patience",
    [Patience(seconds=0.1, received=10**12), Patience(seconds=3_600, received=100_000), Patience(callers=0)],
    ids=["seconds", "bytes", "callers"],
)
async def test_patience_ends(patience: Patience) -> None:
    """A caller who sends for too long, too much or as one of too many is cut off."""
    async with answered(Closing(patience)) as caller:
        with pytest.raises(ConnectionError):
            await goes_on_sending(caller)


async def test_one_after_the_other() -> None:
    """A caller who has closed makes room for the next one."""
    closing = Closing(Patience(callers=1))
    closed = asyncio.Event()
    server = await asyncio.get_running_loop().create_server(lambda: Hasty(closing, closed), "127.0.0.1", 0)
    async with server, asyncio.timeout(PATIENCE):
        for _ in range(3):
            closed.clear()
            async with connected(server.sockets[0].getsockname()[1]) as caller:
                caller.send(b"x")
                await closed.wait()
                caller.send(MEGABYTE)
                await caller.sent()
                assert ANSWER == await caller.to_the_end()
            while closing.kept:
                await asyncio.sleep(0)


async def test_the_end_of_the_service() -> None:
    """Callers who are left then are cut off, and none is kept any more."""
    closing = Closing(Patience(seconds=3_600, received=10**12))
    async with answered(closing) as caller:
        await closing.end()
        with pytest.raises(ConnectionError):
            await goes_on_sending(caller)
    async with answered(closing) as caller:
        with pytest.raises(ConnectionError):
            await goes_on_sending(caller)
