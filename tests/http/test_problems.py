"""Errors of every kind, and the id that every request has."""

import json
import logging
from typing import Any, NoReturn

import pytest
from aiohttp import web

from service.errors import (
    AuthUnavailable,
    Forbidden,
    RunsNotFound,
    TrackingError,
    Unauthenticated,
    UpstreamError,
    UpstreamFailure,
    UpstreamNotAsked,
    UpstreamUnavailable,
    shorten,
)
from service.http.errors import HttpError, MethodNotAllowed, Overloaded
from service.http.problems import kinds, problem_body, problem_response, status_of
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
        monkeypatch.setattr(type(api.service.queries), query, broken)
    response = await ask(api, route)
    body = await refused(response, 500, "internal_error")
    assert "s3cret" not in await response.text()
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert body["request_id"] in record.getMessage()
    assert record.exc_info is not None


CONCRETE = [kind for kind in kinds() if hasattr(kind, "code")]


def test_each_error_has_a_status_and_a_code() -> None:
    """Every error that is answered has a 4xx or 5xx status, a title and a code; a code means one status."""
    statuses: dict[str, int] = {}
    for kind in CONCRETE:
        status = status_of(kind)
        assert 400 <= status <= 599
        assert kind.title
        assert kind.code == kind.code.lower().replace(" ", "_")
        assert status == statuses.setdefault(kind.code, status)
    assert {400, 401, 403, 404, 405, 408, 413, 415, 417, 422, 500, 502, 503, 504} == set(statuses.values())


def test_errors_know_nothing_of_http() -> None:
    """Which status and which headers an error has is no matter of its class."""
    assert [] == [kind for kind in kinds() if hasattr(kind, "status") or hasattr(kind, "headers")]


def test_only_abstract_errors_have_no_code() -> None:
    """An error without a code of its own or of its parent's is there for others to derive from."""
    abstract = set(kinds()) - set(CONCRETE)
    assert {HttpError, UpstreamFailure} == abstract
    for kind in abstract:
        with pytest.raises(KeyError):
            status_of(kind)


HTTP_EXCEPTIONS = sorted(
    {
        kind
        for kind in vars(web).values()
        if isinstance(kind, type) and issubclass(kind, web.HTTPException) and 300 <= (kind.status_code or 0)
    },
    key=lambda kind: kind.__name__,
)


def raised(kind: Any) -> web.HTTPException:
    """An exception of this kind, however it is made."""
    arguments: dict[Any, Any] = {
        web.HTTPMethodNotAllowed: ("GET", ["POST"]),
        web.HTTPRequestEntityTooLarge: (1,),
        web.HTTPUnavailableForLegalReasons: ("http://x",),
    }
    is_redirection = issubclass(kind, web.HTTPMove)
    return kind(*arguments.get(kind, ("/",) if is_redirection else ()))  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", HTTP_EXCEPTIONS)
async def test_no_exception_of_aiohttp_escapes(
    api: Client, monkeypatch: pytest.MonkeyPatch, kind: type[web.HTTPException]
) -> None:
    """Whatever aiohttp raises inside of a handler, the caller gets an error in the one form."""

    async def fails(*_: Any, **__: Any) -> NoReturn:
        raise raised(kind)

    monkeypatch.setattr(type(api.service.queries), "together", fails)
    response = await api.post(f"{API}/runs/compare", json={"run_ids": ["a", "b"]})
    body = json.loads(await response.text())
    assert body["code"] in {one.code for one in CONCRETE}
    await refused(response, response.status, body["code"])
    assert 400 <= response.status


def test_a_problem_is_json() -> None:
    """The body of a problem has the members of RFC 9457 and those of ours."""
    body = problem_body(RunsNotFound(["abc"]), "id-1")
    assert {
        "type": "urn:experiment-tracking:problem:run_not_found",
        "title": "Run not found",
        "status": 404,
        "detail": "The run 'abc' does not exist, or may not be read.",
        "code": "run_not_found",
        "request_id": "id-1",
        "missing_run_ids": ["abc"],
    } == body
    json.dumps(body)


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (Unauthenticated("x"), {"WWW-Authenticate": 'Bearer realm="experiment-tracking"'}),
        (
            Unauthenticated("x", was_given=True),
            {"WWW-Authenticate": 'Bearer realm="experiment-tracking", error="invalid_token"'},
        ),
        (
            Forbidden("x"),
            {"WWW-Authenticate": 'Bearer realm="experiment-tracking", error="insufficient_scope"'},
        ),
        (AuthUnavailable(), {"Retry-After": "5"}),
        (Overloaded("x"), {"Retry-After": "1"}),
        (MethodNotAllowed("PUT", {"POST", "GET"}), {"Allow": "GET, POST"}),
        (UpstreamUnavailable(""), {"Retry-After": "1"}),
        (UpstreamUnavailable("", 7), {"Retry-After": "7"}),
        (UpstreamNotAsked("", 3), {"Retry-After": "3"}),
        (UpstreamError("", 7), {}),
        (RunsNotFound(["a"]), {}),
    ],
)
def test_headers_of_a_problem(error: TrackingError, headers: dict[str, str]) -> None:
    """A response says by a header what its caller can do about the error, and that nobody may keep it."""
    response = problem_response(error, "id-1")
    own = {name: value for name, value in response.headers.items() if name != "Content-Type"}
    assert {"Cache-Control": "no-store", **headers} == own


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
