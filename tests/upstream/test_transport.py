"""The transport: headers, addresses, bounds, TLS, and the errors of the libraries below it."""

import json
import socket
import ssl
from pathlib import Path
from typing import Any, NoReturn

import aiohttp
import pytest
from aiohttp import web
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.test_utils import TestServer
from aioresponses import aioresponses
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from service.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamFailure,
    UpstreamTimeout,
    UpstreamTooLarge,
)
from service.upstream.access import Access, tls
from service.upstream.failures import Missing
from service.upstream.transport import Limits, MlflowTransport
from service.upstream.wire import Body
from tests.fakes.mlflow import FakeMlflow

ENDPOINT = "experiments/search"
ONCE = Limits(attempts=1)
KEY = ConnectionKey("h", 80, False, True, None, None, None)


def as_json(body: Body) -> Any:
    return json.loads(body)


async def knock(transport: MlflowTransport) -> Any:
    return await transport.call("POST", ENDPOINT, as_json, json={"max_results": 5})


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("http://h", "http://h/api/2.0/mlflow/x"),
        ("http://h/", "http://h/api/2.0/mlflow/x"),
        ("http://h:5000//", "http://h:5000/api/2.0/mlflow/x"),
        ("https://h/mlflow", "https://h/mlflow/api/2.0/mlflow/x"),
        ("https://h/a/b/", "https://h/a/b/api/2.0/mlflow/x"),
    ],
)
async def test_builds_addresses_below_the_base(base: str, expected: str) -> None:
    """Paths are below MLflow's address and keep its prefix, with or without a slash at its end."""
    with aioresponses() as mocked:
        mocked.get(expected, payload={"a": 1})
        async with MlflowTransport(base, ONCE) as transport:
            assert {"a": 1} == await transport.call("GET", "x", as_json)


async def test_sends_its_headers_and_keeps_no_cookie(fake: FakeMlflow) -> None:
    """The headers of the access go with every call, JSON has its type, and no cookie is kept."""
    replies = iter([{"Set-Cookie": "session=1; Path=/"}, {}])

    async def reply(_: web.Request) -> web.Response:
        return web.json_response({}, headers=next(replies))

    fake.before = reply
    async with MlflowTransport(fake.url, ONCE, access=Access({"Authorization": "Bearer x"})) as transport:
        await knock(transport)
        await knock(transport)
    assert ["Bearer x"] * 2 == [call.headers["Authorization"] for call in fake.calls]
    assert ["application/json"] * 2 == [call.headers["Content-Type"] for call in fake.calls]
    assert [None] * 2 == [call.headers.get("Cookie") for call in fake.calls]


async def test_refused_credentials_are_an_upstream_auth() -> None:
    """A server that does not accept the credentials is an UpstreamAuth; with the right ones it answers."""
    async with FakeMlflow(authorization="Bearer right").serve() as fake:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            async with MlflowTransport(fake.url, ONCE, access=Access(headers)) as transport:
                with pytest.raises(UpstreamAuth):
                    await knock(transport)
        async with MlflowTransport(
            fake.url, ONCE, access=Access({"Authorization": "Bearer right"})
        ) as transport:
            assert 1 == len((await knock(transport))["experiments"])


async def test_refuses_calls_outside_its_context() -> None:
    """A call before the transport is entered is a defect of the caller."""
    transport = MlflowTransport("http://h", ONCE)
    with pytest.raises(RuntimeError, match="outside its context"):
        await knock(transport)


def subclasses(of: type[Any]) -> set[type[Any]]:
    return {of} | {one for child in of.__subclasses__() for one in subclasses(child)}


def instance(kind: type[Exception]) -> Exception:
    """An exception of this class, whatever it is made of."""
    url = URL("http://h/s3cret")
    request = aiohttp.RequestInfo(url, "GET", CIMultiDictProxy(CIMultiDict()), url)
    for arguments in (
        (request, ()),
        (KEY, OSError(111, "refused")),
        (KEY, ssl.CertificateError("bad")),
        ("/path", KEY, OSError(111, "refused")),
        (b"a", b"b", "h", 80),
        (url,),
        ("words",),
        (),
    ):
        try:
            error = kind(*arguments)
            assert str(error) is not None
        except (TypeError, AttributeError):
            continue
        return error
    raise AssertionError(f"cannot make a {kind}")


CLIENT_ERRORS = sorted(
    (kind for kind in subclasses(aiohttp.ClientError) if kind.__module__.startswith("aiohttp")),
    key=lambda kind: kind.__name__,
)
OTHERS: list[Exception] = [
    TimeoutError(),
    ConnectionResetError(104, "reset"),
    BrokenPipeError(32, "pipe"),
    OSError(24, "Too many open files"),
    socket.gaierror(-2, "unknown"),
    ssl.SSLError(1, "bad"),
    ssl.SSLCertVerificationError(1, "bad"),
    UnicodeError("label too long"),
    ValueError("Newline or carriage return detected in headers"),
]


@pytest.mark.parametrize(
    "error", [*map(instance, CLIENT_ERRORS), *OTHERS], ids=lambda error: type(error).__name__
)
@pytest.mark.parametrize("place", ["request", "body"])
async def test_every_error_of_the_library_is_an_upstream_failure(
    monkeypatch: pytest.MonkeyPatch, error: Exception, place: str
) -> None:
    """Whatever aiohttp, TLS or the system raise, on the way there or back, a caller meets our own tree."""

    class Broken:
        status = 200
        content_length = None

        async def __aenter__(self) -> Any:
            if place == "request":
                raise error
            return self

        async def __aexit__(self, *_: object) -> None: ...

        @property
        def content(self) -> Any:
            return self

        async def readchunk(self) -> NoReturn:
            raise error

    monkeypatch.setattr(aiohttp.ClientSession, "request", lambda *_, **__: Broken())
    async with MlflowTransport("http://h", ONCE) as transport:
        with pytest.raises(UpstreamFailure) as caught:
            await knock(transport)
    assert isinstance(error, TimeoutError) == isinstance(caught.value, UpstreamTimeout)
    assert error is caught.value.__cause__
    assert type(error).__name__ in caught.value.cause
    assert "s3cret" not in caught.value.detail


@pytest.mark.parametrize(
    "base", ["http://", "http://h:99999999", "http://[", "http://a b", "nonsense", "http://é.invalid"]
)
async def test_rejects_malformed_addresses(base: str) -> None:
    """A malformed address is a ValueError or an UpstreamFailure, and nothing else."""
    with pytest.raises((ValueError, UpstreamFailure)):
        async with MlflowTransport(base, ONCE) as transport:
            await knock(transport)


async def test_bounds_the_size_of_an_answer(fake: FakeMlflow) -> None:
    """An answer up to the bound is read, and a byte more is an UpstreamTooLarge."""

    async def reply(_: web.Request) -> web.Response:
        return web.Response(body=b'"' + b"x" * 998 + b'"', content_type="application/json")

    fake.before = reply
    async with MlflowTransport(fake.url, ONCE._replace(max_body_bytes=1_000)) as transport:
        assert "x" * 998 == await knock(transport)
    async with MlflowTransport(fake.url, ONCE._replace(max_body_bytes=999)) as transport:
        with pytest.raises(UpstreamTooLarge, match="ask for fewer"):
            await knock(transport)


async def test_only_mlflows_code_means_missing(fake: FakeMlflow) -> None:
    """A 404 with MLflow's code is Missing, and one without it is an UpstreamError."""
    async with MlflowTransport(fake.url, ONCE) as transport:
        with pytest.raises(Missing):
            await transport.call("GET", "runs/get", as_json, params={"run_id": "nobody"})
        with pytest.raises(UpstreamError):
            await transport.call("GET", "runs/nowhere", as_json)


@pytest.fixture
def trusting(pem: Path) -> ssl.SSLContext:
    """A server's side of TLS, which asks for a client certificate that it knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.load_verify_locations(pem)
    return context


async def test_verifies_tls_as_the_access_says(pem: Path, trusting: ssl.SSLContext) -> None:
    """A CA bundle verifies the server, `insecure` does not care, and the system's CAs know no such server."""

    async def reply(_: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_get("/{tail:.*}", reply)
    server = TestServer(app)
    await server.start_server(ssl=trusting)

    async def answers(context: ssl.SSLContext | None) -> Any:
        async with MlflowTransport(
            str(server.make_url("/")), ONCE, access=Access(ssl_context=context)
        ) as transport:
            return await transport.call("GET", "x", as_json)

    try:
        assert {"ok": True} == await answers(tls(pem, None, {}, insecure=False))
        assert {"ok": True} == await answers(tls(None, None, {}, insecure=True))
        with pytest.raises(UpstreamError):
            await answers(None)
        trusting.verify_mode = ssl.CERT_REQUIRED
        assert {"ok": True} == await answers(tls(pem, pem, {}, insecure=False))
        with pytest.raises(UpstreamError):
            await answers(tls(pem, None, {}, insecure=False))
    finally:
        await server.close()
