"""Shapes of request smuggling over raw sockets: what is answered, and that both ends agree afterwards."""

import asyncio
import json
import logging

import pytest

from tests.api.serving import API, Client
from tests.api.shapes import CHUNKED, GET, HIDDEN, POST, SHAPES
from tests.deploy.stub import held
from tests.fakes.mlflow import FakeMlflow
from tests.http.raw import ENDED, Connection, connected

pytestmark = pytest.mark.thorough

NEXT = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-ID: next\r\n\r\n"
LIMIT = 65_536  # bytes of a body


async def ends_in_step(connection: Connection, *, in_step: bool) -> None:
    """Either the next request has its own answer, or the connection is closed and nothing is answered."""
    connection.send(NEXT)
    answer = await connection.answer()
    if in_step:
        assert (200, "next") == (answer.status, answer.headers["x-request-id"])
    else:
        assert ENDED == answer


@pytest.mark.parametrize("name", SHAPES)
async def test_a_shape(api: Client, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """It has its one answer and warns nobody; then the connection is in step, or closed."""
    shape = SHAPES[name]
    async with connected(api.port) as connection:
        connection.send(shape.head + shape.body)
        answer = await connection.answer()
        assert shape.status == answer.status
        if answer.status == 400:
            assert "unreadable_request" == json.loads(answer.body)["code"]
        await ends_in_step(connection, in_step=shape.in_step)
    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.head == CHUNKED + b"\r\n"])
async def test_chunks_that_come_after_their_head(
    api: Client, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """The answer is the same where the route reads the body already when the chunk comes, and as prompt."""
    shape = SHAPES[name]
    async with connected(api.port) as connection:
        connection.send(CHUNKED + b"Expect: 100-continue\r\n\r\n")
        assert b"HTTP/1.1 100 Continue\r\n\r\n" == await connection.read_to(b"\r\n\r\n")
        connection.send(shape.body)
        answer = await connection.answer()
        assert shape.status == answer.status
        if answer.status == 400:
            assert "unreadable_request" == json.loads(answer.body)["code"]
        await ends_in_step(connection, in_step=shape.in_step)
    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_bad_chunk_while_another_request_is_under_way(api: Client, fake: FakeMlflow) -> None:
    """What was asked before has its answer; then comes the 400 of the bad one, and the end."""
    released, asked = asyncio.Event(), asyncio.Event()
    fake.before = held(released, asked)
    async with connected(api.port) as connection, connected(api.port) as other:
        connection.send(f"GET {API}/experiments HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await asked.wait()
        for part in (CHUNKED + b"\r\n", b"-2\r\n"):
            connection.send(part)
            other.send(NEXT)  # what was sent before its answer comes has been read, too
            assert 200 == (await other.answer()).status
        released.set()
        assert 200 == (await connection.answer()).status
        assert 400 == (await connection.answer()).status
        await ends_in_step(connection, in_step=False)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (POST + b"Content-Length: 18446744073709551615\r\n\r\n", 400),
        (CHUNKED.replace(API.encode(), b"") + b"\r\nffffffffffffffff\r\n", 404),
    ],
    ids=["a length of 64 bits", "a chunk of 64 bits"],
)
async def test_a_length_without_end(api: Client, head: bytes, status: int) -> None:
    """What follows belongs to the body for ever: it never is a request."""
    async with connected(api.port) as connection:
        connection.send(head + HIDDEN * 100)
        assert status == (await connection.answer()).status
        connection.send(HIDDEN)
        connection.send_no_more()
        assert b"" == await connection.rest()


async def test_the_rest_of_a_request_behind_an_upgrade(api: Client) -> None:
    """A body that follows in a later packet is never taken for a request of its own."""
    upgrade = GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    async with connected(api.port) as connection:
        connection.send(upgrade + POST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN))
        assert 200 == (await connection.answer()).status
        connection.send(HIDDEN)
        assert b"" == await connection.rest()


async def test_requests_without_waiting(api: Client) -> None:
    """A hundred requests in one packet are answered in the order in which they were sent."""
    ids = [f"request-{number}" for number in range(100)]
    async with connected(api.port) as connection:
        connection.send(b"".join(GET + f"X-Request-ID: {each}\r\n\r\n".encode() for each in ids))
        assert ids == [(await connection.answer()).headers["x-request-id"] for _ in ids]


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["with its length", "in chunks"])
async def test_the_largest_body(api: Client, size: int, *, is_chunked: bool) -> None:
    """A body of 64 KiB is read, one byte more is a 413; the connection stays in step in both cases."""
    body = b" " * (size - 2) + b"{}"
    if is_chunked:
        data = CHUNKED + b"\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, body)
    else:
        data = POST + b"Content-Length: %d\r\n\r\n%b" % (size, body)
    async with connected(api.port) as connection:
        connection.send(data)
        assert (422 if size == LIMIT else 413) == (await connection.answer()).status
        await ends_in_step(connection, in_step=True)
