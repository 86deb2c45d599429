"""`experiment-tracking check` says what to do where there is no connection, to MLflow or to an issuer."""

from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from tests.certificates import write_certificate
from tests.commands.test_check import checked, jwt_from
from tests.fakes.mlflow import FakeMlflow
from tests.http_proxy import HttpProxy
from tests.misbehaving import hints, over_tls, serving, well

ELSEWHERE = "http://mlflow.example.com:5000"  # to which only a proxy of a test leads


class TestNoConnection:
    async def test_no_such_name(self) -> None:
        """A name that no server knows is said to be one."""
        said = await hints("http://no-such-host.invalid:5000")
        assert said.startswith("no name server knows no-such-host.invalid: is it spelt right")

    async def test_nobody_listens(self) -> None:
        """A refused connection is about the process and its port."""
        assert (await hints("http://127.0.0.1:9")).startswith("nothing listens there: is it running")

    async def test_it_hangs_up(self) -> None:
        """A server that closes the connection is something else than MLflow."""

        def hang_up(request: web.Request) -> web.Response:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        async with serving(hang_up) as url:
            assert (await hints(url)).startswith("the connection breaks: is MLFLOW_TRACKING_URI right")


class TestTls:
    async def test_an_unknown_ca(self, pem: Path) -> None:
        """A certificate that signs itself, or whose CA is unknown, needs MLflow's variable."""
        async with serving(well, over_tls(pem)) as url:
            said = await hints(url)
        assert "set MLFLOW_TRACKING_SERVER_CERT_PATH to the certificate of that CA" in said

    async def test_a_ca_that_a_bundle_lacks(
        self, pem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With a bundle, it is the bundle that lacks it, whatever names that."""
        other = write_certificate(tmp_path / "other.pem")
        async with serving(well, over_tls(pem)) as url:
            said = await hints(url, mlflow_tracking_server_cert_path=other)
            assert said.startswith("MLFLOW_TRACKING_SERVER_CERT_PATH does not have the CA")
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
            assert (await hints(url)).startswith("REQUESTS_CA_BUNDLE does not have the CA")

    async def test_another_name(self, tmp_path: Path) -> None:
        """A certificate for another host is said to be."""
        pem = write_certificate(tmp_path / "other.pem", "other.example.com")
        async with serving(well, over_tls(pem)) as url:
            said = await hints(url, mlflow_tracking_server_cert_path=pem)
            assert said.startswith("its certificate is not for that address: set MLFLOW_TRACKING_URI")
            by_name = url.replace("127.0.0.1", "localhost")
            said = await hints(by_name, mlflow_tracking_server_cert_path=pem)
        assert said.startswith("its certificate is not for that name")

    async def test_it_has_expired(self, tmp_path: Path) -> None:
        """One that has expired is to be renewed."""
        pem = write_certificate(tmp_path / "old.pem", ends=timedelta(days=-1))
        async with serving(well, over_tls(pem)) as url:
            said = await hints(url, mlflow_tracking_server_cert_path=pem)
        assert said.startswith("its certificate has expired: renew it")

    async def test_a_client_certificate_is_wanted(self, pem: Path) -> None:
        """A server that wants a certificate of the service breaks off after the handshake."""
        async with serving(well, over_tls(pem, pem)) as url:
            said = await hints(url, mlflow_tracking_server_cert_path=pem)
        assert said.startswith(
            "it hangs up: does it want a client certificate (MLFLOW_TRACKING_CLIENT_CERT_PATH)?"
        )

    async def test_https_where_http_is_spoken(self, fake: FakeMlflow) -> None:
        """The address to set is the same one with http."""
        url = fake.url.rstrip("/")
        said = await hints(url.replace("http:", "https:"))
        assert said == f"it speaks no TLS: set MLFLOW_TRACKING_URI={url}"

    async def test_http_where_tls_is_spoken(self, pem: Path) -> None:
        """The address to set is the same one with https."""
        async with serving(well, over_tls(pem)) as url:
            said = await hints(url.replace("https:", "http:"))
        assert said == f"TLS is spoken there: set MLFLOW_TRACKING_URI={url}"

    @pytest.mark.parametrize(
        "text",
        ["The plain HTTP request was sent to HTTPS port", "Client sent an HTTP request to an HTTPS server."],
    )
    async def test_http_where_a_proxy_speaks_tls(self, text: str) -> None:
        """nginx and Go's servers say so themselves."""
        async with serving(lambda _: web.Response(status=400, text=text)) as url:
            said = await hints(url)
        assert said == f"TLS is spoken there: set MLFLOW_TRACKING_URI={url.replace('http:', 'https:')}"


class TestProxies:
    async def test_it_wants_credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A 407 is the proxy's, over http and for a tunnel."""
        async with HttpProxy(9, "ada:secret").serve() as proxy:
            monkeypatch.setenv("ALL_PROXY", proxy.url)
            for url in (ELSEWHERE, ELSEWHERE.replace("http:", "https:")):
                said = await hints(url)
                assert said.startswith(f"the proxy {proxy.url} wants user:password@ in its address")
                assert "NO_PROXY" in said

    @pytest.mark.parametrize("refusal", ["403 Forbidden", "502 Bad Gateway", "503 Service Unavailable"])
    async def test_it_does_not_lead_there(self, monkeypatch: pytest.MonkeyPatch, refusal: str) -> None:
        """A tunnel that is refused is the proxy's doing."""
        async with HttpProxy(9, refusing=refusal).serve() as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            said = await hints(ELSEWHERE.replace("http:", "https:"))
        assert said.startswith(f"the proxy {proxy.url} does not lead there (status {refusal[:3]})")

    async def test_a_gateway_that_is_bad(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Over http nobody can tell whose 502 it is; both are said."""
        async with HttpProxy(9, refusing="502 Bad Gateway").serve() as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            said = await hints(ELSEWHERE)
        assert said.startswith(f"is that MLflow, or the proxy {proxy.url}, which does not reach it?")

    async def test_nobody_is_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A proxy that cannot be reached, or named, is told from an MLflow that cannot."""
        monkeypatch.setenv("HTTPS_PROXY", "http://u:secret@127.0.0.1:9")
        said = await hints(ELSEWHERE.replace("http:", "https:"))
        assert said.startswith("the proxy http://127.0.0.1:9 cannot be reached: is it right?")
        monkeypatch.setenv("HTTPS_PROXY", "http://no-such-proxy.invalid:3128")
        said = await hints(ELSEWHERE.replace("http:", "https:"))
        assert said.startswith("no name server knows the proxy http://no-such-proxy.invalid:3128")


class TestIssuer:
    async def test_its_keys_cannot_be_fetched(self, fake: FakeMlflow, pem: Path) -> None:
        """An issuer of tokens that cannot be reached gets a hint of the same kind, with its own setting."""
        async with serving(well, over_tls(pem)) as url:
            for address, words in {
                f"{url}/keys": "set REQUESTS_CA_BUNDLE to the certificate of that CA",
                "https://127.0.0.1:9/keys": "nothing listens there: is it running",
                "https://no-such-issuer.invalid/keys": "no name server knows no-such-issuer.invalid",
                fake.url.replace("http:", "https:"): "it speaks no TLS: set TRACKING_AUTH__JWKS_URL=http:",
                fake.url: "status 404; is TRACKING_AUTH__JWKS_URL right",
            }.items():
                code, lines = await checked(fake.url, auth=jwt_from(address))
                assert (1, f"!!  callers: there are no keys from {address}") == (code, lines[1])
                assert words in lines[2]
