"""Who shares a call of the source with whom, who does not, and how long each of them waits."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, contextmanager

import pytest

from service.errors import UpstreamError, UpstreamTimeout
from service.tracking.cached_source import CachedSource
from service.tracking.memory import Memory
from service.tracking.runs import RunQuestion
from service.tracking.source import PATIENCE_ENDS, Reading
from tests.tracking.scripted import FRESHNESS, NEVER_FRESH, Clock, ScriptedSource, caching, landed, settle
from tests.tracking.values import make_run

LIST = RunQuestion("0", None, None, 2)
NEWER = make_run("done", metrics={"m": 1.0})


@contextmanager
def out_of_patience() -> Iterator[None]:
    """Callers who give up at once."""
    token = PATIENCE_ENDS.set(asyncio.get_running_loop().time())
    try:
        yield
    finally:
        PATIENCE_ENDS.reset(token)


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
        assert Reading(old, 192.0, "hit; ttl=-160; detail=stale") == await cached.run("done")
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
        assert Reading(value, 0.0, "fwd=request") == await asked_anew()
        assert 1 == len(source.taken())
        assert (value, 0.0) == (await ask())[:2]
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


async def test_without_windows_every_question_is_asked(source: ScriptedSource, clock: Clock) -> None:
    """With all windows at 0 each question is a call, be it asked at the very same moment."""
    async with aclosing(caching(source, clock, NEVER_FRESH)) as cached:
        for _ in range(3):
            assert "fwd=" in (await cached.run("done")).cache
            await cached.search(LIST)
            await cached.experiment("Default")
            await cached.runs(["done", "running"], None)
    kinds = [call.asked[0] for call in source.calls]
    assert ["run", "search", "experiment", "runs"] * 3 == kinds


async def test_without_windows_those_at_once_share(source: ScriptedSource, clock: Clock) -> None:
    """With all windows at 0 those who ask while the same is in the air still share it."""
    async with aclosing(caching(source, clock, NEVER_FRESH)) as cached:
        source.holds = True
        callers = [asyncio.create_task(cached.run("done")) for _ in range(10)]
        [call] = await source.until_asked(1)
        await settle()
        call.answer()
        assert [source.stored["done"]] * 10 == [reading.value for reading in await asyncio.gather(*callers)]
        assert [call] == source.calls


async def test_without_windows_a_failure_is_told(source: ScriptedSource, clock: Clock) -> None:
    """With all windows at 0 no old answer bridges a failure, and it is asked again at once."""
    async with aclosing(caching(source, clock, NEVER_FRESH)) as cached:
        await cached.run("done")
        source.fails = UpstreamError("told to fail")
        for _ in range(2):
            with pytest.raises(UpstreamError):
                await cached.run("done")
    assert 3 == len(source.calls)


@pytest.mark.parametrize(
    ("window", "age", "expected"),
    [
        ("revalidate_factor", 32, "fwd=stale"),
        ("stale_if_error", 192, "error"),
        ("missing_ttl", 0, "fwd=stale"),
    ],
)
async def test_one_window_at_0(
    source: ScriptedSource, clock: Clock, window: str, age: float, expected: str
) -> None:
    """At 0, one window is switched off: no renewal behind the back, no bridge, no word on gaps."""
    run_id = "nobody" if window == "missing_ttl" else "done"
    async with aclosing(caching(source, clock, FRESHNESS._replace(**{window: 0.0}))) as cached:
        await cached.run(run_id)
        clock.tick(age)
        if expected == "error":
            source.fails = UpstreamError("told to fail")
            with pytest.raises(UpstreamError):
                await cached.run(run_id)
        else:
            assert expected == (await cached.run(run_id)).cache
    assert 2 == len(source.calls)


async def test_what_may_be_renewed_may_bridge(source: ScriptedSource, clock: Clock) -> None:
    """Without stale-if-error an answer still bridges failures for as long as it is given while renewed."""
    async with aclosing(caching(source, clock, FRESHNESS._replace(stale_if_error=0.0))) as cached:
        old = (await cached.run("done")).value
        source.fails = UpstreamError("told to fail")
        for seconds in (100, 0.5, 91.25):
            clock.tick(seconds)
            assert old == (await cached.run("done")).value
            await landed(cached)
        clock.tick(1)
        with pytest.raises(UpstreamError):
            await cached.run("done")


async def test_without_room_every_question_is_asked(source: ScriptedSource, clock: Clock) -> None:
    """A memory of no bytes changes how often is asked, not what is answered."""
    async with aclosing(CachedSource(source, Memory(0), FRESHNESS, clock)) as cached:
        for _ in range(2):
            assert source.stored["done"] == (await cached.run("done")).value
            assert ["running", "done"] == [run.run_id for run in (await cached.search(LIST)).value]
            assert [None, "done"] == [
                run and run.run_id for run in (await cached.runs(["nobody", "done"], None)).value
            ]
    assert 6 == len(source.calls)


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
