"""HAProxy with config/deploy/haproxy.cfg: which replica it asks, what it retries, which errors it answers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from tests.api.serving import API, refused
from tests.deploy.balancer import Balancer
from tests.deploy.stub import Stub, balanced_stubs, held
from tests.fakes.faults import answering, reset

pytestmark = pytest.mark.haproxy

COMPARE = f"{API}/runs/compare"
Setting = tuple[aiohttp.ClientSession, Balancer, list[Stub]]


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Setting]:
    """A client, and two replicas behind the balancer."""
    async with (
        balanced_stubs(tmp_path, 2) as (balancer, stubs),
        aiohttp.ClientSession(balancer.url) as caller,
    ):
        yield caller, balancer, stubs


def asked(stubs: list[Stub]) -> list[int]:
    """How many requests each replica got."""
    return [len(stub.asked) for stub in stubs]


class TestWhichReplica:
    async def test_the_least_busy(self, two: Setting) -> None:
        """While one replica is busy, the other one gets new requests."""
        caller, _, stubs = two
        released, taken = asyncio.Event(), asyncio.Event()
        stubs[0].before = stubs[1].before = held(released, taken)
        slow = asyncio.create_task(caller.get("/"))
        await taken.wait()
        [busy] = [stub for stub in stubs if stub.asked]
        [free] = [stub for stub in stubs if not stub.asked]
        free.before = None
        for _ in range(5):
            async with caller.get("/") as answer:
                assert 200 == answer.status
        assert ([1], [5]) == (asked([busy]), asked([free]))
        released.set()
        (await slow).release()

    async def test_none_that_drains(self, two: Setting) -> None:
        """A replica whose /readyz answers 503 gets no new requests, and finishes those that it has."""
        caller, balancer, stubs = two
        released, taken = asyncio.Event(), asyncio.Event()
        stubs[0].before = stubs[1].before = held(released, taken)
        under_way = asyncio.create_task(caller.get("/"))
        await taken.wait()
        [draining] = [stub for stub in stubs if stub.asked]
        [other] = [stub for stub in stubs if not stub.asked]
        draining.ready = False
        other.before = None
        await balancer.has(1, within=3.0)
        for _ in range(5):
            async with caller.get("/") as answer:
                assert 200 == answer.status
        assert ([1], [5]) == (asked([draining]), asked([other]))
        released.set()
        async with await under_way as answer:
            assert 200 == answer.status


class TestRetries:
    @pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("HEAD", "/"), ("POST", COMPARE)])
    async def test_retries_what_only_reads(self, two: Setting, method: str, path: str) -> None:
        """If a replica breaks the connection, a read is sent to the other one; a comparison is a read."""
        caller, _, stubs = two
        broken: list[web.Request] = []

        async def first(request: web.Request) -> web.StreamResponse | None:
            broken.append(request)
            return await reset(request) if len(broken) == 1 else None

        stubs[0].before = stubs[1].before = first
        body = None if method != "POST" else {"run_ids": ["abc123", "def456"]}
        async with caller.request(method, path, json=body) as answer:
            assert 200 == answer.status
        assert [1, 1] == asked(stubs)

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    async def test_does_not_retry_what_may_write(self, two: Setting, method: str) -> None:
        """A request that may have had an effect is not retried, and the caller gets an error."""
        caller, _, stubs = two
        stubs[0].before = stubs[1].before = reset
        async with caller.request(method, "/") as answer:
            await refused(answer, 502, "replica_failed")
        assert 1 == sum(asked(stubs))

    async def test_does_not_retry_a_503_of_the_service(self, two: Setting) -> None:
        """A 503 of the service is not retried, because the service has already retried its call to MLflow."""
        caller, _, stubs = two
        busy = answering(503, "{}", content_type="application/problem+json", headers={"Retry-After": "7"})
        stubs[0].before = stubs[1].before = busy
        async with caller.get("/") as answer:
            assert (503, "7", "{}") == (answer.status, answer.headers["Retry-After"], await answer.text())
        assert 1 == sum(asked(stubs))

    async def test_retries_three_times_at_most(self, two: Setting) -> None:
        """A request that every replica breaks is given up after three retries."""
        caller, _, stubs = two
        stubs[0].before = stubs[1].before = reset
        async with caller.get("/") as answer:
            await refused(answer, 502, "replica_failed")
        assert 4 == sum(asked(stubs))


class TestWhatReplicasAreTold:
    async def test_passes_on_the_callers_address(self, two: Setting) -> None:
        """Replicas get the address that the caller connects from, whatever it claims itself."""
        caller, _, stubs = two
        async with caller.get("/", headers={"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https"}):
            [request] = stubs[0].asked + stubs[1].asked
        assert ["127.0.0.1"] == request.headers.getall("X-Forwarded-For")
        assert ["http"] == request.headers.getall("X-Forwarded-Proto")

    @pytest.mark.parametrize("given", ["abc-1.2_3", "", "two words", 'a"b', "x" * 129])
    async def test_passes_on_a_request_id(self, two: Setting, given: str) -> None:
        """Replicas get the caller's well-formed request id, or a new one."""
        caller, _, stubs = two
        async with caller.get("/", headers={"X-Request-ID": given}):
            [request] = stubs[0].asked + stubs[1].asked
        [told] = request.headers.getall("X-Request-ID")
        assert told == given if given == "abc-1.2_3" else 36 == len(told)

    async def test_passes_on_a_long_request_line(self, two: Setting) -> None:
        """A request line as long as the service accepts passes."""
        caller, _, stubs = two
        path = "/" + "x" * 16_000
        async with caller.get(path) as answer:
            assert 200 == answer.status
        [request] = stubs[0].asked + stubs[1].asked
        assert path == request.path

    async def test_whole_requests_only(self, two: Setting) -> None:
        """A replica gets a request only once its body is complete."""
        _, balancer, stubs = two
        reader, writer = await asyncio.open_connection("127.0.0.1", URL(balancer.url).port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
        await writer.drain()
        async with aiohttp.request("GET", f"{balancer.url}/"):
            assert 1 == sum(asked(stubs))
        writer.write(b"}")
        assert b"HTTP/1.1 200 OK\r\n" == await reader.readline()
        assert 2 == sum(asked(stubs))
        writer.close()


class TestItsOwnAnswers:
    async def test_answers_503_without_replicas(self, two: Setting) -> None:
        """Without a replica, callers get 503 with Retry-After as a problem, and so do operators."""
        caller, balancer, stubs = two
        stubs[0].ready = stubs[1].ready = False
        async with aiohttp.request("GET", f"{balancer.operators}/healthz") as answer:
            assert 200 == answer.status
        await balancer.has(0)
        async with caller.get("/", headers={"X-Request-ID": "mine"}) as answer:
            assert "1" == answer.headers["Retry-After"]
            assert "mine" == (await refused(answer, 503, "no_replica"))["request_id"]
        async with aiohttp.request("GET", f"{balancer.operators}/healthz") as answer:
            assert 503 == answer.status

    async def test_metrics_stay_inside(self, two: Setting) -> None:
        """A caller cannot read the metrics of a replica."""
        caller, _, stubs = two
        for path in ("/metrics", "/metrics?x", "/%6detrics", "/metric%73"):
            async with caller.get(URL(path, encoded=True)) as answer:
                await refused(answer, 404, "not_found")
        assert 0 == sum(asked(stubs))


class TestRateLimit:
    async def test_refuses_a_caller_above_the_limit(self, tmp_path: Path) -> None:
        """A caller above the rate limit gets 429 with Retry-After, and other callers do not."""
        async with balanced_stubs(tmp_path, 1, RATE_LIMIT="5", RATE_SECONDS="60") as (balancer, [stub]):
            other = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
            async with (
                aiohttp.ClientSession(balancer.url) as caller,
                aiohttp.ClientSession(balancer.url, connector=other) as neighbour,
            ):
                for _ in range(5):
                    async with caller.get("/") as answer:
                        assert 200 == answer.status
                async with caller.get("/") as answer:
                    assert "60" == answer.headers["Retry-After"]
                    body = await refused(answer, 429, "rate_limited")
                assert "A caller may make 5 requests in 60 seconds." == body["detail"]
                async with neighbour.get("/") as answer:
                    assert 200 == answer.status
            assert 6 == len(stub.asked)

    async def test_what_is_refused_does_not_count(self, tmp_path: Path) -> None:
        """Refused requests do not count against the rate limit."""
        async with (
            balanced_stubs(tmp_path, 1, RATE_LIMIT="5", RATE_SECONDS="1") as (balancer, [stub]),
            aiohttp.ClientSession(balancer.url) as caller,
            asyncio.timeout(20),
        ):
            while len(stub.asked) < 15:
                async with caller.get("/") as answer:
                    assert answer.status in {200, 429}
