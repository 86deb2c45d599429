"""One flight for all who ask the same at once, which belongs to none of them."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing
from contextvars import Context, ContextVar
from typing import Any

import pytest

from service.cache.singleflight import Flights, joined
from tests.cache.scripted import settle

WHO: ContextVar[str] = ContextVar("who", default="nobody")


class Airfield:
    """Flights, and loads that land when a test says so. complaints: what the event loop was told of."""

    def __init__(self) -> None:
        self.flights: Flights[str] = Flights()
        self.loads: list[asyncio.Future[str]] = []
        self.complaints: list[dict[str, Any]] = []

    async def load(self) -> str:
        load: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.loads.append(load)
        return await load

    async def fly(self, key: str = "key") -> str:
        """What a caller does."""
        return await joined(self.flights.start(key, self.load))

    def caller(self, key: str = "key") -> asyncio.Task[str]:
        return asyncio.create_task(self.fly(key))

    def patient_caller(self, key: str = "key") -> asyncio.Task[str]:
        """A caller who wants what is loaded from now on."""

        async def wait_and_fly() -> str:
            await self.flights.landed([key])
            return await self.fly(key)

        return asyncio.create_task(wait_and_fly())

    async def aclose(self) -> None:
        await self.flights.close()


@pytest.fixture
async def field() -> AsyncIterator[Airfield]:
    """No flights, on a loop whose complaints fail the test."""
    async with aclosing(Airfield()) as one:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: one.complaints.append(context))
        yield one
    gc.collect()
    await settle()
    assert [] == one.complaints


async def test_all_who_ask_at_once_share_a_flight(field: Airfield) -> None:
    """A hundred callers make one load, and each gets its result."""
    callers = [field.caller() for _ in range(100)]
    await settle()
    assert 1 == len(field.loads)
    field.loads[0].set_result("landed")
    assert ["landed"] * 100 == await asyncio.gather(*callers)
    assert 1 == len(field.loads)


async def test_a_flight_that_landed_is_over(field: Airfield) -> None:
    """Who asks afterwards starts another, and in between the key is not in the air."""
    for number in range(2):
        caller = field.caller()
        await settle()
        assert "key" in field.flights
        field.loads[number].set_result(str(number))
        assert str(number) == await caller
        assert "key" not in field.flights


async def test_each_key_has_a_flight_of_its_own(field: Airfield) -> None:
    """Two keys are two loads, and one landing leaves the other in the air."""
    callers = [field.caller("a"), field.caller("b")]
    await settle()
    field.loads[1].set_result("b")
    assert "b" == await callers[1]
    assert "a" in field.flights
    field.loads[0].set_result("a")
    assert "a" == await callers[0]


async def test_a_first_caller_who_leaves_ends_no_flight(field: Airfield) -> None:
    """The others get the result of the flight that a cancelled caller started."""
    first, second = field.caller(), field.caller()
    await settle()
    first.cancel()
    await settle()
    assert first.cancelled()
    field.loads[0].set_result("landed")
    assert "landed" == await second
    assert 1 == len(field.loads)


async def test_a_flight_whose_callers_all_left_goes_on(field: Airfield) -> None:
    """Who comes after they left joins it."""
    callers = [field.caller() for _ in range(3)]
    await settle()
    for caller in callers:
        caller.cancel()
    await settle()
    late = field.caller()
    await settle()
    field.loads[0].set_result("landed")
    assert "landed" == await late
    assert 1 == len(field.loads)


async def test_a_waiter_who_runs_out_of_time_ends_no_flight(field: Airfield) -> None:
    """A time-out of one is his own."""
    other = field.caller()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await field.fly()
    field.loads[0].set_result("landed")
    assert "landed" == await other
    assert 1 == len(field.loads)


async def test_a_failure_reaches_all(field: Airfield) -> None:
    """Each of those who wait gets the exception, and who comes afterwards starts anew."""
    callers = [field.caller() for _ in range(3)]
    await settle()
    failure = ValueError("told to")
    field.loads[0].set_exception(failure)
    assert [failure] * 3 == await asyncio.gather(*callers, return_exceptions=True)
    again = field.caller()
    await settle()
    field.loads[1].set_result("landed")
    assert "landed" == await again


@pytest.mark.parametrize("callers", [0, 1, 3])
async def test_a_failure_that_nobody_waits_for_is_no_complaint(field: Airfield, callers: int) -> None:
    """The event loop is told of no exception that was never retrieved, whether callers left or never were."""
    waiting = [field.caller() for _ in range(callers)]
    if not callers:
        field.flights.start("key", field.load)
    await settle()
    for caller in waiting:
        caller.cancel()
    await settle()
    field.loads[0].set_exception(ValueError("told to"))
    await settle()
    assert "key" not in field.flights


async def test_who_waits_for_landings_joins_no_earlier_flight(field: Airfield) -> None:
    """Who wants what is loaded from now on waits for the flight in the air, then for one of his own."""
    earlier = field.caller()
    await settle()
    patient = field.patient_caller()
    await settle()
    assert 1 == len(field.loads)
    field.loads[0].set_result("early")
    await settle()
    assert "early" == await earlier
    assert not patient.done()
    assert 2 == len(field.loads)
    field.loads[1].set_result("late")
    assert "late" == await patient


async def test_all_who_want_the_next_flight_share_it(field: Airfield) -> None:
    """A hundred of them behind one flight make one more."""
    earlier = field.caller()
    await settle()
    patient = [field.patient_caller() for _ in range(100)]
    await settle()
    field.loads[0].set_result("early")
    await settle()
    assert 2 == len(field.loads)
    field.loads[1].set_result("late")
    assert ["late"] * 100 == await asyncio.gather(*patient)
    assert "early" == await earlier
    assert 2 == len(field.loads)


async def test_with_nothing_in_the_air_there_is_no_landing_to_wait_for(field: Airfield) -> None:
    """Where nothing flies, the next flight starts now; those who come during it wait for another."""
    first = field.patient_caller()
    await settle()
    second = field.patient_caller()
    await settle()
    assert 1 == len(field.loads)
    field.loads[0].set_result("first")
    await settle()
    field.loads[1].set_result("second")
    assert ["first", "second"] == [await first, await second]


async def test_how_an_earlier_flight_ended_does_not_matter_to_who_waits_for_it(field: Airfield) -> None:
    """The failure of a flight that is only waited for is not one's own."""
    earlier = field.caller()
    await settle()
    patient = field.patient_caller()
    await settle()
    field.loads[0].set_exception(ValueError("told to"))
    await settle()
    field.loads[1].set_result("late")
    assert "late" == await patient
    with pytest.raises(ValueError, match="told to"):
        await earlier


async def test_a_patient_caller_who_leaves_ends_no_flight(field: Airfield) -> None:
    """Neither the one he waits for nor the one he started."""
    earlier = field.caller()
    await settle()
    leaving, staying = field.patient_caller(), field.patient_caller()
    await settle()
    leaving.cancel()
    await settle()
    field.loads[0].set_result("early")
    assert "early" == await earlier
    await settle()
    field.loads[1].set_result("late")
    assert "late" == await staying


async def test_a_flight_in_a_context(field: Airfield) -> None:
    """A flight runs in the context it is given, else in that of the caller who started it."""

    async def who() -> str:
        return WHO.get()

    given = Context()
    given.run(WHO.set, "a renewal")
    WHO.set("a caller")
    assert "a renewal" == await joined(field.flights.start("a", who, given))
    assert "a caller" == await joined(field.flights.start("b", who))


async def test_close_ends_all_flights(field: Airfield) -> None:
    """After it nothing is in the air, and those who still waited are cancelled."""
    callers = [field.caller(key) for key in ("a", "b")]
    await settle()
    await field.flights.close()
    await settle()
    assert all(caller.cancelled() for caller in callers)
    assert all(load.cancelled() for load in field.loads)
    assert not {"a", "b"} & field.flights._running.keys()


async def test_close_bears_a_flight_that_ends_badly(field: Airfield) -> None:
    """A load that fails while it is ended does not keep the others from being ended."""

    async def stubborn() -> str:
        try:
            return await field.load()
        except asyncio.CancelledError:
            raise ValueError("told to") from None

    field.flights.start("a", stubborn)
    field.flights.start("b", field.load)
    await settle()
    await field.flights.close()
    await settle()
    assert not {"a", "b"} & field.flights._running.keys()


async def test_landings_of_several_keys_are_waited_for_at_once(field: Airfield) -> None:
    """Whoever waits for the flights of several keys goes on when the last that is in the air has landed."""
    callers = [field.caller("a"), field.caller("b")]
    await settle()
    waiting = asyncio.create_task(field.flights.landed(["a", "b", "c"]))
    await settle()
    field.loads[1].set_result("b")
    await settle()
    assert not waiting.done()
    field.loads[0].set_result("a")
    await waiting
    assert ["a", "b"] == await asyncio.gather(*callers)
