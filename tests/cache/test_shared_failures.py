"""Where the store fails, callers get what they would get without it; and what they get where MLflow fails."""

import asyncio
import random
from typing import Any

import pytest

from service.answer import Origin
from service.cache.shared_keys import MOST_BYTES, SharedKeys
from service.errors import UpstreamError, UpstreamNotAsked
from service.tracking.history import NO_POINTS, GetHistory
from service.tracking.questions import GetRun, ListRuns, RunPage, SearchRuns
from tests.cache.fleet import Fleet, value_of
from tests.cache.scripted import ScriptedSource, settle
from tests.cache.test_shared_flights import asked_by_all, values_of
from tests.fakes.chaotic_store import Chaos, ChaoticStore
from tests.tracking.values import make_run

DONE = GetRun("done")
NEWER = make_run("done", metrics={"m": 1.0})


async def test_a_store_that_fails_is_a_miss(fleet: Fleet, source: ScriptedSource) -> None:
    """A replica whose store fails asks MLflow, and answers as without a store."""
    replica = fleet.add(around=lambda store: ChaoticStore(store, Chaos(error=1.0), random.Random(0)))
    assert source.stored["done"] == (await replica.cached.answer(DONE)).value
    assert source.stored["done"] == (await replica.anew.answer(DONE)).value
    assert [DONE, DONE] == source.taken()
    assert 2 == replica.shared.outcomes["alone"]


async def test_a_detached_replica_asks_by_itself(fleet: Fleet, source: ScriptedSource) -> None:
    """A replica without the store asks MLflow, and shares again once the store is back."""
    first, second, _ = fleet.replicas
    first.link.detach()
    await first.cached.answer(DONE)
    await second.cached.answer(DONE)
    assert [DONE, DONE] == source.taken()
    first.link.attached = True
    await first.cached.answer(GetRun("running"))
    await second.cached.answer(GetRun("running"))
    assert [GetRun("running")] == source.taken()


async def test_an_emptied_store_is_filled_again(fleet: Fleet, source: ScriptedSource) -> None:
    """After the store was emptied, memories stay as they are, and the next answers are shared."""
    first, second, third = fleet.replicas
    await first.cached.answer(DONE)
    fleet.server.empty()
    await first.cached.answer(DONE)
    await second.cached.answer(DONE)
    await third.cached.answer(DONE)
    assert [DONE, DONE] == source.taken()


@pytest.mark.parametrize(
    "data",
    [b"\xc1", b"{}", b"\x93\x01\x02\x03", SharedKeys("http://mlflow").wrap(GetRun("running"), NEWER)],
    ids=["rubbish", "json", "three", "of another question"],
)
async def test_what_is_no_answer_is_replaced(fleet: Fleet, source: ScriptedSource, data: bytes) -> None:
    """Data that are no answer to their question are counted, and replaced by what MLflow answers."""
    first, second, third = fleet.replicas
    await first.cached.answer(DONE)
    [key] = fleet.server.values
    fleet.server.values[key] = fleet.server.values[key]._replace(data=data)
    source.taken()
    assert source.stored["done"] == (await second.cached.answer(DONE)).value
    assert source.stored["done"] == (await third.cached.answer(DONE)).value
    assert [DONE] == source.taken()
    assert 1 == second.shared.unreadable


async def test_two_formats_side_by_side(fleet: Fleet, source: ScriptedSource, monkeypatch: Any) -> None:
    """Replicas of another format of data neither read nor replace the answers of these."""
    first, second, _ = fleet.replicas
    await first.cached.answer(DONE)
    source.put(NEWER)
    with monkeypatch.context() as patch:
        patch.setattr("service.cache.shared_keys.FORMAT", 99)
        other = fleet.add()
        assert NEWER == (await other.cached.answer(DONE)).value
    assert NEWER != (await second.cached.answer(DONE)).value
    assert 2 == len(fleet.server.values)


async def test_two_servers_share_no_answers(fleet: Fleet, source: ScriptedSource) -> None:
    """Replicas of another MLflow that use the same store have answers of their own."""
    await fleet.replicas[0].cached.answer(DONE)
    source.put(NEWER)
    other = fleet.add(keys=SharedKeys("http://another"))
    assert NEWER == (await other.cached.answer(DONE)).value


async def test_a_large_answer_is_not_shared(fleet: Fleet, source: ScriptedSource) -> None:
    """An answer larger than the store takes is asked for by each replica, which waits for no other."""
    source.put(large := make_run("large", tags={"note": "x" * MOST_BYTES}))
    for replica in fleet.replicas:
        assert large == (await replica.cached.answer(GetRun("large"))).value
    assert 3 * [GetRun("large")] == source.taken()
    assert MOST_BYTES > sum(len(value.data) for value in fleet.server.values.values())


@pytest.mark.parametrize(
    ("question", "value"),
    [(SearchRuns(("0",)), RunPage(())), (GetHistory("done", "m", ended=True), NO_POINTS)],
    ids=["a page of a search", "a history"],
)
async def test_what_is_not_worth_sharing(
    fleet: Fleet, source: ScriptedSource, question: Any, value: Any
) -> None:
    """Pages of searches and histories are asked for by each replica, and are not stored."""
    source.others[question] = value
    for replica in fleet.replicas:
        assert value == (await replica.cached.answer(question)).value
    [answer, run] = await fleet.replicas[0].anew.answer_many([question, DONE])
    assert (value, source.stored["done"]) == (answer.value, run.value)
    assert 1 == len(fleet.server.values)


async def test_the_last_answer_of_the_store_bridges_a_failure(fleet: Fleet, source: ScriptedSource) -> None:
    """A replica that has nothing gives the last answer of another where MLflow fails, and says so."""
    await fleet.replicas[0].cached.answer(DONE)
    fleet.clock.tick(500)
    source.fails = UpstreamError("told to fail")
    answer = await fleet.replicas[1].cached.answer(DONE)
    assert (source.stored["done"], Origin.STALE, 500) == (answer.value, answer.origin, round(answer.age))
    fleet.clock.tick(32 + 1024.1 - 500)
    with pytest.raises(UpstreamError):
        await fleet.replicas[2].cached.answer(DONE)


async def test_a_failing_mlflow_is_asked_once(fleet: Fleet, source: ScriptedSource) -> None:
    """After a failure no other replica asks for a quarter of a second: callers get the last answer."""
    await fleet.replicas[0].cached.answer(DONE)
    fleet.clock.tick(500)
    source.fails = UpstreamError("told to fail")
    source.taken()
    answers = [await replica.cached.answer(DONE) for replica in fleet.replicas]
    assert 3 * [Origin.STALE] == [answer.origin for answer in answers]
    assert [DONE] == source.taken()
    fleet.clock.tick(0.3)
    await fleet.replicas[2].cached.answer(DONE)
    assert [DONE] == source.taken()


async def test_a_caller_with_patience_gets_a_true_error(fleet: Fleet, source: ScriptedSource) -> None:
    """Where there is no last answer, each replica gets an error of a call of its own, one after another."""
    source.holds = True
    callers = await asked_by_all(fleet, DONE)
    error, other, last = UpstreamError("one"), UpstreamError("two"), UpstreamError("three")
    source.calls[0].fail(error)
    await settle()
    assert [True, False, False] == [caller.done() for caller in callers]
    assert 1 == len(source.calls)
    await fleet.passes(0.5)
    source.calls[1].fail(other)
    await fleet.passes(0.5)
    source.calls[2].fail(last)
    await settle()
    assert {error, other, last} == set(await asyncio.gather(*callers, return_exceptions=True))


async def test_who_does_not_ask_keeps_nobody_from_asking(fleet: Fleet, source: ScriptedSource) -> None:
    """A replica that may not ask MLflow leaves no mark: another asks at once."""
    source.holds = True
    callers = await asked_by_all(fleet, DONE)
    source.calls[0].fail(UpstreamNotAsked("the breaker is open"))
    await settle()
    assert 2 == len(source.calls)
    source.release()
    assert 2 * [source.stored["done"]] == await values_of(*callers[1:])


async def test_no_cache_takes_no_old_answer_of_the_store(fleet: Fleet, source: ScriptedSource) -> None:
    """Who wants MLflow's own word is told of a failure, whatever the store has."""
    await fleet.replicas[0].cached.answer(DONE)
    source.fails = UpstreamError("told to fail")
    with pytest.raises(UpstreamError):
        await fleet.replicas[1].anew.answer(DONE)
    assert value_of(fleet.replicas[0].held(DONE)) == source.stored["done"]


async def test_a_failure_reaches_nobody_who_asks_something_else(fleet: Fleet, source: ScriptedSource) -> None:
    """A failure of one question is that of no other, on whichever replica."""
    source.holds = True
    [failing, *_] = await asked_by_all(fleet, DONE)
    others = await asked_by_all(fleet, ListRuns("0", None, None, 2))
    source.calls[0].fail()
    source.calls[1].answer()
    assert 3 * [source.look(ListRuns("0", None, None, 2))] == await values_of(*others)
    with pytest.raises(UpstreamError):
        await failing
    source.release()
