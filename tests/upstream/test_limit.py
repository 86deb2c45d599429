"""The concurrency limit, under any interleaving of calls that wait, time out, are cancelled and finish."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import UpstreamNotAsked
from service.upstream.call import Call
from service.upstream.failures import NoSlot
from service.upstream.limit import ConcurrencyLimit
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes.faults import only
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.faults import hang
from tests.resilience.measure import eventually
from tests.upstream.test_slots import turns

STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["caller", "renewal"]), st.just(0)),
        st.tuples(st.sampled_from(["finish", "cancel"]), st.integers(0, 30)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
    ),
    max_size=60,
)


class Upstream:
    """The layer below a limit: it holds each call until the test lets it finish."""

    def __init__(self, slots: int, patience: float, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.limit = ConcurrencyLimit(self, slots, patience, clock)
        self.received: list[int] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self._ends: list[asyncio.Event] = []

    async def send(self, call: Call[Any]) -> Any:
        self.received.append(call.question)
        await self._ends[call.question].wait()

    def start(self, endpoint: str = "runs/get", *, may_wait: bool = True) -> asyncio.Task[Any]:
        """Send the next call, in a task; its question is its number."""
        call: Call[Any] = Call("GET", endpoint, bytes, 0.0, question=len(self.tasks), may_wait=may_wait)
        self._ends.append(asyncio.Event())
        self.tasks.append(asyncio.create_task(self.limit.send(call)))
        return self.tasks[-1]

    def finish(self, number: int) -> None:
        if number < len(self._ends):
            self._ends[number].set()

    def cancel(self, number: int) -> None:
        if number < len(self.tasks):
            self.tasks[number].cancel()

    async def finish_all(self) -> list[type]:
        """How all calls end: the type of what each returned or raised."""
        for end in self._ends:
            end.set()
        return list(map(type, await asyncio.gather(*self.tasks, return_exceptions=True)))


async def play(slots: int, steps: list[tuple[str, int]]) -> None:
    upstream = Upstream(slots, patience=60.0)
    limit = upstream.limit
    callers: list[asyncio.Task[Any]] = []
    act: dict[str, Callable[[int], object]] = {
        "caller": lambda _: callers.append(upstream.start()),
        "renewal": lambda _: upstream.start(may_wait=False),
        "finish": upstream.finish,
        "cancel": upstream.cancel,
    }
    for name, number in steps:
        if name == "turn":
            for _ in range(number):
                await asyncio.sleep(0)  # the others take a step
        else:
            act[name](number)
        assert limit.in_flight <= slots
    ends = await upstream.finish_all()
    assert (0, 0) == (limit.in_flight, limit.waiting)
    served = [number for number in upstream.received if upstream.tasks[number] in callers]
    assert sorted(served) == served
    assert all(end is not NoSlot for end, task in zip(ends, upstream.tasks, strict=True) if task in callers)
    # Nothing is lost: as many as ever get a slot at once.
    for _ in range(slots):
        upstream.start(may_wait=False)
    await asyncio.sleep(0)
    assert (slots, True) == (limit.in_flight, limit.is_full)
    await upstream.finish_all()


@given(slots=st.integers(1, 3), steps=STEPS)
@settings(max_examples=150)
def test_holds_under_any_interleaving(slots: int, steps: list[tuple[str, int]]) -> None:
    """No more calls than slots are sent, callers are served in order, and a cancelled one keeps no slot."""
    asyncio.run(play(slots, steps))


async def test_refuses_a_call_that_waits_too_long() -> None:
    """A call that gets no slot in time is refused, and its wait is added to that of all others."""
    now = 100.0
    upstream = Upstream(1, 0.01, lambda: now)
    upstream.start()
    await asyncio.sleep(0)
    refused = [upstream.start(), upstream.start()]
    await asyncio.sleep(0)
    assert (1, 2) == (upstream.limit.in_flight, upstream.limit.waiting)
    now += 3.0
    await asyncio.wait(refused)
    assert (1, 0, 6.0) == (upstream.limit.in_flight, upstream.limit.waiting, upstream.limit.wait_seconds)
    assert [type(None), NoSlot, NoSlot] == await upstream.finish_all()


@pytest.mark.thorough
async def test_leaves_a_slot_that_comes_too_late_to_the_next_call() -> None:
    """A call that times out in the moment in which it would get a slot takes none along."""
    for _ in range(50):
        upstream = Upstream(1, 0.01)
        upstream.start()
        await asyncio.sleep(0)
        late = upstream.start()
        asyncio.get_running_loop().call_later(0.01, upstream.finish, 0)
        asyncio.get_running_loop().call_later(0.01, upstream.finish, 1)
        with suppress(NoSlot):
            await late
        await upstream.finish_all()
        assert (0, 0, False) == (upstream.limit.in_flight, upstream.limit.waiting, upstream.limit.is_full)


async def test_gives_a_renewal_only_a_free_slot() -> None:
    """A call that may not wait is refused at once while all slots are taken or promised to callers."""
    upstream = Upstream(1, 60.0)
    upstream.start()
    await asyncio.sleep(0)
    with pytest.raises(NoSlot):
        await upstream.start(may_wait=False)
    upstream.start()
    await asyncio.sleep(0)
    upstream.finish(0)
    with pytest.raises(NoSlot):
        await upstream.start(may_wait=False)
    await upstream.finish_all()
    assert [0, 2] == upstream.received


async def test_keeps_slots_for_other_endpoints() -> None:
    """An eighth of the slots is kept from calls to one endpoint, however many of them come."""
    upstream = Upstream(8, 0.01)
    for _ in range(7):
        upstream.start("slow")
    await asyncio.sleep(0)
    for may_wait in (True, False):
        with pytest.raises(NoSlot):
            await upstream.start("slow", may_wait=may_wait)
    upstream.start("quick", may_wait=False)
    await asyncio.sleep(0)
    assert 8 == upstream.limit.in_flight
    with pytest.raises(NoSlot):
        await upstream.start("quick")
    await upstream.finish_all()
    upstream.start("slow", may_wait=False)  # nothing is lost by a refusal
    await asyncio.sleep(0)
    assert 1 == upstream.limit.in_flight
    await upstream.finish_all()


async def test_can_change_while_calls_are_in_flight() -> None:
    """Fewer slots let calls in flight go on, and none in until few enough are left; more let in who waits."""
    upstream = Upstream(8, 60.0)
    for place in range(4):
        upstream.start(f"endpoint/{place}")
    await asyncio.sleep(0)
    upstream.limit.resize(2)
    waiting = [upstream.start("a"), upstream.start("b")]
    upstream.finish(0)
    upstream.finish(1)
    await turns(5)
    assert (2, 2, True) == (upstream.limit.in_flight, upstream.limit.waiting, upstream.limit.is_full)
    upstream.finish(2)
    await turns(5)
    assert (2, 1) == (upstream.limit.in_flight, upstream.limit.waiting)
    upstream.limit.resize(16)
    await turns(5)
    assert (3, 0) == (upstream.limit.in_flight, upstream.limit.waiting)
    assert 6 == len(await upstream.finish_all())
    assert all(task.done() for task in waiting)
    for _ in range(16):
        upstream.start("a")
    await turns(5)
    assert (14, 2) == (upstream.limit.in_flight, upstream.limit.waiting)  # an eighth is for other endpoints
    await upstream.finish_all()


async def test_takes_back_the_slot_of_a_call_that_fails() -> None:
    """The slot is free again after an error of the layer below."""

    class Failing:
        async def send(self, _: Call[Any]) -> Any:
            raise ZeroDivisionError

    limit = ConcurrencyLimit(Failing(), 1, 0.01)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await limit.send(Call("GET", "runs/get", bytes, 0.0, may_wait=False))
    assert 0 == limit.in_flight


async def test_bounds_what_mlflow_gets(fake: FakeMlflow) -> None:
    """Of many calls at once MLflow gets as many as there are slots; a call that waits too long is refused."""
    fake.latency = 0.1
    async with MlflowTransport(
        fake.url, Limits(max_in_flight=2, queue_timeout=0.15, attempts=1)
    ) as transport:
        results = await asyncio.gather(
            *(
                transport.call("GET", "experiments/search", bytes, params={"max_results": "1"})
                for _ in range(8)
            ),
            return_exceptions=True,
        )
    assert 2 == fake.max_in_flight
    refused = [result for result in results if isinstance(result, UpstreamNotAsked)]
    answered = [result for result in results if isinstance(result, bytes)]
    assert refused
    assert answered
    assert 8 == len(refused) + len(answered)


async def test_slow_lists_hold_up_no_run(fake: FakeMlflow) -> None:
    """More lists than there are slots, which MLflow does not answer, leave slots for quick calls."""
    fake.before = only("runs/search", hang)
    run_id = fake.add_run()
    async with MlflowTransport(fake.url, Limits(max_in_flight=8, queue_timeout=0.01)) as transport:

        async def search(number: int) -> None:
            await transport.call("POST", "runs/search", bytes, json={"filter": number})

        lists = [asyncio.create_task(search(number)) for number in range(50)]
        await eventually(lambda: 43 == sum(task.done() for task in lists), lambda: "they all wait")
        for _ in range(20):
            await transport.call("GET", "runs/get", bytes, params={"run_id": run_id})
        assert 7 == fake.in_flight
        for task in lists:
            task.cancel()
        outcomes = await asyncio.gather(*lists, return_exceptions=True)
    assert 43 == sum(isinstance(outcome, UpstreamNotAsked) for outcome in outcomes)
    breaker = transport.layers.breaker
    assert ("closed", 0) == (breaker.state, breaker.openings)
