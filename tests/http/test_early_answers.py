"""Answers that do not wait for all that a caller sends: it sends everything, and only then reads."""

import asyncio
import re

import pytest

from tests.api.serving import API, serving
from tests.deploy.stub import held
from tests.fakes.mlflow import FakeMlflow
from tests.http.raw import Connection, connected

REST = 4_000_000  # bytes; far more than the buffers between two sockets hold
COMPARE = f"POST {API}/runs/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
LONG_BODY = f"Content-Length: {REST}\r\n\r\n".encode() + b" " * REST
CHUNK = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
EARLY = {
    "too many headers": (400, b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 500_000 + b"\r\n"),
    "a line too long": (400, b"GET /" + b"a" * REST + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a header too long": (400, b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * REST + b"\r\n\r\n"),
    "no HTTP": (400, b"\x16\x03\x01" + b"\0" * REST),
    "two lengths": (400, COMPARE + b"Content-Length: 1\r\n" + LONG_BODY),
    "a bad chunk": (400, COMPARE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + b" " * REST),
    "a bad second chunk": (
        400,
        COMPARE + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n" + b" " * REST,
    ),
    "another protocol": (
        200,
        b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n" + b"\0" * REST,
    ),
    "a body too long": (413, COMPARE + b"Connection: close\r\n" + LONG_BODY),
    "a body too long in chunks": (
        413,
        COMPARE + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK * 60 + b"0\r\n\r\n",
    ),
    "a body for nobody": (404, b"POST /no HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + LONG_BODY),
}
A_BODY = COMPARE + b"Connection: close\r\n" + LONG_BODY


async def answers(caller: Connection, data: bytes) -> list[int]:
    """The statuses that come after everything was sent, up to a proper end of the connection."""
    caller.send(data)
    await caller.sent()
    return [
        int(status) for status in re.findall(rb"^HTTP/1.[01] (\d+)", await caller.to_the_end(), re.MULTILINE)
    ]


@pytest.mark.parametrize("name", EARLY)
async def test_a_caller_reads_an_early_answer(fake: FakeMlflow, name: str) -> None:
    """Nothing that it still sends ends the connection under it."""
    expected, data = EARLY[name]
    async with serving(fake.url) as api, connected(api.port) as caller:
        assert expected == (await answers(caller, data))[0]


async def test_a_caller_who_is_not_known(fake: FakeMlflow) -> None:
    """It reads the 401, though its body was never looked at."""
    auth = {"mode": "api_key", "api_keys": f"alice {'0' * 64}"}
    async with serving(fake.url, auth=auth) as api, connected(api.port) as caller:
        assert [401] == await answers(caller, A_BODY)


async def test_a_replica_that_is_full(fake: FakeMlflow) -> None:
    """A caller reads the 503, though its body was never looked at."""
    asked = asyncio.Event()
    fake.before = held(asyncio.Event(), asked)
    async with (
        serving(fake.url, max_requests=1) as api,
        connected(api.port) as first,
        connected(api.port) as caller,
    ):
        first.send(f"GET {API}/experiments HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await asked.wait()
        assert [503] == await answers(caller, A_BODY)
