"""The breaker in the transport, where calls overlap, and the health probe that decides for it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from service.errors import UpstreamAuth, UpstreamError, UpstreamNotAsked
from service.upstream.breaker import Signal
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes.faults import answering, only
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import eventually
from tests.resilience.serving import Clock

INTERVAL = 60.0
LIMITS = Limits(
    attempts=1, breaker_failures=3, breaker_interval=INTERVAL, max_in_flight=8, queue_timeout=60.0
)
PROBE = "experiments/get-by-name"


class Upstream:
    """A fake MLflow, the transport to it, and the transport's clock."""

    def __init__(self, fake: FakeMlflow, transport: MlflowTransport, clock: Clock) -> None:
        self.fake = fake
        self.transport = transport
        self.clock = clock
        self.breaker = transport.layers.breaker

    async def ask(self, run_id: str = "nobody") -> None:
        await self.transport.call("GET", "runs/get", bytes, params={"run_id": run_id})

    async def ask_while_open(self) -> None:
        with pytest.raises(UpstreamNotAsked):
            await self.ask()

    async def becomes(self, state: str) -> None:
        await eventually(lambda: state == self.breaker.state, lambda: f"it is {self.breaker.state}")

    async def fail(self) -> None:
        """Let MLflow fail until the breaker opens, and then be as it was."""
        before, self.fake.before = self.fake.before, answering(500)
        for number in range(LIMITS.breaker_failures):
            with pytest.raises(UpstreamError):
                await self.ask(f"a{number}")
        await self.becomes("open")
        self.fake.before = before


@pytest.fixture
async def upstream(fake: FakeMlflow) -> AsyncIterator[Upstream]:
    clock = Clock()
    async with MlflowTransport(fake.url, LIMITS, clock=clock) as transport:
        yield Upstream(fake, transport, clock)


class Hold:
    """Holds the calls to one endpoint until it is released; then they fail."""

    def __init__(self, endpoint: str = "runs/get") -> None:
        self.released = asyncio.Event()
        self.waiting = 0
        self._endpoint = endpoint

    async def __call__(self, request: web.Request) -> web.StreamResponse | None:
        if not request.path.endswith(self._endpoint) or request.query.get("run_id") == "nobody":
            return None
        self.waiting += 1
        await self.released.wait()
        return web.Response(status=500)


async def test_ignores_late_failures_of_calls_from_before_it_opened(upstream: Upstream) -> None:
    """Calls that were sent before an outage and fail after it do not open the breaker again."""
    upstream.fake.before = hold = Hold()
    early = [asyncio.create_task(upstream.ask(f"b{each}")) for each in range(LIMITS.breaker_failures)]
    await eventually(lambda: len(early) == hold.waiting, lambda: "they do not arrive")
    await upstream.fail()
    upstream.clock.skip(INTERVAL)
    await upstream.ask_while_open()
    await upstream.becomes("closed")
    hold.released.set()
    await asyncio.gather(*early, return_exceptions=True)
    assert ("closed", 1) == (upstream.breaker.state, upstream.breaker.openings)


async def test_holds_back_calls_that_queued_while_it_opened(upstream: Upstream) -> None:
    """A call that was admitted, and waits for its slot when the breaker opens, is not sent."""
    upstream.fake.before = hold = Hold()
    slots = LIMITS.max_in_flight - 1  # for one endpoint
    calls = [asyncio.create_task(upstream.ask(f"c{each}")) for each in range(LIMITS.max_in_flight + 20)]
    await eventually(lambda: slots == hold.waiting, lambda: "they do not arrive")
    await upstream.fake.stop()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, UpstreamNotAsked)]
    assert "open" == upstream.breaker.state
    assert len(calls) - slots - LIMITS.breaker_failures <= len(refused)
    limit = upstream.transport.layers.limit
    assert (0, 0) == (limit.in_flight, limit.waiting)


async def test_closes_when_mlflow_refuses_the_credentials(upstream: Upstream) -> None:
    """An MLflow that answers again and refuses the service is asked: callers learn of the refusal."""
    await upstream.fail()
    upstream.clock.skip(INTERVAL)
    upstream.fake.before = answering(401)
    await upstream.ask_while_open()
    await upstream.becomes("closed")
    for _ in range(5):
        with pytest.raises(UpstreamAuth):
            await upstream.ask()
    assert {"upstream": "failing", "breaker": "closed"} == upstream.transport.condition()


async def test_sends_one_probe_however_many_ask(upstream: Upstream) -> None:
    """Of fifty callers after the interval none waits, and MLflow gets one health probe."""
    fake = upstream.fake
    await upstream.fail()
    upstream.clock.skip(INTERVAL)
    fake.before, before = Hold(PROBE), len(fake.calls)
    callers = [asyncio.create_task(upstream.ask()) for _ in range(50)]
    assert {UpstreamNotAsked} == set(map(type, await asyncio.gather(*callers, return_exceptions=True)))
    await eventually(lambda: 1 == fake.in_flight, lambda: "no probe")
    await upstream.ask_while_open()
    assert [PROBE] == [call.endpoint for call in fake.calls[before:]]


async def test_sends_the_probe_past_a_full_limit(fake: FakeMlflow) -> None:
    """The health probe needs no slot: MLflow is asked while calls that it does not answer hold them all."""
    limits = LIMITS._replace(max_in_flight=1, queue_timeout=0.01)
    async with MlflowTransport(fake.url, limits, clock=(clock := Clock())) as transport:
        upstream = Upstream(fake, transport, clock)
        fake.before = hold = Hold()
        call = asyncio.create_task(upstream.ask("held"))
        await eventually(lambda: 1 == hold.waiting, lambda: "it does not arrive")
        for _ in range(LIMITS.breaker_failures):
            transport.layers.breaker.record(Signal.UNREACHABLE, 1)
        clock.skip(INTERVAL)
        await upstream.ask_while_open()
        await upstream.becomes("closed")
        assert transport.layers.limit.is_full
        hold.released.set()
        await asyncio.wait([call])


async def test_ends_the_probe_when_the_transport_closes(fake: FakeMlflow) -> None:
    """A health probe that MLflow does not answer does not keep the service from ending."""
    async with MlflowTransport(fake.url, LIMITS, clock=(clock := Clock())) as transport:
        upstream = Upstream(fake, transport, clock)
        await upstream.fail()
        clock.skip(INTERVAL)
        fake.before = Hold(PROBE)
        await upstream.ask_while_open()
        await eventually(lambda: 1 == fake.in_flight, lambda: "no probe")
        async with asyncio.timeout(5):  # its reply is waited for longer
            await transport.__aexit__(None, None, None)


async def test_sends_the_probe_though_nobody_asks_any_more(fake: FakeMlflow) -> None:
    """One call while the breaker is open is enough: the health probe is sent when the interval is over."""
    clock = Clock()
    clock.stop()

    async def sleep(seconds: float) -> None:
        assert INTERVAL == seconds
        clock.skip(seconds)

    async with MlflowTransport(fake.url, LIMITS, clock=clock, sleep=sleep) as transport:
        upstream = Upstream(fake, transport, clock)
        await upstream.fail()
        await upstream.ask_while_open()
        await upstream.becomes("closed")


@pytest.mark.parametrize("endpoint", ["runs/get", "runs/search"])
async def test_stays_closed_where_only_questions_fail(upstream: Upstream, endpoint: str) -> None:
    """However many questions fail, an MLflow that answers the health probe is asked on."""
    fake = upstream.fake
    fake.before = only(endpoint, answering(503))
    for number in range(60):
        with pytest.raises(UpstreamError):
            await upstream.transport.call("GET", endpoint, bytes, params={"run_id": f"d{number}"})
    await eventually(lambda: 0 == fake.in_flight, lambda: "it is still asked")
    assert ("closed", 0, 1) == (upstream.breaker.state, upstream.breaker.openings, fake.count(PROBE))
    assert "ok" == upstream.transport.condition()["upstream"]


async def test_stays_closed_where_one_question_fails(upstream: Upstream) -> None:
    """One question that fails again and again is no outage, even where nothing else is asked."""
    upstream.fake.before = answering(503)
    for _ in range(60):
        with pytest.raises(UpstreamError):
            await upstream.ask()
    await eventually(lambda: "failing" == upstream.breaker.health, lambda: "no probe")
    assert "closed" == upstream.breaker.state
