"""Which route answers a request, by method and path."""

import json
from collections.abc import Mapping

import pytest
from aiohttp import web
from yarl import URL

from service.app import build
from service.http.access_record import AccessRecord
from service.http.errors import MethodNotAllowed, NotFound
from service.http.route import Route
from service.http.routing import Router
from tests.api.serving import API, Client, make_settings, refused
from tests.fakes.mlflow import FakeMlflow
from tests.http.raw import connected


async def answer(_request: web.BaseRequest, _parameters: Mapping[str, str]) -> web.StreamResponse:
    """Answer anything."""
    return web.Response()


def route(method: str, path: str) -> Route:
    return Route(method=method, path=path, handler=answer)


ROUTER = Router(
    [
        route("GET", "/runs/{run_id}"),
        route("GET", "/runs/{name}/{part}"),
        route("GET", "/runs/{run_id}/metrics"),
        route("GET", "/runs"),
        route("POST", "/runs/compare"),
        route("DELETE", "/runs/{run_id}"),
        route("GET", "/files/{name}.json"),
    ]
)


def found(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The path of the route for this, and the parameters."""
    one, parameters = ROUTER.find(method, URL(path, encoded=True))
    return one.path, dict(parameters)


class TestRouter:
    @pytest.mark.parametrize(
        ("path", "template", "parameters"),
        [
            ("/runs", "/runs", {}),
            ("/runs?limit=1", "/runs", {}),
            ("/%72uns", "/runs", {}),
            ("/runs/abc", "/runs/{run_id}", {"run_id": "abc"}),
            ("/runs/compare", "/runs/{run_id}", {"run_id": "compare"}),
            ("/runs/a%62c", "/runs/{run_id}", {"run_id": "abc"}),
            ("/runs/a%2Fb", "/runs/{run_id}", {"run_id": "a/b"}),
            ("/runs/a%2fb", "/runs/{run_id}", {"run_id": "a/b"}),
            ("/runs/a%252Fb", "/runs/{run_id}", {"run_id": "a%2Fb"}),
            ("/runs/%C3%A9", "/runs/{run_id}", {"run_id": "é"}),
            ("/runs/..", "/runs/{run_id}", {"run_id": ".."}),
            ("/runs/a+b", "/runs/{run_id}", {"run_id": "a+b"}),
            ("/runs/a/metrics", "/runs/{name}/{part}", {"name": "a", "part": "metrics"}),
            ("/files/a.json", "/files/{name}.json", {"name": "a"}),
        ],
    )
    def test_finds_a_route_and_its_parameters(
        self, path: str, template: str, parameters: dict[str, str]
    ) -> None:
        """Parameters are percent-decoded, and the first of the templates that fit is taken."""
        assert (template, parameters) == found("GET", path)

    def test_prefers_a_path_without_parameters(self) -> None:
        """Of two routes for one method the one whose path is exactly that is taken."""
        router = Router([route("GET", "/{name}"), route("GET", "/runs")])
        assert "/runs" == router.find("GET", URL("/runs"))[0].path

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "//",
            "/runs/",
            "//runs",
            "/runs//",
            "/Runs",
            "/runs/a/b/c",
            "/runs/{a}",
            "/runs/%7Ba}",
            "/runs%2Fa",
        ],
    )
    def test_knows_no_other_paths(self, path: str) -> None:
        """An encoded slash divides nothing, and a parameter is neither empty nor has it braces."""
        with pytest.raises(NotFound):
            found("GET", path)

    def test_answers_head_by_get(self) -> None:
        """A route for GET answers HEAD."""
        assert found("GET", "/runs/a") == found("HEAD", "/runs/a")

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("POST", "/runs", ("GET", "HEAD")),
            ("PUT", "/runs/a", ("DELETE", "GET", "HEAD")),
            ("PUT", "/runs/compare", ("DELETE", "GET", "HEAD", "POST")),
            ("get", "/runs", ("GET", "HEAD")),
        ],
    )
    def test_lists_the_methods_of_a_path(self, method: str, path: str, allowed: tuple[str, ...]) -> None:
        """Another method is refused, and the methods of all routes that fit the path are named."""
        with pytest.raises(MethodNotAllowed) as refusal:
            found(method, path)
        assert allowed == refusal.value.allowed

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_refuses_two_routes_for_one_thing(self, method: str) -> None:
        """That two routes answer the same method of the same path is an error of whoever built them."""
        with pytest.raises(ValueError, match="two routes answer"):
            Router([route("GET", "/runs"), route(method, "/runs")])


async def test_each_run_has_its_own_answer(api: Client, fake: FakeMlflow) -> None:
    """Each path has its own place, whatever its query."""
    for run_id in ("abc", "def"):
        fake.add_run(run_id=run_id)
    for _ in range(2):
        for run_id in ("abc", "def"):
            response = await api.get(f"{API}/runs/{run_id}")
            assert (200, run_id) == (response.status, (await response.json())["run_id"])
        for limit in (1, 2):
            response = await api.get(f"{API}/runs?limit={limit}")
            assert (200, limit) == (response.status, (await response.json())["total"])


async def test_methods_are_told_apart(api: Client, fake: FakeMlflow) -> None:
    """A path that one method found is not found by another."""
    fake.add_run(run_id="abc")
    for _ in range(2):
        assert 200 == (await api.get(f"{API}/runs/abc")).status
        await refused(await api.delete(f"{API}/runs/abc"), 405, "method_not_allowed")
        assert 200 == (await api.head(f"{API}/runs/abc")).status


async def test_a_path_is_read_percent_decoded(api: Client, fake: FakeMlflow) -> None:
    """Encoded letters of a path are those letters, and an encoded slash belongs to a run's id."""
    fake.add_run(run_id="abc")
    assert 200 == (await api.get(URL("/%6Civez", encoded=True))).status
    response = await api.get(URL(f"{API}/runs/%61bc", encoded=True))
    assert (200, "abc") == (response.status, (await response.json())["run_id"])
    problem = await refused(await api.get(URL(f"{API}/runs/a%2Fbc", encoded=True)), 404, "run_not_found")
    assert ["a/bc"] == problem["missing_run_ids"]


async def test_expectations_of_a_route(api: Client) -> None:
    """A caller who expects 100-continue is told to go on, and one who expects anything else is refused."""
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


async def test_observers_are_told_the_route(fake: FakeMlflow) -> None:
    """A record has the path of the route as it was declared, and none where no route answered."""
    fake.add_run(run_id="abc")
    told: list[AccessRecord] = []
    async with Client(build(make_settings(), fake.url, [told.append])) as api:
        for path in (f"{API}/runs/abc", f"{API}/runs/nobody", f"{API}/nothing"):
            await api.get(path)
        await api.delete(f"{API}/runs/abc")
    template = f"{API}/runs/{{run_id}}"
    assert [template, template, "unmatched", "unmatched"] == [one.route for one in told]
