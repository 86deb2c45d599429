"""Replicas that share a store ask MLflow as one would: who asks, who waits, and for how long."""

import asyncio
from typing import Any

import pytest

from service.answer import Answer
from service.context import DEADLINE
from service.errors import UpstreamTimeout
from service.http.cache_status import cache_status
from service.tracking.questions import GetExperiment, GetRun, ListExperiments, Question
from tests.cache.fleet import Fleet
from tests.cache.scripted import ScriptedSource, compared, gets, settle
from tests.tracking.values import make_run

DONE = GetRun("done")
NEWER = make_run("done", metrics={"m": 1.0})


async def asked_by_all(
    fleet: Fleet, question: Question[Any], times: int = 1
) -> list[asyncio.Task[Answer[Any]]]:
    """Callers of each replica who ask the same at once; the first replica has the lease."""
    callers = []
    for replica in fleet.replicas:
        callers += [asyncio.create_task(replica.cached.answer(question)) for _ in range(times)]
        await settle()
    return callers


async def values_of(*callers: asyncio.Task[Answer[Any]]) -> list[Any]:
    """What they are answered, soon."""
    async with asyncio.timeout(5):
        return [answer.value for answer in await asyncio.gather(*callers)]


async def test_a_herd_over_replicas_is_one_call(fleet: Fleet, source: ScriptedSource) -> None:
    """A thousand callers of three replicas who ask the same at once cost MLflow one call."""
    source.holds = True
    herd = await asked_by_all(fleet, DONE, 333)
    [call] = source.calls
    call.answer()
    values = await values_of(*herd)
    assert [DONE] == source.taken()
    assert 999 * [source.stored["done"]] == values


@pytest.mark.parametrize("question", [DONE, GetExperiment("Default"), ListExperiments()], ids=repr)
async def test_what_one_replica_asked_all_have(
    fleet: Fleet, source: ScriptedSource, question: Question[Any]
) -> None:
    """A replica that never asked gets the answer of another, as old as it is, and says that it was stored."""
    first, second, _ = fleet.replicas
    value = (await first.cached.answer(question)).value
    fleet.clock.tick(3)
    answer = await second.cached.answer(question)
    assert value == answer.value
    assert 3.0 == pytest.approx(answer.age, abs=0.01)
    assert cache_status(answer).endswith("detail=shared")
    assert [question] == source.taken()


async def test_several_questions_are_claimed_together(fleet: Fleet, source: ScriptedSource) -> None:
    """Of several questions a replica asks MLflow for those that no other asks for, by one call."""
    source.holds = True
    first, second, _ = fleet.replicas
    one = asyncio.create_task(first.cached.answer(DONE))
    await settle()
    several = asyncio.create_task(compared(second.cached, ["running", "done", "nobody"]))
    await settle()
    assert [DONE, gets("running", "nobody")] == [call.asked for call in source.calls]
    source.release()
    run = source.stored["done"]
    assert [run, (source.stored["running"], run, None)] == await values_of(one, several)


async def test_two_who_wait_for_each_other_do_not_hang(fleet: Fleet, source: ScriptedSource) -> None:
    """Two replicas that each ask for what the other waits for both come to an end."""
    source.holds = True
    first, second, _ = fleet.replicas
    callers = [
        asyncio.create_task(compared(first.cached, ["a", "done"])),
        asyncio.create_task(compared(second.cached, ["done", "b", "a"])),
    ]
    await settle()
    assert [gets("a", "done"), GetRun("b")] == [call.asked for call in source.calls]
    source.release()
    run = source.stored["done"]
    assert [(None, run), (run, None, None)] == await values_of(*callers)


async def test_a_replica_that_dies_is_followed_by_one(fleet: Fleet, source: ScriptedSource) -> None:
    """Where the replica that asks is killed, the others wait for its lease to end, and one of them asks."""
    source.holds = True
    callers = await asked_by_all(fleet, DONE)
    await fleet.replicas[0].die()
    await fleet.passes(1.5)
    assert 1 == len(source.calls)
    await fleet.passes(1)
    assert 2 == len(source.calls)
    source.release()
    await settle()
    assert 2 * [source.stored["done"]] == await values_of(*callers[1:])


async def test_a_replica_that_stops_gives_up(fleet: Fleet, source: ScriptedSource) -> None:
    """Where the replica that asks is stopped as usual, another asks at once."""
    source.holds = True
    callers = await asked_by_all(fleet, DONE)
    await fleet.replicas[0].aclose()
    await settle()
    assert 2 == len(source.calls)
    source.release()
    assert 2 * [source.stored["done"]] == await values_of(*callers[1:])


async def test_a_slow_call_keeps_its_lease(fleet: Fleet, source: ScriptedSource) -> None:
    """While MLflow takes longer than a lease lasts, nobody else asks."""
    source.holds = True
    callers = await asked_by_all(fleet, DONE)
    await fleet.passes(9)
    [call] = source.calls
    call.answer()
    await settle()
    assert 3 * [source.stored["done"]] == await values_of(*callers)
    assert 1 == len(source.calls)


async def test_a_replica_waits_no_longer_than_it_is_told(fleet: Fleet, source: ScriptedSource) -> None:
    """A replica that has waited for another for long enough asks by itself."""
    source.holds = True
    callers = await asked_by_all(fleet, DONE)
    await fleet.passes(10.5)
    assert 3 == len(source.calls)
    source.calls[2].answer()
    await settle()
    assert [source.stored["done"]] == await values_of(callers[2])


async def test_a_caller_leaves_at_his_deadline(fleet: Fleet, source: ScriptedSource) -> None:
    """A caller waits for another replica no longer than his request may take."""
    source.holds = True
    await asked_by_all(fleet, DONE)
    token = DEADLINE.set(asyncio.get_running_loop().time())
    with pytest.raises(UpstreamTimeout):
        await fleet.replicas[1].cached.answer(DONE)
    DEADLINE.reset(token)


async def test_a_store_that_is_lost_is_waited_for_no_longer(fleet: Fleet, source: ScriptedSource) -> None:
    """Replicas that wait for another when the store is lost ask by themselves, at once."""
    source.holds = True
    callers = await asked_by_all(fleet, DONE)
    fleet.replicas[1].link.detach()
    await settle()
    assert 2 == len(source.calls)
    source.release()
    assert 3 * [source.stored["done"]] == await values_of(*callers)


async def test_a_notice_that_is_lost_costs_a_moment(fleet: Fleet, source: ScriptedSource) -> None:
    """A replica that waits looks into the store now and then: it does not depend on notices."""
    source.holds = True
    callers = await asked_by_all(fleet, DONE)
    fleet.server.replicas.clear()  # so nobody is told
    source.release()
    await fleet.passes(1)
    assert 3 * [source.stored["done"]] == await values_of(*callers)
    assert [DONE] == source.taken()


async def test_a_renewal_serves_all(fleet: Fleet, source: ScriptedSource) -> None:
    """What one replica renews behind a caller's back is fresh on all that remember it."""
    for replica in fleet.replicas:
        await replica.cached.answer(DONE)
    source.put(NEWER)
    fleet.clock.tick(33)
    await fleet.replicas[0].cached.answer(DONE)
    await settle()
    answers = [await replica.cached.answer(DONE) for replica in fleet.replicas]
    assert 3 * [NEWER] == [answer.value for answer in answers]
    assert 3 * [0] == [int(answer.age) for answer in answers]
    assert [DONE, DONE] == source.taken()


async def test_renewals_at_once_are_one_call(fleet: Fleet, source: ScriptedSource) -> None:
    """Where all replicas renew at once, one asks MLflow, and callers of all get the old answer meanwhile."""
    for replica in fleet.replicas:
        await replica.cached.answer(DONE)
    fleet.clock.tick(33)
    source.holds = True
    statuses = [cache_status(await replica.cached.answer(DONE)) for replica in fleet.replicas]
    await settle()
    assert 3 * ["hit; ttl=-1; detail=stale"] == statuses
    assert 2 == len(source.calls)


async def test_what_is_stale_in_the_store_is_given_and_renewed(fleet: Fleet, source: ScriptedSource) -> None:
    """A replica that has nothing gives what the store has, stale as it is, and renews it meanwhile."""
    first, second, _ = fleet.replicas
    await first.cached.answer(DONE)
    source.put(NEWER)
    fleet.clock.tick(40.5)
    assert "hit; ttl=-8; detail=shared" == cache_status(await second.cached.answer(DONE))
    await settle()
    assert NEWER == (await second.cached.answer(DONE)).value
    assert [DONE, DONE] == source.taken()
