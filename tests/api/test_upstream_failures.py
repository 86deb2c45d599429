"""What callers get when MLflow fails: the table of the contract, on every route."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

import pytest
from aiohttp import web

from service.api import schemas
from tests.api.serving import API, ROUTES, Client, answered, ask, refused, serving
from tests.fakes.faults import Hook, half_a_body, only, reset
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.thorough

WORDS = "s3cret-words-of-mlflow"
BEARER = "s3cret-of-ours"


class Failure(NamedTuple):
    """How MLflow fails, and the status and the code that callers get."""

    hook: Hook
    status: int
    code: str


def replying(
    status: int = 200,
    body: str | bytes = WORDS,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Hook:
    async def reply(_: web.Request) -> web.Response:
        data = body.encode() if isinstance(body, str) else body
        given = {"X-Secret": WORDS, **(headers or {})}
        return web.Response(status=status, body=data, content_type=content_type, headers=given)

    return reply


def error(code: str) -> str:
    return f'{{"error_code": "{code}", "message": "{WORDS}"}}'


async def hang(_: web.Request) -> None:
    await asyncio.Event().wait()


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"runs": [')
    await asyncio.Event().wait()
    return response


BAD, AUTH = (502, "upstream_error"), (502, "upstream_auth")
SLOW, BUSY = (504, "upstream_timeout"), (503, "upstream_unavailable")
WRONG_SHAPE = [
    "[]",
    '{"message": 1}',
    '"text"',
    "5",
    "null",
    "true",
    '{"runs": {}, "run": [], "experiments": "x", "experiment": 7}',
    '{"runs": null, "experiments": null, "run": null, "experiment": null}',
    '{"runs": [null], "experiments": [[]], "run": {}, "experiment": {}}',
    '{"runs": [{"info": {}}], "experiments": [{"name": "x"}], "run": {"info": {}}, "experiment": []}',
    '{"next_page_token": "abc"}',
    f'{{"detail": "{WORDS}"}}',
    f'{{"x": {"1" * 5_000}}}',
    f'{{"x": {"[" * 100_000}{"]" * 100_000}}}',
    '{"info": NaN}',
]
FAILURES = {
    "500": Failure(replying(500), *BAD),
    "500 of MLflow": Failure(replying(500, error("INTERNAL_ERROR")), *BAD),
    "503 of MLflow": Failure(replying(503, error("TEMPORARILY_UNAVAILABLE")), *BAD),
    "504 of a proxy": Failure(replying(504, "<html>Gateway</html>", "text/html"), *BAD),
    "400 of MLflow": Failure(replying(400, error("BAD_REQUEST")), *BAD),
    "400 of something that exists": Failure(replying(400, error("RESOURCE_ALREADY_EXISTS")), *BAD),
    "404 in HTML": Failure(replying(404, "<html>Not Found</html>", "text/html"), *BAD),
    "404 of another kind": Failure(replying(404, error("ENDPOINT_NOT_FOUND")), *BAD),
    "a deep error": Failure(replying(400, f'{{"x": {"[" * 100_000}{"]" * 100_000}}}'), *BAD),
    "an error of the wrong shape": Failure(replying(404, '{"error_code": 5}'), *BAD),
    "HTML": Failure(replying(200, "<html>sign in</html>", "text/html"), *BAD),
    "JSON that is HTML": Failure(replying(200, "<html>sign in</html>"), *BAD),
    "nothing": Failure(replying(200, b""), *BAD),
    "204": Failure(replying(204, b""), *BAD),
    "half a body": Failure(replying(200, '{"run": {"info": {"run_id": "a'), *BAD),
    "a cut connection": Failure(half_a_body, *BAD),
    "a reset connection": Failure(reset, *BAD),
    "no UTF-8": Failure(replying(200, b'{"x": "\xff\xfe"}'), *BAD),
    "no gzip": Failure(replying(200, b"{}", headers={"Content-Encoding": "gzip"}), *BAD),
    "a redirect": Failure(replying(302, headers={"Location": "/elsewhere"}), *BAD),
    "a redirect that keeps the method": Failure(replying(307, headers={"Location": "/elsewhere"}), *BAD),
    "too large": Failure(replying(200, f'{{"x": "{"y" * 600_000}"}}'), 502, "upstream_too_large"),
    "silence": Failure(hang, *SLOW),
    "half a body, then silence": Failure(drip, *SLOW),
    "401": Failure(replying(401, "You are not authenticated", "text/plain"), *AUTH),
    "403": Failure(replying(403, error("PERMISSION_DENIED")), *AUTH),
    "429": Failure(replying(429, error("REQUEST_LIMIT_EXCEEDED")), *BUSY),
    "429 of a proxy": Failure(replying(429, "slow down", "text/plain", {"Retry-After": "7"}), *BUSY),
    **{f"wrong shape {body[:60]}": Failure(replying(200, body), *BAD) for body in WRONG_SHAPE},
}


@pytest.fixture
async def api(request: pytest.FixtureRequest, fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service with one attempt, a small limit, a token, and little patience where MLflow is silent."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    is_silent = "silence" in parameters.get("name", "")
    async with serving(
        fake.url,
        deadline=0.25 if is_silent else 10.0,
        upstream={"max_body_bytes": 500_000, "attempts": 1},
        mlflow_tracking_token=BEARER,
    ) as client:
        yield client


async def gives_nothing_away(
    api: Client, fake: FakeMlflow, caplog: pytest.LogCaptureFixture, route: str, failure: tuple[int, str]
) -> None:
    """The answer is the error, and the log says with the same id what happened, as a warning."""
    status, code = failure
    response = await ask(api, route)
    body = await refused(response, status, code)
    said = await response.text() + repr(response.headers)
    assert "s3cret" not in said
    assert fake.url.split("//")[1].split("/")[0] not in said
    assert "api/2.0" not in said
    assert [] == [record for record in caplog.records if record.levelno >= logging.ERROR]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert 1 == len([said for said in warnings if body["request_id"] in said])
    assert BEARER not in caplog.text


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_an_error_and_never_an_empty_answer(
    api: Client, fake: FakeMlflow, caplog: pytest.LogCaptureFixture, route: str, name: str
) -> None:
    """Whatever MLflow does wrong, the caller learns of it in the one form, and of nothing else."""
    failure = FAILURES[name]
    fake.before = failure.hook
    await gives_nothing_away(api, fake, caplog, route, (failure.status, failure.code))


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_behind_the_experiment(
    api: Client, fake: FakeMlflow, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """The list fails alike when the experiment is found and the search fails; a 403 is the experiment's."""
    failure = FAILURES[name]
    fake.before = only("runs/search", failure.hook)
    code = "upstream_forbidden" if name == "403" else failure.code
    await gives_nothing_away(api, fake, caplog, "runs", (failure.status, code))


@pytest.mark.parametrize("route", ROUTES)
async def test_nobody_listens(
    api: Client, fake: FakeMlflow, caplog: pytest.LogCaptureFixture, route: str
) -> None:
    """A refused connection is a 502."""
    await fake.stop()
    await gives_nothing_away(api, fake, caplog, route, BAD)


@pytest.mark.parametrize(
    ("route", "endpoint"), [("runs", "runs/search"), ("experiments", "experiments/search")]
)
async def test_a_search_of_something_missing(
    api: Client, fake: FakeMlflow, caplog: pytest.LogCaptureFixture, route: str, endpoint: str
) -> None:
    """A search that MLflow says is of something missing is an upstream failure, not a defect of ours."""
    fake.before = only(endpoint, replying(404, error("RESOURCE_DOES_NOT_EXIST")))
    await gives_nothing_away(api, fake, caplog, route, BAD)


@pytest.mark.parametrize("route", ROUTES)
async def test_a_server_without_a_name(caplog: pytest.LogCaptureFixture, route: str) -> None:
    """A host name that does not resolve is a 502."""
    async with serving("http://mlflow.invalid") as api:
        await refused(await ask(api, route), *BAD)
    assert [] == [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", "7"),
        ("0", "1"),
        ("-5", "1"),
        ("3600", "60"),
        ("1.5", "1"),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "1"),
        ("٣", "1"),
        ("9" * 5_000, "60"),
        ("", "1"),
    ],
)
async def test_retry_after(api: Client, fake: FakeMlflow, header: str, expected: str) -> None:
    """A 429 becomes a 503 with whole seconds to wait, 1 to 60, whatever MLflow's own header is."""
    fake.before = replying(429, headers={"Retry-After": header} if header else None)
    response = await ask(api, "run")
    await refused(response, *BUSY)
    assert expected == response.headers["Retry-After"]


async def test_credentials_do_not_follow_a_redirect(fake: FakeMlflow) -> None:
    """A redirect is not followed, so that no other host sees the credentials."""
    async with FakeMlflow().serve() as other:
        fake.before = replying(307, headers={"Location": f"{other.url}api/2.0/mlflow/runs/get?run_id=a"})
        async with serving(fake.url, mlflow_tracking_token=BEARER) as api:
            await refused(await api.get(f"{API}/runs/a"), *BAD)
        assert [] == other.calls
    assert f"Bearer {BEARER}" == fake.calls[0].headers["Authorization"]


async def test_one_run_of_a_comparison_fails(api: Client, fake: FakeMlflow) -> None:
    """A comparison of which one run cannot be read is an error, be the others there or missing."""
    fake.add_run(run_id="abc123def456")

    async def fails_for_one(request: web.Request) -> web.StreamResponse | None:
        return await replying(500)(request) if request.query.get("run_id") == "def456ghi789" else None

    fake.before = fails_for_one
    await refused(await ask(api, "compare"), *BAD)
    response = await api.post(f"{API}/runs/compare", json={"run_ids": ["nobody", "def456ghi789"]})
    await refused(response, *BAD)


@pytest.mark.parametrize("path", ["/runs?limit=3&run_type=a%5C", "/runs?limit=3", "/experiments"])
async def test_pages_without_end(fake: FakeMlflow, path: str) -> None:
    """A server that always has one more page does not keep the caller past the deadline."""
    pages = 0

    async def one_more(request: web.Request) -> web.StreamResponse | None:
        nonlocal pages
        if not request.path.endswith("/search"):
            return None
        pages += 1
        run = f'{{"info": {{"run_id": "r{pages}", "status": "FINISHED"}}, "data": {{}}}}'
        experiment = (
            '{"experiment_id": "1", "name": "e", "artifact_location": "", "lifecycle_stage": "active"}'
        )
        listed = f'"runs": [{run}]' if "/runs/" in request.path else f'"experiments": [{experiment}]'
        return web.Response(
            text=f'{{{listed}, "next_page_token": "{pages}"}}', content_type="application/json"
        )

    fake.before, fake.latency = one_more, 0.01
    async with serving(fake.url, deadline=0.5) as api, asyncio.timeout(5):
        response = await api.get(API + path)
        if path == "/runs?limit=3":
            assert 3 == (await answered(response, schemas.RunList))["total"]
        else:
            await refused(response, *SLOW)


async def test_the_deadline_is_for_the_request_not_for_each_call(fake: FakeMlflow) -> None:
    """A list needs two calls of MLflow; together they have the time of one request."""
    fake.latency = 0.35
    async with serving(fake.url, deadline=0.5) as api:
        await refused(await api.get(f"{API}/runs"), *SLOW)


async def test_a_caller_who_hangs_up_is_no_error(fake: FakeMlflow, caplog: pytest.LogCaptureFixture) -> None:
    """A caller who leaves while MLflow is asked is nothing to log, and the next one is answered."""
    fake.add_run(run_id="abc123def456")
    arrived, free = asyncio.Event(), asyncio.Event()

    async def hold(_: web.Request) -> None:
        arrived.set()
        await free.wait()

    fake.before = hold
    async with serving(fake.url) as api:
        _, writer = await asyncio.open_connection("127.0.0.1", api.port)
        writer.write(f"GET {API}/runs/abc123def456 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await arrived.wait()
        writer.close()
        await writer.wait_closed()
        free.set()
        assert 200 == (await api.get(f"{API}/runs/abc123def456")).status
    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]
