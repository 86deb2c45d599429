"""Errors of every kind, and the id that every request has."""

import json
import logging
from typing import Any, NoReturn

import pytest

from service.app import QUERIES
from service.errors import TrackingError, shorten
from service.http.problems import problem_body
from tests.api.serving import API, ROUTES, Client, ask, refused
from tests.fakes.mlflow import FakeMlflow

GETS = [API + path for method, path, _ in ROUTES.values() if method == "GET"]
OWN = ["/livez", "/readyz", "/openapi.json", "/docs"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        API,
        f"{API}/nothing",
        f"{API}/runs/a/artifacts",
        f"{API}/runs/a/metrics/sharpe",
        f"{API}/experiments/0",
        "/API/v1/tracking/runs",
        "/api/v2/tracking/runs",
        "/docs/nothing.js",
        "/docs/swagger-ui",
        "/docs/..%2fopenapi.py",
        "/docs/%00",
        f"/docs/{'a' * 5_000}",
        "//",
        "/openapi.json.",
    ],
)
async def test_an_unknown_route(api: Client, caplog: pytest.LogCaptureFixture, path: str) -> None:
    """A path that is no route is a 404, and no reason for a log line."""
    await refused(await api.get(path), 404, "not_found")
    assert [] == [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


@pytest.mark.parametrize("path", [*GETS, f"{API}/runs/compare", *OWN])
async def test_a_trailing_slash_is_another_route(api: Client, path: str) -> None:
    """No route is known with a slash at its end."""
    await refused(await api.get(f"{path}/"), 404, "not_found")


@pytest.mark.parametrize("path", [*GETS, *OWN])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
async def test_a_wrong_method(api: Client, path: str, method: str) -> None:
    """A method that the route does not know is a 405 that lists those it knows."""
    response = await api.request(method, path)
    await refused(response, 405, "method_not_allowed")
    assert "GET, HEAD" == response.headers["Allow"]


async def test_a_wrong_method_of_compare(api: Client) -> None:
    """The path of compare could be a run's detail, too: all that it knows is listed."""
    response = await api.delete(f"{API}/runs/compare")
    await refused(response, 405, "method_not_allowed")
    assert "GET, HEAD, POST" == response.headers["Allow"]


@pytest.mark.parametrize("path", [*GETS, *OWN])
async def test_head_works_wherever_get_does(api: Client, fake: FakeMlflow, path: str) -> None:
    """HEAD answers the status and the headers of GET, and no body."""
    fake.add_run(run_id="abc123def456")
    got, head = await api.get(path), await api.head(path)
    assert 200 == got.status
    assert 200 == head.status
    assert b"" == await head.read()
    for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control", "Vary"):
        assert got.headers.get(name) == head.headers.get(name)


async def test_head_of_what_is_missing(api: Client) -> None:
    """HEAD of a missing run is a 404 without a body."""
    response = await api.head(f"{API}/runs/nobody")
    assert (404, b"") == (response.status, await response.read())


@pytest.mark.parametrize("given", ["abc", "A.b-c_9", "x" * 128, "4bf92f3577b34da6a3ce929d0e0e4736"])
async def test_a_well_formed_request_id_is_kept(api: Client, given: str) -> None:
    """The caller's own id comes back on good answers and on errors."""
    for path in ("/livez", f"{API}/runs", f"{API}/runs/nobody", "/nothing"):
        response = await api.get(path, headers={"X-Request-ID": given})
        assert given == response.headers["X-Request-ID"]


@pytest.mark.parametrize("given", ["", " ", "a b", "x" * 129, "é", "a\tb", "<script>", "a/b", 'a"b', "a;b"])
async def test_an_odd_request_id_is_replaced(api: Client, given: str) -> None:
    """An id that could break a log line is not taken over."""
    response = await api.get("/nothing", headers={"X-Request-ID": given})
    body = await refused(response, 404, "not_found")
    assert body["request_id"] not in {given, ""}


async def test_every_request_has_an_id_of_its_own(api: Client) -> None:
    """Ids that the service gives do not repeat."""
    ids = [(await api.get("/livez")).headers["X-Request-ID"] for _ in range(20)]
    assert 20 == len(set(ids))
    assert all(ids)


@pytest.mark.parametrize("route", ROUTES)
async def test_a_defect_of_the_service(
    api: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    """An error that nobody foresaw is a 500 that gives nothing away, and a traceback with the same id."""

    def broken(*_: Any, **__: Any) -> NoReturn:
        raise ZeroDivisionError("s3cret")

    for query in ("runs", "run", "together", "experiments"):
        monkeypatch.setattr(type(api.app[QUERIES]), query, broken)
    response = await ask(api, route)
    body = await refused(response, 500, "internal_error")
    assert "s3cret" not in await response.text()
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert body["request_id"] in record.getMessage()
    assert record.exc_info is not None


def classes(of: type[TrackingError]) -> list[type[TrackingError]]:
    return [one for child in of.__subclasses__() for one in (child, *classes(child))]


def test_each_error_has_a_status_and_a_code() -> None:
    """Every error that is answered has a 4xx or 5xx status, a title and a code; a code means one status."""
    status_of: dict[str, int] = {}
    for error in classes(TrackingError):
        if not hasattr(error, "status"):
            assert error.__subclasses__()
            continue
        assert 400 <= error.status <= 599
        assert error.title
        assert error.code == error.code.lower().replace(" ", "_")
        assert error.status == status_of.setdefault(error.code, error.status)


def test_a_problem_is_json() -> None:
    """The body of a problem has the members of RFC 9457 and those of ours."""

    class Teapot(TrackingError):
        status, code, title = 418, "teapot", "I'm a teapot"

    body = problem_body(Teapot("short and stout"), "id-1")
    assert {
        "type": "urn:experiment-tracking:problem:teapot",
        "title": "I'm a teapot",
        "status": 418,
        "detail": "short and stout",
        "code": "teapot",
        "request_id": "id-1",
    } == body
    json.dumps(body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", "'abc'"),
        ("", "''"),
        ("a\nb", "'a\\nb'"),
        ("x" * 64, f"'{'x' * 64}'"),
        ("x" * 65, f"'{'x' * 63}…'"),
    ],
)
def test_a_callers_text_is_shortened(text: str, expected: str) -> None:
    """A caller's own text in a message is quoted, on one line, and of 64 characters at most."""
    assert expected == shorten(text)
