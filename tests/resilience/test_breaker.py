"""The breaker as the door uses it, where calls overlap."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from service.errors import UpstreamAuth, UpstreamError, UpstreamNotAsked
from service.upstream.door import Door, Limits
from tests.fakes.faults import answering, only
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import eventually
from tests.resilience.serving import Clock

INTERVAL = 60.0
LIMITS = Limits(
    attempts=1, breaker_failures=3, breaker_interval=INTERVAL, max_in_flight=8, queue_timeout=60.0
)
PLAIN = "experiments/get-by-name"


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def door(fake: FakeMlflow, clock: Clock) -> AsyncIterator[Door]:
    async with Door(fake.url, LIMITS, clock=clock) as opened:
        yield opened


async def ask(door: Door, run_id: str = "nobody") -> None:
    await door.call("GET", "runs/get", bytes, params={"run_id": run_id})


async def becomes(door: Door, state: str) -> None:
    await eventually(lambda: state == door.breaker.state, lambda: f"it is {door.breaker.state}")


async def fail(door: Door, fake: FakeMlflow) -> None:
    """Let MLflow fail until the breaker opens, and be well again."""
    before, fake.before = fake.before, answering(500)
    for number in range(LIMITS.breaker_failures):
        with pytest.raises(UpstreamError):
            await ask(door, f"a{number}")
    await becomes(door, "open")
    fake.before = before


async def knock(door: Door) -> None:
    """Ask while the breaker is open."""
    with pytest.raises(UpstreamNotAsked):
        await ask(door)


class Held:
    """Holds the calls to one endpoint until it is told what they get."""

    def __init__(self, endpoint: str = "runs/get") -> None:
        self.free = asyncio.Event()
        self.waiting = 0
        self._endpoint = endpoint

    async def __call__(self, request: web.Request) -> web.StreamResponse | None:
        if not request.path.endswith(self._endpoint) or request.query.get("run_id") == "nobody":
            return None
        self.waiting += 1
        await self.free.wait()
        return web.Response(status=500)


async def test_failures_of_before_do_not_open_it_again(fake: FakeMlflow, door: Door, clock: Clock) -> None:
    """Calls that were made before an outage and fail after it say nothing of MLflow as it is now."""
    fake.before = held = Held()
    early = [asyncio.create_task(ask(door, f"b{each}")) for each in range(LIMITS.breaker_failures)]
    await eventually(lambda: len(early) == held.waiting, lambda: "they do not arrive")
    await fail(door, fake)
    clock.skip(INTERVAL)
    await knock(door)
    await becomes(door, "closed")
    held.free.set()
    await asyncio.gather(*early, return_exceptions=True)
    assert ("closed", 1) == (door.breaker.state, door.breaker.openings)


async def test_who_waits_for_a_place_is_not_let_through(fake: FakeMlflow, door: Door) -> None:
    """A call that the breaker let through, and that waits at the gate when it opens, is not made."""
    held, places = Held(), LIMITS.max_in_flight - 1  # of one kind
    fake.before = held
    calls = [asyncio.create_task(ask(door, f"c{each}")) for each in range(LIMITS.max_in_flight + 20)]
    await eventually(lambda: places == held.waiting, lambda: "they do not arrive")
    await fake.stop()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, UpstreamNotAsked)]
    assert "open" == door.breaker.state
    assert len(calls) - places - LIMITS.breaker_failures <= len(refused)
    assert (0, 0) == (door.gate.in_flight, door.gate.waiting)


async def test_refused_credentials_are_told_as_such(fake: FakeMlflow, door: Door, clock: Clock) -> None:
    """An MLflow that is back and refuses the service is answered for: that is no outage."""
    await fail(door, fake)
    clock.skip(INTERVAL)
    fake.before = answering(401)
    await knock(door)
    await becomes(door, "closed")
    for _ in range(5):
        with pytest.raises(UpstreamAuth):
            await ask(door)
    assert {"upstream": "failing", "breaker": "closed"} == door.condition()


async def test_one_probe_whoever_else_asks(fake: FakeMlflow, door: Door, clock: Clock) -> None:
    """Of fifty callers after the interval none waits, and MLflow is asked one plain question."""
    await fail(door, fake)
    clock.skip(INTERVAL)
    fake.before, before = Held(PLAIN), len(fake.calls)
    callers = [asyncio.create_task(ask(door)) for _ in range(50)]
    assert {UpstreamNotAsked} == set(map(type, await asyncio.gather(*callers, return_exceptions=True)))
    await eventually(lambda: 1 == fake.in_flight, lambda: "no probe")
    await knock(door)
    assert [PLAIN] == [call.endpoint for call in fake.calls[before:]]


async def test_a_probe_is_ended_with_the_door(fake: FakeMlflow, clock: Clock) -> None:
    """A plain question that MLflow does not answer does not keep the service from ending."""
    async with Door(fake.url, LIMITS, clock=clock) as door:
        await fail(door, fake)
        clock.skip(INTERVAL)
        fake.before = Held(PLAIN)
        await knock(door)
        await eventually(lambda: 1 == fake.in_flight, lambda: "no probe")
        async with asyncio.timeout(1):
            await door.__aexit__(None, None, None)


async def test_who_asks_too_early_is_not_forgotten(fake: FakeMlflow) -> None:
    """One caller who knocks while it is open is enough: MLflow is asked when the interval is over."""
    async with Door(fake.url, LIMITS._replace(breaker_interval=0.2)) as door:
        await fail(door, fake)
        await knock(door)
        await becomes(door, "closed")


@pytest.mark.parametrize("endpoint", ["runs/get", "runs/search"])
async def test_questions_that_fail_by_themselves(fake: FakeMlflow, door: Door, endpoint: str) -> None:
    """However many different ones fail, an MLflow that answers a plain question is asked on."""
    fake.before = only(endpoint, answering(503))
    for number in range(60):
        with pytest.raises(UpstreamError):
            await door.call("GET", endpoint, bytes, params={"run_id": f"d{number}"})
    await eventually(lambda: 0 == fake.in_flight, lambda: "it is still asked")
    assert ("closed", 0, 1) == (door.breaker.state, door.breaker.openings, fake.count(PLAIN))
    assert "ok" == door.condition()["upstream"]


async def test_one_question_is_no_outage(fake: FakeMlflow, door: Door) -> None:
    """One that fails again and again does not open the breaker, even where nothing else is asked."""
    fake.before = answering(503)
    for _ in range(60):
        with pytest.raises(UpstreamError):
            await ask(door)
    await eventually(lambda: "failing" == door.condition()["upstream"], lambda: "its state is not looked at")
    assert "closed" == door.breaker.state
