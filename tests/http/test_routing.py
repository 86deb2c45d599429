"""A route is looked up once for each path, and nothing else changes by that."""

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

from service.app import create_app
from service.http.access_record import AccessRecord
from tests.api.serving import API, Client, Served, make_settings, refused
from tests.fakes.mlflow import FakeMlflow
from tests.http.raw import connected


@pytest.fixture
def looked_up(api: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the application's router was asked for."""
    asked: list[str] = []
    resolve = api.app.router.resolve

    async def noted(request: web.Request) -> UrlMappingMatchInfo:
        asked.append(f"{request.method} {request.rel_url.raw_path}")
        return await resolve(request)

    monkeypatch.setattr(api.app.router, "resolve", noted)
    return asked


async def test_what_is_asked_again_is_looked_up_once(
    api: Client, fake: FakeMlflow, looked_up: list[str]
) -> None:
    """Each path has its own place, whatever its query; each run its own answer."""
    for run_id in ("abc", "def"):
        fake.add_run(run_id=run_id)
    for _ in range(2):
        for run_id in ("abc", "def"):
            response = await api.get(f"{API}/runs/{run_id}")
            assert (200, run_id) == (response.status, (await response.json())["run_id"])
        for limit in (1, 2):
            response = await api.get(f"{API}/runs?limit={limit}")
            assert (200, limit) == (response.status, (await response.json())["total"])
    assert [f"GET {API}/runs/abc", f"GET {API}/runs/def", f"GET {API}/runs"] == looked_up


async def test_methods_are_told_apart(api: Client, fake: FakeMlflow) -> None:
    """A path that one method found is not found by another."""
    fake.add_run(run_id="abc")
    for _ in range(2):
        assert 200 == (await api.get(f"{API}/runs/abc")).status
        await refused(await api.delete(f"{API}/runs/abc"), 405, "method_not_allowed")
        assert 200 == (await api.head(f"{API}/runs/abc")).status


async def test_what_is_not_found_is_not_remembered(api: Client, looked_up: list[str]) -> None:
    """No memory is spent on paths that lead nowhere, or are very long."""
    for path in ("/nothing", f"{API}/runs/{'a' * 300}"):
        for _ in range(2):
            assert 404 == (await api.get(path)).status
        assert [f"GET {path}"] * 2 == looked_up
        looked_up.clear()


async def test_so_many_are_remembered(
    api: Client, looked_up: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One path too many, and all are looked up anew."""
    monkeypatch.setattr("service.http.routing._MOST", 2)
    paths = ["/livez", "/readyz", "/metrics", "/livez", "/metrics"]
    for path in paths:
        assert 200 == (await api.get(path)).status
    assert [f"GET {path}" for path in paths[:4]] == looked_up


async def test_expectations_are_the_applications_business(api: Client) -> None:
    """A path that is remembered tells a caller to go on, or not, as at first."""
    body = json.dumps({"run_ids": ["a"]}).encode()
    head = (
        f"POST {API}/runs/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
    ).encode()
    async with connected(api.port) as connection:
        connection.send(head + b"\r\n" + body)
        assert 422 == (await connection.answer()).status
        connection.send(head + b"Expect: 100-continue\r\n\r\n")
        assert b"HTTP/1.1 100 Continue\r\n\r\n" == await connection.read_to(b"\r\n\r\n")
        connection.send(body)
        assert 422 == (await connection.answer()).status
        connection.send(head + b"Expect: much\r\n\r\n" + body)
        assert 417 == (await connection.answer()).status


async def test_observers_are_told_the_route_each_time(fake: FakeMlflow) -> None:
    """What is remembered is told of as what is not."""
    fake.add_run(run_id="abc")
    told: list[AccessRecord] = []
    async with TestClient(Served(create_app(make_settings(), fake.url, [told.append]))) as api:
        for _ in range(2):
            await api.get(f"{API}/runs/abc")
    assert [f"{API}/runs/{{run_id}}"] * 2 == [one.route for one in told]
