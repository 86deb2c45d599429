"""HAProxy's own answers to web pages of other origins, and its headers where TLS ends at it."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientResponse

from tests.api.serving import refused
from tests.certificates import write_certificate
from tests.deploy.balancer import Balancer
from tests.deploy.stub import Stub, balanced_stubs
from tests.fakes.faults import answering, reset
from tests.live.server import free_port

pytestmark = pytest.mark.haproxy

ALLOWED, OTHER = "https://research.example.com", "http://127.0.0.1:3000"
ORIGIN = "Access-Control-Allow-Origin"
EXPOSE = "Access-Control-Expose-Headers"
HSTS = "Strict-Transport-Security"
Setting = tuple[aiohttp.ClientSession, Balancer, Stub]


@pytest.fixture
async def listed(tmp_path: Path) -> AsyncIterator[Setting]:
    """A client, and a replica behind a balancer that allows pages of two origins."""
    async with (
        balanced_stubs(tmp_path, 1, ALLOWED_ORIGINS=f"{ALLOWED} {OTHER}", RATE_LIMIT="5") as (
            balancer,
            [stub],
        ),
        aiohttp.ClientSession(balancer.url) as caller,
    ):
        yield caller, balancer, stub


def assert_readable(answer: ClientResponse, origin: str = ALLOWED) -> None:
    """Check that the page may read the answer and its Retry-After."""
    assert ([origin], "no-store") == (answer.headers.getall(ORIGIN), answer.headers["Cache-Control"])
    assert ["Retry-After,X-Request-ID"] == answer.headers.getall(EXPOSE)


class TestItsOwnAnswers:
    @pytest.mark.parametrize("origin", [ALLOWED, OTHER])
    async def test_a_broken_replica(self, listed: Setting, origin: str) -> None:
        """A page of each allowed origin can read a 502."""
        caller, _, stub = listed
        stub.before = reset
        async with caller.get("/", headers={"Origin": origin}) as answer:
            await refused(answer, 502, "replica_failed")
            assert_readable(answer, origin)

    async def test_no_replica(self, listed: Setting) -> None:
        """A page of an allowed origin can read a 503."""
        caller, balancer, stub = listed
        stub.ready = False
        await balancer.has(0)
        async with caller.get("/", headers={"Origin": ALLOWED}) as answer:
            await refused(answer, 503, "no_replica")
            assert_readable(answer)

    async def test_too_many_requests(self, listed: Setting) -> None:
        """A page of an allowed origin can read a 429 and a 404."""
        caller, _, _ = listed
        async with caller.get("/metrics", headers={"Origin": ALLOWED}) as answer:
            await refused(answer, 404, "not_found")
            assert_readable(answer)
        for _ in range(5):
            async with caller.get("/") as answer:
                assert 200 == answer.status
        async with caller.get("/", headers={"Origin": ALLOWED}) as answer:
            await refused(answer, 429, "rate_limited")
            assert_readable(answer)

    @pytest.mark.parametrize(
        "origin",
        [
            "null",
            "",
            "*",
            f"{ALLOWED}:444",
            f"{ALLOWED}.evil.example",
            "https://evil-research.example.com",
            "http://research.example.com",
            "https://RESEARCH.example.com",
            f"https://evil.example, {ALLOWED}",
        ],
    )
    async def test_pages_of_other_origins(self, listed: Setting, origin: str) -> None:
        """Pages of other origins get no CORS headers."""
        caller, _, _ = listed
        async with caller.get("/metrics", headers={"Origin": origin}) as answer:
            assert (404, False, False) == (answer.status, ORIGIN in answer.headers, EXPOSE in answer.headers)

    @pytest.mark.parametrize("given", ["none", ""])
    async def test_without_a_list(self, tmp_path: Path, given: str) -> None:
        """Without allowed origins, no page gets CORS headers."""
        async with balanced_stubs(tmp_path, 1, ALLOWED_ORIGINS=given) as (balancer, _):
            for origin in (ALLOWED, "null", ""):
                async with aiohttp.request(
                    "GET", f"{balancer.url}/metrics", headers={"Origin": origin}
                ) as answer:
                    assert (404, False) == (answer.status, ORIGIN in answer.headers)

    async def test_all_pages(self, tmp_path: Path) -> None:
        """With *, every page can read the answers."""
        async with (
            balanced_stubs(tmp_path, 1, ALLOWED_ORIGINS="*") as (balancer, _),
            aiohttp.request("GET", f"{balancer.url}/metrics", headers={"Origin": ALLOWED}) as answer,
        ):
            assert_readable(answer, "*")


class TestAnswersOfReplicas:
    async def test_passes_on_cors_headers(self, listed: Setting) -> None:
        """CORS headers of a replica's answer pass once and unchanged, for successes and errors."""
        caller, _, stub = listed
        said = {ORIGIN: ALLOWED, EXPOSE: "ETag", "Vary": "Origin"}
        for status in (200, 503):
            stub.before = answering(status, "{}", headers=said)
            async with caller.get("/", headers={"Origin": ALLOWED}) as answer:
                assert status == answer.status
                assert {name: [value] for name, value in said.items()} == {
                    name: answer.headers.getall(name) for name in said
                }

    async def test_adds_no_cors_headers(self, listed: Setting) -> None:
        """HAProxy adds no CORS headers to an answer of a replica."""
        caller, _, _ = listed
        async with caller.get("/", headers={"Origin": ALLOWED}) as answer:
            assert (200, False, False) == (answer.status, ORIGIN in answer.headers, EXPOSE in answer.headers)

    async def test_a_preflight(self, listed: Setting) -> None:
        """A preflight request reaches a replica unchanged, and only the replica answers it."""
        caller, _, stub = listed
        names = "authorization,baggage,sentry-trace,x-datadog-trace-id"
        asked = {
            "Origin": ALLOWED,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": names,
            "Access-Control-Request-Private-Network": "true",
        }
        said = {ORIGIN: ALLOWED, "Access-Control-Allow-Headers": names}
        stub.before = answering(204, "", headers=said)
        async with caller.options("/", headers=asked) as answer:
            allows = {name: answer.headers.getall(name) for name in answer.headers if "Access-" in name}
            assert (204, {name: [value] for name, value in said.items()}) == (answer.status, allows)
        [request] = stub.asked
        assert asked == {name: request.headers[name] for name in asked}


class TestTls:
    async def test_sends_hsts_with_tls(self, tmp_path: Path) -> None:
        """Where TLS ends at HAProxy, its answers and those of replicas have Strict-Transport-Security."""
        pem, port = write_certificate(tmp_path / "balancer.pem"), free_port()
        bind = f"127.0.0.1:{port} ssl crt {pem}"
        async with balanced_stubs(tmp_path, 1, BIND=bind) as (_, [stub]):
            connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(pem)))
            async with aiohttp.ClientSession(f"https://127.0.0.1:{port}", connector=connector) as caller:
                for path, status in (("/", 200), ("/metrics", 404)):
                    async with caller.get(path) as answer:
                        assert status == answer.status
                        assert ["max-age=31536000"] == answer.headers.getall(HSTS)
            [request] = stub.asked
            assert ["https"] == request.headers.getall("X-Forwarded-Proto")

    async def test_sends_no_hsts_without_tls(self, listed: Setting) -> None:
        """Over plain HTTP there is no Strict-Transport-Security, which browsers would ignore."""
        caller, _, _ = listed
        for path in ("/", "/metrics"):
            async with caller.get(path) as answer:
                assert HSTS not in answer.headers
