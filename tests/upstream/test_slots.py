"""Slots whose number changes while they are taken, given back, waited for and given up."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.upstream.slots import Slots

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("acquire"), st.just(0)),
        st.tuples(st.sampled_from(["release", "cancel"]), st.integers(0, 30)),
        st.tuples(st.just("resize"), st.integers(1, 4)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
    ),
    max_size=60,
)


class Played:
    """Slots, and those who have one or wait for one."""

    def __init__(self) -> None:
        self.number = 2
        self.slots = Slots(self.number)
        self.tasks: list[asyncio.Task[None]] = []
        self.having: list[int] = []

    async def take(self, place: int) -> None:
        await self.slots.acquire()
        self.having.append(place)

    def acquire(self, _: int) -> None:
        self.tasks.append(asyncio.create_task(self.take(len(self.tasks))))

    def release(self, place: int) -> None:
        if self.having:
            self.having.pop(place % len(self.having))
            self.slots.release()

    def cancel(self, place: int) -> None:
        if place < len(self.tasks):
            self.tasks[place].cancel()

    def resize(self, number: int) -> None:
        self.number = number
        self.slots.resize(number)


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def play(steps: list[tuple[str, int]]) -> None:
    played = Played()
    for name, value in steps:
        before = played.slots._taken  # which has those whose turn has come, too
        await turns(value) if name == "turn" else getattr(played, name)(value)
        assert len(played.having) <= played.slots._taken <= max(before, played.number)
    await turns(3)
    while played.having:  # all give back, and nobody waits for ever
        played.release(0)
        await turns(3)
    assert all(task.done() for task in played.tasks)
    for _ in range(played.number):  # none is lost, and there is none too many
        assert not played.slots.locked()
        await played.slots.acquire()
    assert played.slots.locked()


@pytest.mark.thorough
@given(steps=STEPS)
@settings(max_examples=200)
def test_none_is_lost_and_none_too_many(steps: list[tuple[str, int]]) -> None:
    """Under any interleaving no more are taken than there are, and all that wait get one in the end."""
    asyncio.run(play(steps))


async def test_who_waits_gets_one_in_the_order_of_asking() -> None:
    """More slots are for those who wait already, the first one first."""
    slots = Slots(1)
    order: list[int] = []

    async def take(place: int) -> None:
        await slots.acquire()
        order.append(place)

    await slots.acquire()
    tasks = [asyncio.create_task(take(place)) for place in range(4)]
    await asyncio.sleep(0)
    slots.resize(3)
    await turns(3)
    assert [0, 1] == order
    slots.resize(1)
    for _ in range(2):
        slots.release()
        await asyncio.sleep(0)
    assert [0, 1] == order  # there is one slot, and one is taken
    slots.release()
    await asyncio.wait([tasks[2]])
    assert [0, 1, 2] == order
    slots.release()
    await tasks[3]
