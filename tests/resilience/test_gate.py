"""The gate under any interleaving of callers who wait, give up, are cancelled, and finish."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import UpstreamNotAsked
from service.upstream.door import Door, Limits
from service.upstream.limit import Gate, GateFullError
from tests.fakes.faults import only
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.faults import hang
from tests.resilience.measure import eventually

STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["caller", "renewal"]), st.just(0)),
        st.tuples(st.sampled_from(["finish", "cancel"]), st.integers(0, 30)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
    ),
    max_size=60,
)


class Crowd:
    """Callers of one gate; each holds its place until it is told to finish."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.entered: list[int] = []
        self.outcomes: dict[int, str] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self._ends: list[asyncio.Event] = []
        self.most = 0

    def come(self, *, may_wait: bool) -> None:
        number, end = len(self.tasks), asyncio.Event()
        self._ends.append(end)

        async def hold() -> None:
            try:
                async with self._gate.place(may_wait=may_wait):
                    self.entered.append(number)
                    self.most = max(self.most, self._gate.in_flight)
                    await end.wait()
                    self.outcomes[number] = "finished"
            except GateFullError:
                self.outcomes[number] = "refused"

        self.tasks.append(asyncio.create_task(hold()))

    def finish(self, number: int) -> None:
        if number < len(self._ends):
            self._ends[number].set()

    def cancel(self, number: int) -> None:
        if number < len(self.tasks):
            self.tasks[number].cancel()

    async def leave(self) -> None:
        for end in self._ends:
            end.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def play(places: int, steps: list[tuple[str, int]]) -> None:
    gate = Gate(places, patience=60.0)
    crowd = Crowd(gate)
    waiting_ones: list[int] = []
    act: dict[str, Callable[[int], Awaitable[None] | None]] = {
        "caller": lambda _: crowd.come(may_wait=True),
        "renewal": lambda _: crowd.come(may_wait=False),
        "finish": crowd.finish,
        "cancel": crowd.cancel,
    }
    for name, number in steps:
        if name == "caller":
            waiting_ones.append(len(crowd.tasks))
        if name == "turn":
            for _ in range(number):
                await asyncio.sleep(0)  # the others take a step
        else:
            act[name](number)
        assert gate.in_flight <= places
    await crowd.leave()
    assert (0, 0) == (gate.in_flight, gate.waiting)
    assert crowd.most <= places
    in_order = [one for one in crowd.entered if one in waiting_ones]
    assert sorted(in_order) == in_order
    assert all(crowd.outcomes.get(one) != "refused" for one in waiting_ones)
    # Nothing is lost: as many as ever can enter at once.
    again = Crowd(gate)
    for _ in range(places):
        again.come(may_wait=False)
    await asyncio.sleep(0)
    assert places == gate.in_flight
    await again.leave()


@given(places=st.integers(1, 3), steps=STEPS)
@settings(max_examples=150)
def test_any_interleaving(places: int, steps: list[tuple[str, int]]) -> None:
    """Never more than the places, callers in order, and no cancelled caller takes a place along."""
    asyncio.run(play(places, steps))


async def test_a_place_that_comes_as_patience_ends() -> None:
    """Whoever gives up in the very moment in which a place is given leaves it to the next one."""
    gate = Gate(1, patience=0.01)
    for _ in range(50):
        holding = asyncio.Event()

        async def hold(free: asyncio.Event = holding) -> None:
            async with gate.place(may_wait=True):
                await free.wait()

        first = asyncio.create_task(hold())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.01, holding.set)
        try:
            async with gate.place(may_wait=True):
                pass
        except GateFullError:
            pass
        await first
        assert (0, 0) == (gate.in_flight, gate.waiting)
        assert not gate._places.locked()


async def test_a_renewal_gives_way() -> None:
    """Who can wait gets a free place only, and never one that a caller waits for."""
    gate = Gate(1, patience=60.0)
    crowd = Crowd(gate)
    crowd.come(may_wait=True)
    crowd.come(may_wait=True)
    await asyncio.sleep(0)
    crowd.finish(0)
    with pytest.raises(GateFullError):
        async with gate.place(may_wait=False):
            pass
    await crowd.leave()
    assert [0, 1] == crowd.entered


async def test_slow_lists_hold_up_no_run(fake: FakeMlflow) -> None:
    """Many more lists that MLflow does not answer than it has places leave some for what is quick."""
    fake.before = only("runs/search", hang)
    run_id = fake.add_run()
    async with Door(fake.url, Limits(max_in_flight=8, queue_timeout=0.01)) as door:

        async def search(number: int) -> None:
            await door.call("POST", "runs/search", bytes, json={"filter": number})

        lists = [asyncio.create_task(search(number)) for number in range(50)]
        await eventually(lambda: 43 == sum(one.done() for one in lists), lambda: "they all wait")
        for _ in range(20):
            await door.call("GET", "runs/get", bytes, params={"run_id": run_id})
        assert 7 == fake.in_flight
        for one in lists:
            one.cancel()
        outcomes = await asyncio.gather(*lists, return_exceptions=True)
    assert 43 == sum(isinstance(one, UpstreamNotAsked) for one in outcomes)
    assert ("closed", 0) == (door.breaker.state, door.breaker.openings)
