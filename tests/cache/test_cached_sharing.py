"""Who shares a call of the source with whom, who does not, and how long each of them waits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from service.answer import Answer, Origin
from service.cache.cached_source import CachedSource
from service.cache.revalidating_source import RevalidatingSource
from service.context import DEADLINE
from service.errors import UpstreamError, UpstreamTimeout
from service.http.cache_status import cache_status
from service.tracking.questions import GetExperiment, GetRun, ListExperiments, ListRuns, Question
from tests.cache.scripted import Clock, ScriptedSource, compared, gets, landed, settle, stale
from tests.tracking.values import make_run

LIST = ListRuns("0", None, None, 2)
NEWER = make_run("done", metrics={"m": 1.0})


@contextmanager
def out_of_patience() -> Iterator[None]:
    """Callers who give up at once."""
    token = DEADLINE.set(asyncio.get_running_loop().time())
    try:
        yield
    finally:
        DEADLINE.reset(token)


async def test_a_herd_is_one_call(cached: CachedSource, source: ScriptedSource) -> None:
    """A thousand who ask the same at once ask once, and all but the first are told that they shared."""
    source.holds = True
    herd = [asyncio.create_task(cached.answer(GetRun("done"))) for _ in range(1_000)]
    [call] = await source.until_asked(1)
    await settle()
    call.answer()
    answers = await asyncio.gather(*herd)
    assert [call] == source.calls
    assert ["fwd=miss", *["fwd=miss; collapsed"] * 999] == [cache_status(answer) for answer in answers]
    assert {id(source.stored["done"])} == {id(answer.value) for answer in answers}


async def test_a_caller_who_leaves_ends_nothing(cached: CachedSource, source: ScriptedSource) -> None:
    """The first of several may hang up: the others get the answer that he asked for."""
    source.holds = True
    first, second = (asyncio.create_task(cached.answer(GetRun("done"))) for _ in range(2))
    [call] = await source.until_asked(1)
    await settle()
    first.cancel()
    await settle()
    call.answer()
    assert source.stored["done"] == (await second).value
    assert [call] == source.calls


async def test_what_nobody_waited_for_is_remembered(cached: CachedSource, source: ScriptedSource) -> None:
    """The answer to a question whose only caller left serves those who ask next."""
    source.holds = True
    caller = asyncio.create_task(cached.answer(GetRun("done")))
    [call] = await source.until_asked(1)
    caller.cancel()
    await settle()
    call.answer()
    await landed(cached)
    assert "hit; ttl=32" == cache_status(await cached.answer(GetRun("done")))


async def test_a_failure_reaches_all_who_share_it(cached: CachedSource, source: ScriptedSource) -> None:
    """Those who share a call share its failure, and the next asks again."""
    source.holds = True
    callers = [asyncio.create_task(cached.answer(GetRun("done"))) for _ in range(3)]
    [call] = await source.until_asked(1)
    await settle()
    error = UpstreamError("told to fail")
    call.fail(error)
    assert [error] * 3 == await asyncio.gather(*callers, return_exceptions=True)
    source.holds = False
    assert "fwd=miss" == cache_status(await cached.answer(GetRun("done")))


async def test_a_caller_out_of_time(cached: CachedSource, source: ScriptedSource) -> None:
    """A caller whose deadline passes gets UpstreamTimeout; the call goes on and serves the next."""
    source.holds = True
    with out_of_patience(), pytest.raises(UpstreamTimeout, match="did not answer in time"):
        await cached.answer(GetRun("done"))
    source.calls[0].answer()
    await landed(cached)
    with out_of_patience():
        assert "hit; ttl=32" == cache_status(await cached.answer(GetRun("done")))
    assert 1 == len(source.calls)


async def test_a_caller_out_of_time_where_there_is_a_last_answer(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A caller whose deadline passes gets what was said last, as long as that may bridge a failure."""
    old = (await cached.answer(GetRun("done"))).value
    source.holds = True
    clock.tick(192)
    with out_of_patience():
        assert stale(old, 192.0, -160.0) == await cached.answer(GetRun("done"))
    clock.tick(32 + 1024 - 192)
    with out_of_patience(), pytest.raises(UpstreamTimeout):
        await cached.answer(GetRun("done"))


async def test_a_deadline_of_one_is_not_that_of_another(cached: CachedSource, source: ScriptedSource) -> None:
    """Who joins a call of somebody out of time waits for as long as he himself wants to."""
    source.holds = True
    with out_of_patience():
        hasty = asyncio.create_task(cached.answer(GetRun("done")))
    patient = asyncio.create_task(cached.answer(GetRun("done")))
    with pytest.raises(UpstreamTimeout):
        await hasty
    assert not patient.done()
    source.calls[0].answer()
    assert source.stored["done"] == (await patient).value


async def test_revalidating_asks_again(cached: CachedSource, source: ScriptedSource, clock: Clock) -> None:
    """Who revalidates asks again even for what is fresh, and the new answer is remembered for all."""
    source.put(make_run("running"))
    questions: list[Question[Any]] = [GetRun("done"), LIST, GetExperiment("Default"), ListExperiments()]
    for question in questions:
        value = (await cached.answer(question)).value
        clock.tick(1)
        source.taken()
        expected = Answer(value, 0.0, Origin.FORCED)
        assert expected == await RevalidatingSource(cached).answer(question)
        assert [question] == source.taken()
        again = await cached.answer(question)
        assert (value, 0.0) == (again.value, again.age)
        assert [] == source.taken()


async def test_revalidating_several_runs_is_one_call(cached: CachedSource, source: ScriptedSource) -> None:
    """Who revalidates several runs asks for all of them by one call, in the order asked for."""
    await cached.answer(LIST)
    source.taken()
    source.put(NEWER)
    answer = await compared(RevalidatingSource(cached), ["running", "nobody", "done"])
    assert (source.stored["running"], None, NEWER) == answer.value
    assert "fwd=request" == cache_status(answer)
    assert [gets("running", "nobody", "done")] == source.taken()


async def test_revalidating_joins_no_earlier_call(cached: CachedSource, source: ScriptedSource) -> None:
    """A revalidated answer was asked for after the question, by one call for all who want it."""
    source.holds = True
    usual = asyncio.create_task(cached.answer(GetRun("done")))
    await source.until_asked(1)
    source.put(NEWER)
    revalidating = [asyncio.create_task(RevalidatingSource(cached).answer(GetRun("done"))) for _ in range(5)]
    await settle()
    assert 1 == len(source.calls)
    source.calls[0].answer()
    assert NEWER != (await usual).value
    await source.until_asked(2)
    source.calls[1].answer()
    assert [NEWER] * 5 == [answer.value for answer in await asyncio.gather(*revalidating)]
    assert 2 == len(source.calls)


async def test_revalidating_takes_no_old_answer(cached: CachedSource, source: ScriptedSource) -> None:
    """Who revalidates is told of a failure or a passed deadline; others still get the last answer."""
    await cached.answer(GetRun("done"))
    source.fails = UpstreamError("told to fail")
    with pytest.raises(UpstreamError):
        await RevalidatingSource(cached).answer(GetRun("done"))
    source.fails, source.holds = None, True
    with out_of_patience(), pytest.raises(UpstreamTimeout):
        await RevalidatingSource(cached).answer(GetRun("done"))
    assert "hit; ttl=32" == cache_status(await cached.answer(GetRun("done")))
    assert 3 == len(source.calls)


async def test_how_questions_were_met_is_counted(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Each question counts once, as it was met; a failure counts besides."""
    source.holds = True
    callers = [asyncio.create_task(cached.answer(GetRun("done"))) for _ in range(3)]
    (await source.until_asked(1))[0].answer()
    await asyncio.gather(*callers)
    source.holds = False
    await cached.answer(GetRun("done"))
    await RevalidatingSource(cached).answer(GetRun("done"))
    clock.tick(32)
    await cached.answer(GetRun("done"))
    await landed(cached)
    clock.tick(192)
    source.fails = UpstreamError("told to fail")
    await cached.answer(GetRun("done"))
    expected = {"miss": 2, "collapsed": 2, "hit": 1, "anew": 1, "stale": 1, "failed": 1}
    assert expected == cached.reads


async def test_the_end(cached: CachedSource, source: ScriptedSource) -> None:
    """At the end nothing is asked for any more: renewals, batches and those that callers wait for."""
    source.holds = True
    callers = [
        asyncio.create_task(cached.answer(GetRun("done"))),
        asyncio.create_task(cached.answer(LIST)),
        asyncio.create_task(compared(cached, ["a", "b"])),
    ]
    calls = await source.until_asked(3)
    await cached.aclose()
    await settle()
    assert all(call.released.cancelled() for call in calls)
    assert all(caller.done() for caller in callers)
