"""The service talks to MLflow, and to an issuer of tokens, through an HTTP proxy of the environment."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from service.auth.key_sets import KeyUrl
from service.settings.groups import AuthSettings
from service.wiring.authentication import identification
from tests.api.serving import API, serving
from tests.certificates import write_certificate
from tests.fakes.mlflow import FakeMlflow
from tests.http_proxy import HttpProxy

HOST = "mlflow.example.com"  # which no test may ask for
TOKEN = "a-word-that-no-proxy-may-read"  # noqa: S105 - the fake's


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """A certificate for that host."""
    return write_certificate(tmp_path / "host.pem", HOST)


@asynccontextmanager
async def over_tls(pem: Path, app: web.Application) -> AsyncIterator[int]:
    """The port at which an application answers over TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    server = TestServer(app)
    await server.start_server(ssl=context)
    try:
        assert server.port is not None
        yield server.port
    finally:
        await server.close()


def saying(body: object) -> web.Application:
    """An application that answers everything with this."""

    async def reply(_: web.Request) -> web.Response:
        return web.json_response(body)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", reply)
    return app


async def test_mlflow_over_http(fake: FakeMlflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is asked for the whole address, with the credentials in its own."""
    fake.add_run()
    port = int(fake.url.rsplit(":", 1)[1].strip("/"))
    async with HttpProxy(port, "ada:p@ss").serve() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("://", "://ada:p%40ss@"))
        async with serving(f"http://{HOST}:5000/", mlflow_workspace="quant") as api:
            response = await api.get(f"{API}/runs")
            assert (200, 1) == (response.status, (await response.json())["total"])
    assert proxy.heads[0].startswith(f"GET http://{HOST}:5000/api/2.0/mlflow/experiments/get-by-name?")
    assert "quant" == fake.calls[0].headers["X-MLFLOW-WORKSPACE"]


async def test_mlflow_over_https(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a tunnel: the proxy reads neither the token nor the workspace."""
    async with over_tls(pem, saying({"experiments": []})) as port, HttpProxy(port).serve() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
        settings = {"mlflow_tracking_token": TOKEN, "mlflow_workspace": "quant"}
        async with serving(f"https://{HOST}/", **settings) as api:
            assert 200 == (await api.get(f"{API}/experiments")).status
    [head] = proxy.heads
    assert head.startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n")
    assert TOKEN not in head
    assert "quant" not in head


async def test_a_certificate_that_nobody_vouches_for(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy, too, a certificate of an unknown CA is refused."""
    async with over_tls(pem, saying({"experiments": []})) as port, HttpProxy(port).serve() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with serving(f"https://{HOST}/") as api:
            assert 502 == (await api.get(f"{API}/experiments")).status


async def test_no_proxy(fake: FakeMlflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host in NO_PROXY, and every loopback address, is reached directly."""
    async with HttpProxy(9, refusing="502 Bad Gateway").serve() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with serving(fake.url) as api:
            assert 200 == (await api.get(f"{API}/experiments")).status
        assert [] == proxy.heads


async def test_an_issuers_keys(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JWKS are fetched through the proxy, and verified with the bundle of the environment."""
    key = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
    async with over_tls(pem, saying({"keys": [key]})) as port, HttpProxy(port).serve() as proxy:
        environment = {"HTTPS_PROXY": proxy.url, "CURL_CA_BUNDLE": str(pem)}
        auth = AuthSettings(mode="jwt", jwks_url=f"https://{HOST}/keys", issuer="i", audience="a")
        _, opened = identification(auth, environment)
        assert isinstance(opened, KeyUrl)
        async with opened:
            assert await opened.find("ES256", None)
    assert proxy.heads[0].startswith(f"CONNECT {HOST}:443 ")


def test_an_issuer_that_cannot_be_reached() -> None:
    """A SOCKS proxy, and a bundle that is not there, are refused by name."""
    auth = AuthSettings(mode="jwt", jwks_url=f"https://{HOST}/keys", issuer="i", audience="a")
    for name, value in {"ALL_PROXY": "socks5://proxy", "REQUESTS_CA_BUNDLE": "/nowhere"}.items():
        with pytest.raises(ValueError, match=f"^{name}: "):
            identification(auth, {name: value})
