"""The service's handler, called by a plain server of aiohttp: what holds is the handler's own doing."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, web

from service.api import schemas
from service.app import build
from service.auth.api_keys import new_key
from service.http.access_record import AccessRecord
from service.service import Service
from tests.api.serving import API, answered, make_settings, refused
from tests.fakes.mlflow import FakeMlflow
from tests.http.raw import PATIENCE, connected

KEY, LINE = new_key("ada")
pytestmark = pytest.mark.thorough

ORIGIN = "https://research.example.com"
JSON = {"Content-Type": "application/json"}


@asynccontextmanager
async def plainly_served(service: Service) -> AsyncIterator[int]:
    """The port of a server that is aiohttp's alone."""
    async with service.open():
        runner = web.ServerRunner(web.Server(service.handler), shutdown_timeout=0.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()


@asynccontextmanager
async def asking(mlflow: FakeMlflow, **settings: Any) -> AsyncIterator[ClientSession]:
    """A client of the service over this MLflow."""
    async with (
        plainly_served(build(make_settings(**settings), mlflow.url)) as port,
        ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def test_answers_runs(fake: FakeMlflow) -> None:
    """A run is answered with its ETag, and a caller who has it already is told so."""
    fake.add_run(run_id="abc")
    async with asking(fake) as api:
        response = await api.get(f"{API}/runs/abc")
        await answered(response, schemas.RunDetail)
        again = await api.get(f"{API}/runs/abc", headers={"If-None-Match": response.headers["ETag"]})
        assert (304, b"") == (again.status, await again.read())


@pytest.mark.parametrize("path", [f"{API}/runs", f"{API}/nothing", "/metrics", "/"])
async def test_asks_who_calls(fake: FakeMlflow, path: str) -> None:
    """With authentication nothing but what is open is answered before it is known who asks."""
    async with asking(fake, auth={"mode": "api_key", "api_keys": LINE}) as api:
        response = await api.get(path)
        await refused(response, 401, "unauthenticated")
        assert "WWW-Authenticate" in response.headers
        assert 200 == (await api.get("/livez")).status
        assert [] == fake.calls
        assert 401 != (await api.get(path, headers={"X-API-Key": KEY})).status


async def test_gives_every_error_the_one_form(fake: FakeMlflow) -> None:
    """Paths and methods that no route knows, wrong values and wrong bodies are problem details."""
    async with asking(fake) as api:
        await refused(await api.get("/nothing"), 404, "not_found")
        await refused(await api.get(f"{API}/runs?limit=x"), 422, "invalid_request")
        await refused(await api.get(f"{API}/runs/nobody"), 404, "run_not_found")
        await refused(await api.post(f"{API}/runs/compare", data=b"{", headers=JSON), 400, "malformed_body")
        await refused(await api.post(f"{API}/runs/compare", data=b"{}"), 415, "unsupported_media_type")


async def test_names_the_methods_of_a_route(fake: FakeMlflow) -> None:
    """A wrong method is a 405 with Allow, and HEAD is answered as GET without a body."""
    async with asking(fake) as api:
        response = await api.delete(f"{API}/runs/compare")
        await refused(response, 405, "method_not_allowed")
        assert "GET, HEAD, POST" == response.headers["Allow"]
        head, got = await api.head(f"{API}/runs"), await api.get(f"{API}/runs")
        assert (200, b"") == (head.status, await head.read())
        assert got.headers["Content-Length"] == head.headers["Content-Length"]


async def test_gives_every_request_an_id(fake: FakeMlflow) -> None:
    """A caller's own id comes back, and another request gets a new one."""
    async with asking(fake) as api:
        response = await api.get("/livez", headers={"X-Request-ID": "abc"})
        assert "abc" == response.headers["X-Request-ID"]
        ids = {(await api.get("/livez")).headers["X-Request-ID"] for _ in range(5)}
        assert 5 == len(ids)


async def test_keeps_the_deadline(fake: FakeMlflow) -> None:
    """A caller who wants to wait for less time than MLflow takes gets a 504."""

    async def hold(_: web.Request) -> None:
        await asyncio.Event().wait()

    fake.before = hold
    async with asking(fake) as api:
        response = await api.get(f"{API}/runs", headers={"X-Request-Timeout": "0.05"})
        await refused(response, 504, "upstream_timeout")


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with its length", "in chunks"])
async def test_bounds_a_body(fake: FakeMlflow, *, is_chunked: bool) -> None:
    """A body above the limit is a 413, though aiohttp's own limit is another."""

    async def sent(size: int) -> ClientResponse:
        body = b" " * (size - 2) + b"{}"

        async def parts() -> AsyncIterator[bytes]:
            yield body

        data: Any = parts() if is_chunked else io.BytesIO(body)
        return await api.post(f"{API}/runs/compare", data=data, headers=JSON)

    async with asking(fake, max_body_bytes=2_000_000) as api:
        await refused(await sent(2_000_000), 422, "invalid_request")
        await refused(await sent(2_000_001), 413, "body_too_large")


async def test_ends_the_wait_for_a_body(fake: FakeMlflow) -> None:
    """A body that does not come is a 408 at the deadline."""
    async with (
        plainly_served(build(make_settings(deadline=0.1), fake.url)) as port,
        connected(port) as connection,
    ):
        connection.send(
            f"POST {API}/runs/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            "Content-Length: 9\r\n\r\n{".encode()
        )
        answer = await connection.answer()
    assert (408, "body_timeout") == (answer.status, json.loads(answer.body)["code"])


async def test_takes_a_broken_body_for_no_defect(fake: FakeMlflow, caplog: pytest.LogCaptureFixture) -> None:
    """A caller who hangs up within its body is a 400 in the records, and no error in the log."""
    records: list[AccessRecord] = []
    recorded = asyncio.Event()

    def observe(record: AccessRecord) -> None:
        records.append(record)
        recorded.set()

    async with plainly_served(build(make_settings(), fake.url, [observe])) as port:
        async with connected(port) as connection:
            connection.send(
                f"POST {API}/runs/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n".encode()
            )
            assert b"HTTP/1.1 100 Continue\r\n\r\n" == await connection.read_to(b"\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await recorded.wait()
    assert [(400, "unreadable_request")] == [(one.status, one.code) for one in records]
    assert [] == [one for one in caplog.records if one.levelno >= logging.WARNING]


@pytest.mark.parametrize(("expectation", "status"), [("100-continue", 422), ("a teapot", 417)])
async def test_meets_expectations(fake: FakeMlflow, expectation: str, status: int) -> None:
    """100-continue is met before the body is read, and another expectation is refused."""
    async with plainly_served(build(make_settings(), fake.url)) as port, connected(port) as connection:
        connection.send(
            f"POST {API}/runs/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Expect: {expectation}\r\nContent-Length: 2\r\n\r\n".encode()
        )
        if status == 422:
            assert b"HTTP/1.1 100 Continue\r\n\r\n" == await connection.read_to(b"\r\n\r\n")
        connection.send(b"{}")
        answer = await connection.answer()
    assert status == answer.status


async def test_lets_pages_of_other_hosts_read(fake: FakeMlflow) -> None:
    """Answers, errors and preflights bear what a browser needs; the methods are those of the routes."""
    async with asking(fake, cors={"allowed_origins": ORIGIN}) as api:
        for path in (f"{API}/runs", "/nothing"):
            response = await api.get(path, headers={"Origin": ORIGIN})
            assert ORIGIN == response.headers["Access-Control-Allow-Origin"]
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
        response = await api.options(f"{API}/runs/compare", headers=asked)
        assert (204, "GET, HEAD, POST") == (
            response.status,
            response.headers["Access-Control-Allow-Methods"],
        )


@pytest.mark.parametrize("path", [f"{API}/runs", "/livez", "/docs", "/docs/start.js", "/nothing", "/metrics"])
async def test_protects_browsers(fake: FakeMlflow, path: str) -> None:
    """Every answer, of whichever route, has the headers that keep a browser from misusing it."""
    async with asking(fake) as api:
        headers: Mapping[str, str] = (await api.get(path)).headers
    assert "experiment-tracking" == headers["Server"]
    assert "nosniff" == headers["X-Content-Type-Options"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_refuses_more_than_it_handles(fake: FakeMlflow) -> None:
    """Above its limit of requests a replica says 503, and health checks are still answered."""
    async with asking(fake, max_requests=1) as api:
        asked, released = asyncio.Event(), asyncio.Event()

        async def hold(_: web.Request) -> None:
            asked.set()
            await released.wait()

        fake.before = hold
        first = asyncio.create_task(api.get(f"{API}/runs"))
        await asked.wait()
        await refused(await api.get(f"{API}/experiments"), 503, "overloaded")
        assert 200 == (await api.get("/livez")).status
        released.set()
        assert 200 == (await first).status


async def test_drains(fake: FakeMlflow) -> None:
    """A service that is told to drain answers, and asks callers and load balancers to go elsewhere."""
    service = build(make_settings(), fake.url)
    async with plainly_served(service) as port, ClientSession(f"http://127.0.0.1:{port}") as api:
        service.drain()
        response = await api.get(f"{API}/runs")
        assert (200, "close") == (response.status, response.headers["Connection"])
        assert 503 == (await api.get("/readyz")).status
