"""One request and its answer: what may come over the wire, and what the service itself may lack."""

import asyncio
import errno
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import aiohttp
import pytest
from aiohttp import web
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict

from service.errors import UpstreamError, UpstreamUnavailable
from service.http.problems import problem_response
from service.upstream.door import Door, Limits
from service.upstream.verdict import Away
from tests.fakes.mlflow import FakeMlflow

ENDPOINT = "experiments/search"
ONCE = Limits(attempts=1)
KEY = ConnectionKey("h", 80, False, True, None, None, None)


async def knock(door: Door) -> Any:
    return await door.call("POST", ENDPOINT, json.loads, json={"max_results": 5})


RUBBISH = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "an odd status": b"HTTP/1.1 abc OK\r\n\r\n",
    "a header too long": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
    "a body cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "a chunk cut short": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}",
    "no end of chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "an unknown encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
}


@asynccontextmanager
async def saying(data: bytes) -> AsyncIterator[str]:
    """The address of a server that says the same to everybody, and hangs up."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        writer.write_eof()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("name", RUBBISH)
async def test_rubbish_on_the_wire(name: str) -> None:
    """What is no HTTP, or not all of it, is an UpstreamError."""
    async with saying(RUBBISH[name]) as url, Door(url, ONCE) as door:
        with pytest.raises(UpstreamError):
            await door.call("GET", "runs/get", json.loads)


@pytest.mark.parametrize("size", [9_000, 20_000, 60_000])
@pytest.mark.parametrize("name", ["Set-Cookie", "Content-Security-Policy", "X-" + "y" * 200])
async def test_long_headers(fake: FakeMlflow, name: str, size: int) -> None:
    """What proxies add is read: a policy, a cookie, or many of them."""

    async def reply(_: web.Request) -> web.Response:
        headers = CIMultiDict([(name, "a" * size), *((f"X-{each}", "b") for each in range(200))])
        return web.json_response({"a": 1}, headers=headers)

    fake.before = reply
    async with Door(fake.url, ONCE) as door:
        assert {"a": 1} == await knock(door)


@pytest.mark.parametrize("name", ["a header too long", "a bad header", "no HTTP"])
async def test_no_bytes_of_a_head_are_told(name: str) -> None:
    """A head that cannot be read may hold a cookie: the log learns what is wrong with it, and no more."""
    data = RUBBISH.get(name, b"HTTP/1.1 200 OK\r\nSet-Cookie: aaaa\x00\r\nbad header\r\n\r\n")
    async with saying(data) as url, Door(url, ONCE) as door:
        with pytest.raises(UpstreamError) as caught:
            await knock(door)
    for told in ("aaaa", "SSH", "bad header", "Set-Cookie"):
        assert told not in caught.value.cause
    assert ("longer than 65536 bytes" in caught.value.cause) == (name == "a header too long")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOMEM])
@pytest.mark.parametrize("is_wrapped", [False, True])
async def test_what_the_service_itself_lacks(
    monkeypatch: pytest.MonkeyPatch, number: int, *, is_wrapped: bool
) -> None:
    """No descriptor, port or memory for a connection: a 503 that says when, and no sign of an ill MLflow."""
    error = OSError(number, os.strerror(number))

    async def connect(*_: object, **__: object) -> NoReturn:
        raise aiohttp.ClientConnectorError(KEY, error) if is_wrapped else error

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", connect)
    async with Door("http://h", Limits(breaker_failures=3)) as door:
        for _ in range(20):
            with pytest.raises(UpstreamUnavailable) as caught:
                await knock(door)
            assert "1" == problem_response(caught.value, "").headers["Retry-After"]
            assert ("ulimit -n" in caught.value.cause) == (number in {errno.EMFILE, errno.ENFILE})
    assert ({"upstream": "unknown", "breaker": "closed"}, 0) == (door.condition(), door.retries)
    assert {(ENDPOINT, "own_lack"): 20} == door.outcomes


async def test_a_name_that_is_not_found_for_want_of_a_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name service reports that as its own failure; a name that does not exist stays MLflow's absence."""

    async def connect(*_: object, **__: object) -> NoReturn:
        raise aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(socket.EAI_AGAIN, "again"))

    def exhausted(*_: object) -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", connect)
    async with Door("http://h", ONCE) as door:
        with pytest.raises(Away):
            await knock(door)
        monkeypatch.setattr(os, "open", exhausted)
        with pytest.raises(UpstreamUnavailable):
            await knock(door)
