"""The gate: how many calls MLflow gets at once."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from service.errors import UpstreamNotAsked
from service.upstream.door import Door, Limits
from service.upstream.limit import Gate, GateFullError
from tests.fakes.mlflow import FakeMlflow


async def test_no_more_than_the_places() -> None:
    """A further call waits for a place, and gets the first that comes free."""
    gate, order = Gate(1, 5.0), []

    async def call(name: str, leave: asyncio.Event) -> None:
        async with gate.place(may_wait=True):
            order.append(name)
            await leave.wait()

    first, second = asyncio.Event(), asyncio.Event()
    calls = [asyncio.create_task(call("a", first)), asyncio.create_task(call("b", second))]
    await asyncio.sleep(0)
    assert (["a"], 1, 1) == (order, gate.in_flight, gate.waiting)
    first.set()
    second.set()
    await asyncio.gather(*calls)
    assert (["a", "b"], 0, 0, 0) == (order, gate.in_flight, gate.waiting, gate.refused)


async def test_patience_ends() -> None:
    """Who gets no place in time is refused, and the place is free for others once it is left."""
    gate = Gate(1, 0.01)
    async with gate.place(may_wait=True):
        with pytest.raises(GateFullError):
            async with gate.place(may_wait=True):
                raise AssertionError("not reached")
    async with gate.place(may_wait=True):
        assert (1, 1) == (gate.in_flight, gate.refused)


async def test_time_spent_waiting() -> None:
    """The time of all who wait is added up, whether they get a place or not."""
    now = 100.0
    gate = Gate(1, 0.01, lambda: now)
    async with gate.place(may_wait=True):
        waiting = [asyncio.create_task(gate.place(may_wait=True).__aenter__()) for _ in range(2)]
        await asyncio.sleep(0)
        now += 3.0
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [GateFullError] * 2 == list(map(type, results))
    assert 6.0 == gate.waited


async def test_what_can_wait_does_not_take_a_place_in_the_queue() -> None:
    """A renewal that nobody waits for is refused at once where no place is free."""
    gate = Gate(1, 5.0)
    async with gate.place(may_wait=False):
        with pytest.raises(GateFullError):
            async with gate.place(may_wait=False):
                raise AssertionError("not reached")


async def test_one_kind_leaves_places_to_the_others() -> None:
    """An eighth of the places is kept from calls of one kind, however many of them come."""
    gate = Gate(8, 0.01)
    async with AsyncExitStack() as held:
        for _ in range(7):
            await held.enter_async_context(gate.place("slow", may_wait=True))
        for may_wait in (True, False):
            with pytest.raises(GateFullError):
                await held.enter_async_context(gate.place("slow", may_wait=may_wait))
        await held.enter_async_context(gate.place("quick", may_wait=False))
        with pytest.raises(GateFullError):
            await held.enter_async_context(gate.place("quick", may_wait=True))
    assert (0, 3) == (gate.in_flight, gate.refused)
    async with gate.place("slow", may_wait=False):  # nothing is lost by having been refused
        assert 1 == gate.in_flight


async def test_an_error_leaves_the_place() -> None:
    """A call that fails gives its place back."""
    gate = Gate(1, 0.01)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with gate.place(may_wait=True):
                raise ZeroDivisionError


async def test_mlflow_never_gets_more(fake: FakeMlflow) -> None:
    """Many callers at once are as many calls as there are places, and who waits too long is told."""
    fake.latency = 0.1
    async with Door(fake.url, Limits(max_in_flight=2, queue_timeout=0.15, attempts=1)) as door:
        results = await asyncio.gather(
            *(door.call("GET", "experiments/search", bytes, params={"max_results": "1"}) for _ in range(8)),
            return_exceptions=True,
        )
    assert 2 == fake.max_in_flight
    refused = [one for one in results if isinstance(one, UpstreamNotAsked)]
    answered = [one for one in results if isinstance(one, bytes)]
    assert refused
    assert answered
    assert 8 == len(refused) + len(answered)
