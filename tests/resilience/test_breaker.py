"""The breaker as the door uses it, where calls overlap."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from service.errors import UpstreamAuth, UpstreamError, UpstreamNotAsked
from service.upstream.door import Door, Limits
from service.upstream.verdict import Missing
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import eventually
from tests.resilience.serving import Clock

INTERVAL = 60.0
LIMITS = Limits(
    attempts=1, breaker_failures=3, breaker_interval=INTERVAL, max_in_flight=8, queue_timeout=60.0
)


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def door(fake: FakeMlflow, clock: Clock) -> AsyncIterator[Door]:
    async with Door(fake.url, LIMITS, clock=clock) as opened:
        yield opened


async def ask(door: Door, run_id: str = "nobody") -> None:
    await door.call("GET", "runs/get", bytes, params={"run_id": run_id})


async def fail(door: Door, fake: FakeMlflow) -> None:
    """Let MLflow fail until the breaker opens, and be well again."""
    before, fake.before = fake.before, answering(500)
    for _ in range(LIMITS.breaker_failures):
        with pytest.raises(UpstreamError):
            await ask(door)
    assert "open" == door.breaker.state
    fake.before = before


class Held:
    """Holds the calls for one run until it is told what they get."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.waiting = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse | None:
        if request.query.get("run_id") != "held":
            return None
        self.waiting += 1
        await self.free.wait()
        return web.Response(status=500)


async def test_failures_of_before_do_not_open_it_again(fake: FakeMlflow, door: Door, clock: Clock) -> None:
    """Calls that were made before an outage and fail after it say nothing of MLflow as it is now."""
    fake.before = held = Held()
    early = [asyncio.create_task(ask(door, "held")) for _ in range(LIMITS.breaker_failures)]
    await eventually(lambda: len(early) == held.waiting, lambda: "they do not arrive")
    await fail(door, fake)
    clock.skip(INTERVAL)
    for _ in range(2):
        with pytest.raises(Missing):
            await ask(door)
    assert "closed" == door.breaker.state
    held.free.set()
    await asyncio.gather(*early, return_exceptions=True)
    assert ("closed", 1) == (door.breaker.state, door.breaker.openings)


async def test_who_waits_for_a_place_is_not_let_through(fake: FakeMlflow, door: Door) -> None:
    """A call that the breaker let through, and that waits at the gate when it opens, is not made."""
    fake.before = held = Held()
    calls = [asyncio.create_task(ask(door, "held")) for _ in range(LIMITS.max_in_flight + 20)]
    await eventually(lambda: LIMITS.max_in_flight == held.waiting, lambda: "they do not arrive")
    held.free.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, UpstreamNotAsked)]
    assert len(calls) == len(refused) + len(fake.calls)
    assert len(fake.calls) < LIMITS.max_in_flight + LIMITS.breaker_failures
    assert (0, 0) == (door.gate.in_flight, door.gate.waiting)


async def test_refused_credentials_are_told_as_such(fake: FakeMlflow, door: Door, clock: Clock) -> None:
    """An MLflow that is back and refuses the service is answered for: that is no outage."""
    await fail(door, fake)
    clock.skip(INTERVAL)
    fake.before = answering(401)
    for _ in range(5):
        with pytest.raises(UpstreamAuth):
            await ask(door)
    assert {"upstream": "failing", "breaker": "closed"} == door.condition()


async def test_one_probe_whoever_else_asks(fake: FakeMlflow, door: Door, clock: Clock) -> None:
    """Of fifty callers after the interval one reaches MLflow, and the others are refused at once."""
    await fail(door, fake)
    clock.skip(INTERVAL)
    fake.before, before = Held(), len(fake.calls)
    callers = [asyncio.create_task(ask(door, "held")) for _ in range(50)]
    _, pending = await asyncio.wait(callers, return_when=asyncio.FIRST_COMPLETED)
    await eventually(lambda: 1 == sum(not one.done() for one in callers), lambda: f"{len(pending)} wait")
    await eventually(lambda: 1 == len(fake.calls) - before, lambda: "no probe")
    probe = next(one for one in callers if not one.done())
    probe.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    fake.before = None
    with pytest.raises(Missing):  # a probe that was cancelled leaves its turn to the next
        await ask(door)
