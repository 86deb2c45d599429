"""Promise 9: every fault on every route is the documented answer, and leaves nothing behind."""

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestServer

from tests.api.serving import API, ROUTES, Client, refused, serving
from tests.fakes.mlflow import FakeMlflow
from tests.resilience import proxy as wire
from tests.resilience.faults import BAD, FAULTS, LARGEST, SLOW, TOKEN, Fault, replying
from tests.resilience.measure import eventually
from tests.resilience.proxy import FaultProxy, deaf_listener

pytestmark = pytest.mark.usefixtures("_leaves_nothing")

# Nothing is fresh, all is usable where MLflow fails: each request asks MLflow.
STALE_ONLY = {
    "terminal_ttl": 0,
    "active_ttl": 0,
    "list_ttl": 0,
    "experiments_ttl": 0,
    "missing_ttl": 0,
    "stale_if_error": 600,
}
DEADLINE = 1.0


@asynccontextmanager
async def service(url: str) -> AsyncIterator[Client]:
    """The service with little patience, retries, a small limit and a token, its breaker out of the way."""
    upstream = {"max_body_bytes": LARGEST, "attempts": 2, "breaker_failures": 1_000, "connect_timeout": 0.2}
    async with serving(
        url, deadline=DEADLINE, upstream=upstream, cache=STALE_ONLY, mlflow_tracking_token=TOKEN
    ) as api:
        yield api


async def ask(api: Client, route: str) -> ClientResponse:
    method, path, body = ROUTES[route]
    response = await api.request(method, API + path, json=body)
    await response.read()
    return response


async def ask_all(api: Client) -> dict[str, ClientResponse]:
    """Each route once, all at the same time."""
    return dict(zip(ROUTES, await asyncio.gather(*(ask(api, route) for route in ROUTES)), strict=True))


async def gives_nothing_away(response: ClientResponse, answer: tuple[int, str], address: str) -> None:
    await refused(response, *answer)
    said = await response.text() + repr(response.headers)
    for secret in ("s3cret", "api/2.0", address.split("//")[1].strip("/")):
        assert secret not in said
    assert ("Retry-After" in response.headers) == (answer[0] == 503)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings of requests; that of an experiment that is forbidden is another."""
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [one for one in said if not one.startswith("MLflow forbids the experiment")]


def nothing_is_under_way(api: Client) -> bool:
    transport = api.service.transport
    return (0, 0) == (transport.layers.limit.in_flight, transport.layers.limit.waiting)


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault(
    mlflow: FakeMlflow, proxy: FaultProxy, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Each route answers as documented, then well when MLflow is, then with what it knows and its Age."""
    fault: Fault = FAULTS[name]
    async with service(proxy.url) as api:
        mlflow.before = fault.hook
        await proxy.behave(fault.on_wire)
        answers = await ask_all(api)
        assert dict.fromkeys(ROUTES, fault.answer[0]) == {key: one.status for key, one in answers.items()}
        for answer in answers.values():
            await gives_nothing_away(answer, fault.answer, proxy.url)
        warnings = told(caplog)
        assert len(ROUTES) == len(warnings), warnings
        assert TOKEN not in caplog.text

        # A call that is about to time out is shared with whoever asks the same meanwhile.
        await eventually(lambda: nothing_is_under_way(api), lambda: "calls are left")
        mlflow.before = None
        await proxy.behave(wire.forward)
        good = await ask_all(api)
        assert dict.fromkeys(ROUTES, 200) == {key: one.status for key, one in good.items()}

        mlflow.before = fault.hook
        await proxy.behave(fault.on_wire)
        stale = await ask_all(api)
        assert dict.fromkeys(ROUTES, 200) == {key: one.status for key, one in stale.items()}
        for route, answer in stale.items():
            assert await good[route].read() == await answer.read()
            assert answer.headers["Age"].isdigit()
            assert "detail=stale" in answer.headers["Cache-Status"]
        await eventually(lambda: nothing_is_under_way(api), lambda: "calls are left")


@contextmanager
def no_such_host() -> Iterator[str]:
    yield "http://s3cret-host.invalid/"


@contextmanager
def nobody() -> Iterator[str]:
    with deaf_listener() as address:
        pass
    yield address


@pytest.mark.parametrize(
    ("address", "answer"),
    [(no_such_host, BAD), (nobody, BAD), (deaf_listener, SLOW)],
    ids=["a name that does not resolve", "refused", "a listener that accepts nobody"],
)
async def test_an_address_without_mlflow(
    address: Callable[[], Any], answer: tuple[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Where there is no way to MLflow each route says so, within the deadline."""
    with address() as url:
        async with service(url) as api:
            for response in (await ask_all(api)).values():
                await gives_nothing_away(response, answer, url)
    assert len(ROUTES) == len(told(caplog))


async def test_tls_with_a_server_that_speaks_none(proxy: FaultProxy) -> None:
    """A plain server behind an https address is a failure of MLflow's."""
    url = proxy.url.replace("http:", "https:")
    async with service(url) as api:
        for response in (await ask_all(api)).values():
            await gives_nothing_away(response, BAD, url)


async def test_a_certificate_that_nobody_knows(pem: Path) -> None:
    """A self-signed certificate is a failure of MLflow's, and the token never reaches the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    reached = []

    async def reply(request: web.Request) -> web.Response:
        reached.append(request)
        return web.json_response({})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", reply)
    server = TestServer(app)
    await server.start_server(ssl=context)
    try:
        url = str(server.make_url("/"))
        async with service(url) as api:
            for response in (await ask_all(api)).values():
                await gives_nothing_away(response, BAD, url)
    finally:
        await server.close()
    assert [] == reached


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_the_charset_that_mlflow_claims_is_no_matter(
    mlflow: FakeMlflow, proxy: FaultProxy, encoding: str
) -> None:
    """JSON is read as what its bytes say it is; a right answer stays right under a wrong label."""
    run = {"info": {"run_id": "abc123def456", "status": "FINISHED", "run_name": "Zoë"}, "data": {}}

    async def reply(_: web.Request) -> web.Response:
        return web.Response(
            body=json.dumps({"run": run}, ensure_ascii=False).encode(encoding),
            headers={"Content-Type": "application/json; charset=utf-16"},
        )

    mlflow.before = reply
    async with service(proxy.url) as api:
        answer = await ask(api, "run")
        assert (200, "Zoë") == (answer.status, (await answer.json())["run_name"])


async def test_a_bare_nan_for_a_metric(proxy: FaultProxy, mlflow: FakeMlflow) -> None:
    """A metric that is a bare NaN is null: the rest of the answer is right."""

    async def reply(_: web.Request) -> web.Response:
        info = '{"run_id": "abc123def456", "status": "FINISHED"}'
        data = '{"metrics": [{"key": "a", "value": NaN}, {"key": "b", "value": -Infinity}]}'
        return web.Response(text=f'{{"run": {{"info": {info}, "data": {data}}}}}')

    mlflow.before = reply
    async with service(proxy.url) as api:
        answer = await ask(api, "metrics")
        assert {"a": None, "b": None} == (await answer.json())["metrics"]


@pytest.mark.parametrize("status", [400, 500, 503])
async def test_mlflows_own_message_is_the_operators(
    mlflow: FakeMlflow, proxy: FaultProxy, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """What MLflow says of its failure stands in the log, beside the caller's request id, and nowhere else."""
    message = "Metric 'val_loss' is malformed. Expected 2 or 3 fields"
    mlflow.before = replying(status, json.dumps({"error_code": "INTERNAL_ERROR", "message": message}))
    async with service(proxy.url) as api:
        response = await ask(api, "metrics")
        body = await refused(response, *BAD)
    [warning] = told(caplog)
    assert message in warning
    assert body["request_id"] in warning
    assert "val_loss" not in await response.text() + repr(response.headers)
