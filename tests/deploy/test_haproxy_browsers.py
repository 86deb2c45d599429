"""HAProxy's own answers as pages of other hosts get them, and what it says where TLS ends at it."""

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
    """A caller, and a replica behind a balancer that lets pages of two origins read."""
    async with (
        balanced_stubs(tmp_path, 1, ALLOWED_ORIGINS=f"{ALLOWED} {OTHER}", RATE_LIMIT="5") as (
            balancer,
            [stub],
        ),
        aiohttp.ClientSession(balancer.url) as caller,
    ):
        yield caller, balancer, stub


def assert_readable(answer: ClientResponse, origin: str = ALLOWED) -> None:
    """The page may read the answer, and when to come back."""
    assert ([origin], "no-store") == (answer.headers.getall(ORIGIN), answer.headers["Cache-Control"])
    assert ["Retry-After,X-Request-ID"] == answer.headers.getall(EXPOSE)


class TestItsOwnAnswers:
    @pytest.mark.parametrize("origin", [ALLOWED, OTHER])
    async def test_a_broken_replica(self, listed: Setting, origin: str) -> None:
        """A page of each origin in the list reads a 502."""
        caller, _, stub = listed
        stub.before = reset
        async with caller.get("/", headers={"Origin": origin}) as answer:
            await refused(answer, 502, "replica_failed")
            assert_readable(answer, origin)

    async def test_nobody_is_there(self, listed: Setting) -> None:
        """It reads a 503."""
        caller, balancer, stub = listed
        stub.ready = False
        await balancer.has(0)
        async with caller.get("/", headers={"Origin": ALLOWED}) as answer:
            await refused(answer, 503, "no_replica")
            assert_readable(answer)

    async def test_too_many_requests(self, listed: Setting) -> None:
        """It reads a 429, and a 404."""
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
        """They are told nothing."""
        caller, _, _ = listed
        async with caller.get("/metrics", headers={"Origin": origin}) as answer:
            assert (404, False, False) == (answer.status, ORIGIN in answer.headers, EXPOSE in answer.headers)

    @pytest.mark.parametrize("given", ["none", ""])
    async def test_without_a_list(self, tmp_path: Path, given: str) -> None:
        """No page is told anything."""
        async with balanced_stubs(tmp_path, 1, ALLOWED_ORIGINS=given) as (balancer, _):
            for origin in (ALLOWED, "null", ""):
                async with aiohttp.request(
                    "GET", f"{balancer.url}/metrics", headers={"Origin": origin}
                ) as answer:
                    assert (404, False) == (answer.status, ORIGIN in answer.headers)

    async def test_all_pages(self, tmp_path: Path) -> None:
        """With * every page reads."""
        async with (
            balanced_stubs(tmp_path, 1, ALLOWED_ORIGINS="*") as (balancer, _),
            aiohttp.request("GET", f"{balancer.url}/metrics", headers={"Origin": ALLOWED}) as answer,
        ):
            assert_readable(answer, "*")


class TestAnswersOfReplicas:
    async def test_what_they_say(self, listed: Setting) -> None:
        """It is passed on as it is, a good answer's and an error's, and nothing stands there twice."""
        caller, _, stub = listed
        said = {ORIGIN: ALLOWED, EXPOSE: "ETag", "Vary": "Origin"}
        for status in (200, 503):
            stub.before = answering(status, "{}", headers=said)
            async with caller.get("/", headers={"Origin": ALLOWED}) as answer:
                assert status == answer.status
                assert {name: [value] for name, value in said.items()} == {
                    name: answer.headers.getall(name) for name in said
                }

    async def test_what_they_do_not_say(self, listed: Setting) -> None:
        """Where a replica lets no page read, HAProxy does not, either."""
        caller, _, _ = listed
        async with caller.get("/", headers={"Origin": ALLOWED}) as answer:
            assert (200, False, False) == (answer.status, ORIGIN in answer.headers, EXPOSE in answer.headers)

    async def test_a_preflight(self, listed: Setting) -> None:
        """What a browser asks before a request reaches a replica whole, and the replica alone answers it."""
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
    async def test_browsers_are_told_to_come_back_by_it(self, tmp_path: Path) -> None:
        """Where TLS ends at HAProxy its answers say so, its own and a replica's, which learns of it."""
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

    async def test_not_without_it(self, listed: Setting) -> None:
        """Over plain HTTP nothing is said of it: browsers do not heed it there."""
        caller, _, _ = listed
        for path in ("/", "/metrics"):
            async with caller.get(path) as answer:
                assert HSTS not in answer.headers
