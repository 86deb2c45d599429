"""Callers who send slowly or not at all, or who do not read: none holds a connection for more than its time.

The times are of the test's own; what is waited for is the end, which comes seconds before a test gives up.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest

from service.app import build
from service.http.aiohttp_internals import SlowCallers
from tests.api.serving import API, Running, make_settings, running
from tests.deploy.stub import held
from tests.fakes.mlflow import FakeMlflow
from tests.http.raw import PATIENCE, Connection, connected

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
SHORT = 1.0  # seconds until a connection is closed; a good request needs far less
LONG = 3_600.0  # one that no test waits for


Send = Callable[[Connection], Awaitable[bytes]]


class Slow(NamedTuple):
    """The service under test."""

    running: Running

    @property
    def port(self) -> int:
        return self.running.port

    async def has(self, connections: int) -> None:
        """Wait until it has so many; TimeoutError where it never does."""
        async with asyncio.timeout(PATIENCE):
            while len(self.running.server.connections) != connections:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def served(fake: FakeMlflow, slow: SlowCallers, deadline: float = 10.0) -> AsyncIterator[Slow]:
    """The service over that MLflow, with this patience. All other times are much longer than a test."""
    service = build(make_settings(deadline=deadline), fake.url)
    async with running(service, slow=slow, keepalive_timeout=LONG, lingering_time=SHORT) as started:
        yield Slow(started)


async def dribble(connection: Connection, data: bytes) -> bytes:
    """Send a byte now and then until the service closes; what it said."""
    ended = asyncio.ensure_future(connection.rest())
    for byte in data:
        connection.send(bytes([byte]))
        done, _ = await asyncio.wait([ended], timeout=SHORT / 10)
        if done:
            break
    return await ended


async def nothing(connection: Connection) -> bytes:
    """Send nothing."""
    return await connection.rest()


async def a_part(connection: Connection) -> bytes:
    """Send the beginning of a request."""
    connection.send(GET[:-2])
    return await connection.rest()


async def bytes_now_and_then(connection: Connection) -> bytes:
    """Send a request that never ends, byte by byte."""
    return await dribble(connection, GET[:-2] + b"X-A: " + b"a" * 10_000)


@pytest.mark.parametrize("send", [nothing, a_part, bytes_now_and_then])
async def test_a_first_request_that_does_not_come(
    fake: FakeMlflow, caplog: pytest.LogCaptureFixture, send: Send
) -> None:
    """The connection is closed without a word, and nobody is warned."""
    async with served(fake, SlowCallers(head=SHORT)) as server, connected(server.port) as connection:
        assert b"" == await send(connection)
        await server.has(0)
    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("send", [a_part, bytes_now_and_then])
async def test_a_later_request_that_does_not_come(fake: FakeMlflow, send: Send) -> None:
    """It has the same time as the first one, from its first byte on."""
    async with served(fake, SlowCallers(head=SHORT)) as server, connected(server.port) as connection:
        for _ in range(2):
            connection.send(GET)
            assert 200 == (await connection.answer()).status
        assert b"" == await send(connection)
        await server.has(0)


async def test_a_request_in_two_parts(fake: FakeMlflow) -> None:
    """Requests whose parts come one after the other are answered, and each has a time of its own."""
    async with served(fake, SlowCallers(head=LONG)) as server, connected(server.port) as connection:
        for _ in range(2):
            connection.send(GET[:10])
            async with connected(server.port) as other:
                other.send(GET)  # by its answer the first part has been read, too
                assert 200 == (await other.answer()).status
            connection.send(GET[10:])
            assert 200 == (await connection.answer()).status


async def test_a_caller_between_two_requests(fake: FakeMlflow) -> None:
    """Who has asked and says nothing keeps its connection for the keep-alive time."""
    async with (
        served(fake, SlowCallers(head=SHORT)) as server,
        connected(server.port) as connection,
        connected(server.port) as other,
    ):
        connection.send(GET)
        assert 200 == (await connection.answer()).status
        assert b"" == await a_part(other)  # longer ago than the time for a head
        connection.send(GET)
        assert 200 == (await connection.answer()).status


async def test_an_answer_that_takes_long(fake: FakeMlflow) -> None:
    """Who waits for an answer is no slow caller, though it sent a part of its next request meanwhile."""
    released, asked = asyncio.Event(), asyncio.Event()
    fake.before = held(released, asked)
    async with (
        served(fake, SlowCallers(head=SHORT)) as server,
        connected(server.port) as connection,
        connected(server.port) as other,
    ):
        connection.send(f"GET {API}/experiments HTTP/1.1\r\nHost: x\r\n\r\n".encode() + GET[:10])
        await asked.wait()
        assert b"" == await nothing(other)
        released.set()
        assert 200 == (await connection.answer()).status
        connection.send(GET[10:])
        assert 200 == (await connection.answer()).status


@pytest.mark.parametrize("framing", ["Content-Length: 50000", "Transfer-Encoding: chunked"])
async def test_a_body_that_does_not_come(fake: FakeMlflow, framing: str) -> None:
    """It is a 408 at the deadline, though a byte comes now and then; soon after the connection is closed."""
    head = (
        f"POST {API}/runs/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"
    )
    async with served(fake, SlowCallers(), deadline=SHORT) as server, connected(server.port) as connection:
        connection.send(head.encode() + (b"C350\r\n" if "chunked" in head else b""))
        assert b"HTTP/1.1 408 " == (await dribble(connection, b" " * 10_000))[:13]
        await server.has(0)


async def test_a_body_that_no_route_reads(fake: FakeMlflow) -> None:
    """The answer does not wait for it; soon after the connection is closed."""
    async with served(fake, SlowCallers()) as server, connected(server.port) as connection:
        connection.send(GET[:-2] + b"Content-Length: 50000\r\n\r\n")
        assert b"HTTP/1.1 200 " == (await dribble(connection, b" " * 10_000))[:13]
        await server.has(0)


async def test_a_caller_who_does_not_read(fake: FakeMlflow) -> None:
    """A connection on which nothing more is taken of an answer is closed, and no byte of it is kept."""
    async with served(fake, SlowCallers(answer=1.0)) as server:
        with socket.socket() as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            caller.connect(("127.0.0.1", server.port))
            caller.sendall(b"GET /docs/swagger-ui/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n" * 8)
            await server.has(1)
            await server.has(0)
