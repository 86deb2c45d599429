"""Who shares a call of the source with whom, who does not, and how long each of them waits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from service.answer import Answer
from service.cache.cached_source import CachedSource
from service.context import DEADLINE
from service.errors import UpstreamError, UpstreamTimeout
from service.tracking.runs import RunQuestion
from tests.cache.scripted import Clock, ScriptedSource, landed, settle
from tests.tracking.values import make_run

LIST = RunQuestion("0", None, None, 2)
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
    herd = [asyncio.create_task(cached.run("done")) for _ in range(1_000)]
    [call] = await source.until_asked(1)
    await settle()
    call.answer()
    readings = await asyncio.gather(*herd)
    assert [call] == source.calls
    assert ["fwd=miss", *["fwd=miss; collapsed"] * 999] == [reading.cache for reading in readings]
    assert {id(source.stored["done"])} == {id(reading.value) for reading in readings}


async def test_a_caller_who_leaves_ends_nothing(cached: CachedSource, source: ScriptedSource) -> None:
    """The first of several may hang up: the others get the answer that he asked for."""
    source.holds = True
    first, second = (asyncio.create_task(cached.run("done")) for _ in range(2))
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
    caller = asyncio.create_task(cached.run("done"))
    [call] = await source.until_asked(1)
    caller.cancel()
    await settle()
    call.answer()
    await landed(cached)
    assert "hit; ttl=32" == (await cached.run("done")).cache


async def test_a_failure_reaches_all_who_share_it(cached: CachedSource, source: ScriptedSource) -> None:
    """Those who share a call share its failure, and the next asks again."""
    source.holds = True
    callers = [asyncio.create_task(cached.run("done")) for _ in range(3)]
    [call] = await source.until_asked(1)
    await settle()
    error = UpstreamError("told to fail")
    call.fail(error)
    assert [error] * 3 == await asyncio.gather(*callers, return_exceptions=True)
    source.holds = False
    assert "fwd=miss" == (await cached.run("done")).cache


async def test_a_caller_out_of_time(cached: CachedSource, source: ScriptedSource) -> None:
    """A caller whose deadline passes gets UpstreamTimeout; the call goes on and serves the next."""
    source.holds = True
    with out_of_patience(), pytest.raises(UpstreamTimeout, match="did not answer in time"):
        await cached.run("done")
    source.calls[0].answer()
    await landed(cached)
    with out_of_patience():
        assert "hit; ttl=32" == (await cached.run("done")).cache
    assert 1 == len(source.calls)


async def test_a_caller_out_of_time_where_there_is_a_last_answer(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A caller whose deadline passes gets what was said last, as long as that may bridge a failure."""
    old = (await cached.run("done")).value
    source.holds = True
    clock.tick(192)
    with out_of_patience():
        assert Answer(old, 192.0, "hit; ttl=-160; detail=stale") == await cached.run("done")
    clock.tick(32 + 1024 - 192)
    with out_of_patience(), pytest.raises(UpstreamTimeout):
        await cached.run("done")


async def test_a_deadline_of_one_is_not_that_of_another(cached: CachedSource, source: ScriptedSource) -> None:
    """Who joins a call of somebody out of time waits for as long as he himself wants to."""
    source.holds = True
    with out_of_patience():
        hasty = asyncio.create_task(cached.run("done"))
    patient = asyncio.create_task(cached.run("done"))
    with pytest.raises(UpstreamTimeout):
        await hasty
    assert not patient.done()
    source.calls[0].answer()
    assert source.stored["done"] == (await patient).value


async def test_no_cache_asks_anew(cached: CachedSource, source: ScriptedSource, clock: Clock) -> None:
    """Past the memory even a fresh answer is asked for again, and the new one is remembered for all."""
    source.put(make_run("running"))
    anew = cached.past_memory()
    for ask, asked_anew in (
        (lambda: cached.run("done"), lambda: anew.run("done")),
        (lambda: cached.search(LIST), lambda: anew.search(LIST)),
        (lambda: cached.experiment("Default"), lambda: anew.experiment("Default")),
        (cached.experiments, anew.experiments),
    ):
        value = (await ask()).value
        clock.tick(1)
        source.taken()
        assert Answer(value, 0.0, "fwd=request") == await asked_anew()
        assert 1 == len(source.taken())
        again = await ask()
        assert (value, 0.0) == (again.value, again.age)
        assert [] == source.taken()


async def test_no_cache_for_several_runs(cached: CachedSource, source: ScriptedSource) -> None:
    """Past the memory each run of a comparison is asked for again, in the order asked for."""
    await cached.search(LIST)
    source.taken()
    source.put(NEWER)
    reading = await cached.past_memory().runs(["running", "nobody", "done"], "0")
    assert (source.stored["running"], None, NEWER) == reading.value
    assert "fwd=request" == reading.cache
    assert [("run", "running"), ("run", "nobody"), ("run", "done")] == source.taken()


async def test_no_cache_joins_no_earlier_call(cached: CachedSource, source: ScriptedSource) -> None:
    """What is answered past the memory was asked for after the question, by one call for all who want it."""
    source.holds = True
    usual = asyncio.create_task(cached.run("done"))
    await source.until_asked(1)
    source.put(NEWER)
    anew = [asyncio.create_task(cached.past_memory().run("done")) for _ in range(5)]
    await settle()
    assert 1 == len(source.calls)
    source.calls[0].answer()
    assert NEWER != (await usual).value
    await source.until_asked(2)
    source.calls[1].answer()
    assert [NEWER] * 5 == [reading.value for reading in await asyncio.gather(*anew)]
    assert 2 == len(source.calls)


async def test_no_cache_takes_no_old_answer(cached: CachedSource, source: ScriptedSource) -> None:
    """Past the memory a failure or a passed deadline is told; others still get the last answer."""
    await cached.run("done")
    source.fails = UpstreamError("told to fail")
    with pytest.raises(UpstreamError):
        await cached.past_memory().run("done")
    source.fails, source.holds = None, True
    with out_of_patience(), pytest.raises(UpstreamTimeout):
        await cached.past_memory().run("done")
    assert "hit; ttl=32" == (await cached.run("done")).cache
    assert 3 == len(source.calls)


async def test_how_questions_were_met_is_counted(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Each question counts once, as it was met; a failure counts besides."""
    source.holds = True
    callers = [asyncio.create_task(cached.run("done")) for _ in range(3)]
    (await source.until_asked(1))[0].answer()
    await asyncio.gather(*callers)
    source.holds = False
    await cached.run("done")
    await cached.past_memory().run("done")
    clock.tick(32)
    await cached.run("done")
    await landed(cached)
    clock.tick(192)
    source.fails = UpstreamError("told to fail")
    await cached.run("done")
    expected = {"miss": 2, "collapsed": 2, "hit": 1, "anew": 1, "stale": 1, "failed": 1}
    assert expected == cached.reads


async def test_the_end(cached: CachedSource, source: ScriptedSource) -> None:
    """At the end nothing is asked for any more: renewals, batches and those that callers wait for."""
    source.holds = True
    callers = [
        asyncio.create_task(cached.run("done")),
        asyncio.create_task(cached.search(LIST)),
        asyncio.create_task(cached.runs(["a", "b"], None)),
    ]
    calls = await source.until_asked(3)
    await cached.aclose()
    await settle()
    assert all(call.released.cancelled() for call in calls)
    assert all(caller.done() for caller in callers)
