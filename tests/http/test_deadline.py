"""Limits of a replica and of patience: too many requests, too little time, a body that does not come."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import web

from service.api import schemas
from service.app import build
from tests.api.serving import API, Client, answered, make_settings, refused, running, serving
from tests.fakes.mlflow import FakeMlflow


@pytest.fixture
async def held(fake: FakeMlflow) -> AsyncIterator[asyncio.Event]:
    """An MLflow that holds every call until the event is set."""
    free = asyncio.Event()

    async def hold(_: web.Request) -> None:
        await free.wait()

    fake.add_run(run_id="abc")
    fake.before = hold
    yield free
    free.set()


async def test_more_requests_than_a_replica_handles(fake: FakeMlflow, held: asyncio.Event) -> None:
    """A request above the limit is a 503 at once; health checks are answered, and those within, too."""
    async with serving(fake.url, max_requests=1) as api:
        first = asyncio.create_task(api.get(f"{API}/runs/abc"))
        while not fake.calls:
            await asyncio.sleep(0)
        response = await api.get(f"{API}/experiments")
        await refused(response, 503, "overloaded")
        assert "1" == response.headers["Retry-After"]
        assert 200 == (await api.get("/livez")).status
        assert 200 == (await api.get("/readyz")).status
        held.set()
        await answered(await first, schemas.RunDetail)
        await answered(await api.get(f"{API}/experiments"), schemas.ExperimentList)


@pytest.mark.parametrize("seconds", ["0", "-1", "0.05", "5e-2"])
@pytest.mark.usefixtures("held")
async def test_a_caller_with_less_patience(api: Client, seconds: str) -> None:
    """X-Request-Timeout shortens the deadline of a request."""
    response = await api.get(f"{API}/runs/abc", headers={"X-Request-Timeout": seconds})
    await refused(response, 504, "upstream_timeout")


@pytest.mark.parametrize("seconds", ["", "soon", "nan", "inf", "1e400", "3600"])
@pytest.mark.usefixtures("held")
async def test_no_caller_has_more_patience_than_the_service(fake: FakeMlflow, seconds: str) -> None:
    """What is no number, or more than the deadline, changes nothing."""
    async with serving(fake.url, deadline=0.1) as api, asyncio.timeout(5):
        response = await api.get(f"{API}/runs/abc", headers={"X-Request-Timeout": seconds})
        await refused(response, 504, "upstream_timeout")


async def said(port: int | None, request: str, then: str = "") -> tuple[str, bytes]:
    """Head and body of what comes back until the service closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(then.encode())
    async with asyncio.timeout(5):
        body = await reader.read()
    writer.close()
    return head.decode(), body


async def test_a_body_that_does_not_come(fake: FakeMlflow) -> None:
    """Who announces a body and does not send it is told so at the deadline."""
    request = (
        f"POST {API}/runs/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Connection: close\r\nContent-Length: 9\r\n\r\n{"
    )
    async with serving(fake.url, deadline=0.1) as api:
        head, body = await said(api.port, request, "        ")
    assert head.startswith("HTTP/1.1 408 ")
    assert "application/problem+json" in head
    assert "body_timeout" == json.loads(body)["code"]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_caller_who_wants_the_connection_closed(api: Client, fake: FakeMlflow, version: str) -> None:
    """The connection is closed behind an answer where the caller says so, or speaks HTTP/1.0."""
    fake.add_run(run_id="abc", params={f"p{number}": "x" * 50 for number in range(200)})
    wish = "Connection: close\r\n" if version == "1.1" else ""
    head, body = await said(api.port, f"GET {API}/runs/abc HTTP/{version}\r\nHost: x\r\n{wish}\r\n")
    assert 200 == int(head.split()[1])
    assert "Connection: close" in head
    assert f"Content-Length: {len(body)}" in head
    assert "abc" == json.loads(body)["run_id"]


async def test_an_old_caller_who_wants_to_keep_the_connection(api: Client, fake: FakeMlflow) -> None:
    """HTTP/1.0 with keep-alive is told that it may, and asks again on the same connection."""
    fake.add_run(run_id="abc")
    one = f"GET {API}/runs/abc HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"
    head, rest = await said(api.port, one, one.replace("keep-alive", "close"))
    assert "Connection: keep-alive" in head
    assert 1 == rest.count(b"HTTP/1.1 200")


async def test_more_connections_than_a_replica_keeps(fake: FakeMlflow) -> None:
    """A connection above the limit is closed, and the others live on."""
    async with running(build(make_settings(), fake.url), max_connections=1) as service:
        ask = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(ask)
        assert b"HTTP/1.1 200" == (await reader.readuntil(b"\r\n\r\n"))[:12]
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", service.port)
        with suppress(ConnectionResetError):
            assert b"" == await other_reader.read()
        other_writer.close()
        await reader.readexactly(len('{"status": "alive"}'))
        writer.write(ask)
        assert b"HTTP/1.1 200" == (await reader.readuntil(b"\r\n\r\n"))[:12]
        writer.close()
