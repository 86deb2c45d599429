"""Replicas that share a store never give an older answer over a newer one, and say how old each is."""

import asyncio
from collections.abc import Sequence

import pytest

from service.answer import Origin
from service.cache.shared_store import Stored, Wish
from service.tracking.questions import GetRun, ListRuns
from tests.cache.fleet import Fleet, value_of
from tests.cache.scripted import ScriptedSource, settle
from tests.cache.test_shared_flights import values_of
from tests.tracking.values import make_run

DONE = GetRun("done")
LIST = ListRuns("0", None, None, 2)
OLD, NEW = (make_run("done", metrics={"m": m}) for m in (1.0, 2.0))


async def test_an_answer_that_was_asked_for_too_early_is_refused(
    fleet: Fleet, source: ScriptedSource
) -> None:
    """A list that returns after one of its runs has been stored leaves that run as it is."""
    first, second, third = fleet.replicas
    source.holds = True
    source.put(OLD)
    slow = asyncio.create_task(first.cached.answer(LIST))
    await source.until_asked(1)
    source.put(NEW)
    quick = asyncio.create_task(second.cached.answer(DONE))
    (await source.until_asked(2))[1].answer()
    await values_of(quick)
    source.calls[0].answer()
    await values_of(slow)
    assert [NEW] == await values_of(asyncio.create_task(third.cached.answer(DONE)))
    assert NEW == value_of(second.held(DONE))
    assert 1 == first.link.refused


async def test_the_caller_of_a_refused_answer_gets_the_stored_one(
    fleet: Fleet, source: ScriptedSource
) -> None:
    """Where a list brought the run while MLflow was asked for it, all replicas give what is stored."""
    first, second, _ = fleet.replicas
    source.holds = True
    source.put(OLD)
    single = asyncio.create_task(first.cached.answer(DONE))
    await source.until_asked(1)
    source.put(NEW)
    listed = asyncio.create_task(second.cached.answer(LIST))
    (await source.until_asked(2))[1].answer()
    await values_of(listed)
    source.calls[0].answer()
    assert [NEW] == await values_of(single)
    assert 2 == len(source.calls)


async def test_a_woken_holder_overwrites_nothing(fleet: Fleet, source: ScriptedSource) -> None:
    """A replica whose lease ran out while it stood still cannot store its old answer over the newer one."""
    first, second, third = fleet.replicas
    source.holds = True
    source.put(OLD)
    stopped = asyncio.create_task(first.cached.answer(DONE))
    await source.until_asked(1)
    fleet.server.leases.clear()
    source.put(NEW)
    other = asyncio.create_task(second.cached.answer(DONE))
    (await source.until_asked(2))[1].answer()
    assert [NEW] == await values_of(other)
    source.calls[0].answer()
    assert [NEW] == await values_of(stopped)
    assert [NEW] == await values_of(asyncio.create_task(third.cached.answer(DONE)))


async def test_a_reading_that_comes_late_takes_nothing_back(
    fleet: Fleet, source: ScriptedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a replica reads of the store for a notice, and gets after a newer answer, leaves the newer one."""
    first, second, _ = fleet.replicas
    for replica in (first, second):
        await replica.cached.answer(DONE)
    read, arrives = second.link.read, asyncio.Event()

    async def late(wishes: Sequence[Wish]) -> list[Stored | None]:
        stored = await read(wishes)
        await arrives.wait()
        return stored

    monkeypatch.setattr(second.link, "read", late)
    source.put(OLD)
    await first.anew.answer(DONE)
    await settle()
    source.put(NEW)
    await second.anew.answer(DONE)
    arrives.set()
    await settle()
    assert NEW == value_of(second.held(DONE))


async def test_ages_go_on_in_the_store(fleet: Fleet, source: ScriptedSource) -> None:
    """An answer is as old on each replica as it is since it came from MLflow, whoever asked for it."""
    first, second, third = fleet.replicas
    await first.cached.answer(DONE)
    fleet.clock.tick(7)
    await second.cached.answer(DONE)
    fleet.clock.tick(4)
    answers = [await replica.cached.answer(DONE) for replica in (first, second, third)]
    assert 3 * [pytest.approx(11, abs=0.01)] == [answer.age for answer in answers]
    assert 3 * [pytest.approx(21, abs=0.01)] == [answer.left for answer in answers]
    assert 1 == len(source.calls)


async def test_an_answer_lives_no_longer_for_being_stored(fleet: Fleet, source: ScriptedSource) -> None:
    """An answer is asked for again when its time to live has passed, however often it changed replicas."""
    first, second, third = fleet.replicas
    for replica in (first, second, third):
        await replica.cached.answer(DONE)
        fleet.clock.tick(11)
    source.put(NEW)
    await third.cached.answer(DONE)
    await settle()
    assert NEW == (await first.cached.answer(DONE)).value
    assert 2 == len(source.calls)


async def test_no_cache_asks_anew_for_all(fleet: Fleet, source: ScriptedSource) -> None:
    """Who wants MLflow's own word gets it by one call, and all replicas have it then."""
    for replica in fleet.replicas:
        await replica.cached.answer(DONE)
    source.taken()
    source.put(NEW)
    answer = await fleet.replicas[0].anew.answer(DONE)
    assert (NEW, Origin.FORCED) == (answer.value, answer.origin)
    await settle()
    assert [NEW, NEW, NEW] == [value_of(replica.held(DONE)) for replica in fleet.replicas]
    assert [DONE] == source.taken()


async def test_no_cache_joins_no_earlier_call_of_another_replica(
    fleet: Fleet, source: ScriptedSource
) -> None:
    """Who revalidates while another replica asks gets what was asked for after that, by one call."""
    first, second, third = fleet.replicas
    source.holds = True
    source.put(OLD)
    usual = asyncio.create_task(first.cached.answer(DONE))
    await source.until_asked(1)
    source.put(NEW)
    anew = [asyncio.create_task(replica.anew.answer(DONE)) for replica in (second, third)]
    await settle()
    assert 1 == len(source.calls)
    source.calls[0].answer()
    assert [OLD] == await values_of(usual)
    (await source.until_asked(2))[1].answer()
    assert [NEW, NEW] == await values_of(*anew)
    assert 2 == len(source.calls)


async def test_the_clock_of_the_store_may_be_set_back(fleet: Fleet, source: ScriptedSource) -> None:
    """After the store's clock was set back by an hour, answers are renewed and taken as before."""
    first, second, _ = fleet.replicas
    await first.cached.answer(DONE)
    fleet.server.set_back(3600)
    source.put(NEW)
    assert NEW == (await first.anew.answer(DONE)).value
    assert NEW == (await second.cached.answer(DONE)).value
    assert 2 == len(source.calls)


async def test_what_did_not_change_stays_one_object(fleet: Fleet) -> None:
    """A renewed answer with an equal value is not sent again, and is the object that it was."""
    first, second, _ = fleet.replicas
    for replica in (first, second):
        await replica.cached.answer(DONE)
    before = value_of(second.held(DONE))
    fleet.clock.tick(1)
    await first.anew.answer(DONE)
    await settle()
    entry = second.held(DONE)
    assert before is value_of(entry)
    assert entry is not None
    assert fleet.clock.now == pytest.approx(entry.arrived, abs=0.01)
