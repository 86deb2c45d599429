"""Several runs at once, as a comparison reads them: what is asked, with whom it is shared, how old it is."""

import asyncio
import itertools

import pytest

from service.answer import Answer
from service.cache.cached_source import CachedSource
from service.context import DEADLINE
from service.errors import UpstreamError, UpstreamTimeout
from service.tracking.runs import Run, RunQuestion
from tests.cache.scripted import Clock, ScriptedSource, landed, settle
from tests.tracking.values import make_run

A, B, C, D = RUNS = [make_run(run_id) for run_id in "abcd"]


@pytest.fixture
def source() -> ScriptedSource:
    """Four runs that have ended."""
    return ScriptedSource(*RUNS)


def comparing(cached: CachedSource, *run_ids: str) -> asyncio.Task[Answer[tuple[Run | None, ...]]]:
    return asyncio.create_task(cached.runs(run_ids, "7"))


async def test_runs_that_are_not_known_are_one_call(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """All of a cold comparison is asked for together, where most of it is likely to be."""
    source.holds = True
    compared = comparing(cached, "b", "d", "a")
    [call] = await source.until_asked(1)
    clock.tick(0.5)
    call.answer()
    assert Answer((B, D, A), 0.0, "fwd=miss", 0.5) == await compared
    assert [("runs", ("b", "d", "a"), "7")] == source.taken()
    assert {"miss": 3} == {result: number for result, number in cached.reads.items() if number}


async def test_only_what_is_lacking_is_asked(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Runs that are remembered are not asked for, and the answer is as old as the oldest."""
    await cached.run("b")
    clock.tick(5)
    source.taken()
    assert Answer((A, B, C), 5.0, "hit; ttl=27") == await cached.runs(["a", "b", "c"], None)
    assert [("runs", ("a", "c"), None)] == source.taken()


async def test_a_single_run_that_is_lacking_is_asked_alone(
    cached: CachedSource, source: ScriptedSource
) -> None:
    """One run is no batch."""
    await cached.runs(["a", "b"], "7")
    source.taken()
    assert (A, B, C) == (await cached.runs(["a", "b", "c"], "7")).value
    assert [("run", "c")] == source.taken()


async def test_a_comparison_that_is_known_asks_nothing(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Fresh runs are one answer at once: the age of the oldest, the time that is left of the shortest."""
    source.put(active := make_run("active", status="RUNNING", end_time=None))
    await cached.run("a")
    clock.tick(2)
    await cached.run("active")
    clock.tick(1)
    source.taken()
    assert Answer((active, A), 3.0, "hit; ttl=3") == await cached.runs(["active", "a"], "7")
    assert Answer((A, active), 3.0, "hit; ttl=3") == await cached.runs(["a", "active"], "7")
    assert [] == source.taken()
    assert 4 == cached.reads["hit"]


async def test_what_a_comparison_brought_serves_others(cached: CachedSource, source: ScriptedSource) -> None:
    """After it each of its runs is known, and so is what does not exist."""
    assert (A, None, B) == (await cached.runs(["a", "nobody", "b"], "7")).value
    source.taken()
    assert Answer(B, 0.0, "hit; ttl=32") == await cached.run("b")
    assert Answer(None, 0.0, "hit; ttl=2") == await cached.run("nobody")
    assert Answer((None, A), 0.0, "hit; ttl=2") == await cached.runs(["nobody", "a"], "7")
    assert [] == source.taken()


async def test_what_is_in_the_air_is_joined(cached: CachedSource, source: ScriptedSource) -> None:
    """A run that somebody asks for already is not asked for once more."""
    source.holds = True
    opening = asyncio.create_task(cached.run("b"))
    await source.until_asked(1)
    compared = comparing(cached, "a", "b", "c")
    await source.until_asked(2)
    assert [("run", "b"), ("runs", ("a", "c"), "7")] == [call.asked for call in source.calls]
    source.calls[1].answer()
    await settle()
    assert not compared.done()
    source.calls[0].answer()
    assert (A, B, C) == (await compared).value
    assert B == (await opening).value
    assert (3, 1) == (cached.reads["miss"], cached.reads["collapsed"])


async def test_others_join_a_comparison(cached: CachedSource, source: ScriptedSource) -> None:
    """Who asks for a run of a comparison in the air shares its call, alone or with other runs."""
    source.holds = True
    first = comparing(cached, "a", "b")
    await source.until_asked(1)
    opening = asyncio.create_task(cached.run("a"))
    second = comparing(cached, "b", "c", "a", "d")
    await source.until_asked(2)
    assert ("runs", ("c", "d"), "7") == source.calls[1].asked
    for call in source.calls:
        call.answer()
    assert Answer(A, 0.0, "fwd=miss; collapsed") == await opening
    assert (B, C, A, D) == (await second).value
    assert Answer((A, B), 0.0, "fwd=miss") == await first


async def test_a_stale_run_is_given_and_renewed(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A comparison does not wait for a run that is merely stale; it says so, and renews it."""
    await cached.run("a")
    clock.tick(40)
    source.taken()
    source.holds = True
    compared = comparing(cached, "a", "b", "c")
    await source.until_asked(2)
    renewal = next(call for call in source.calls if call.asked == ("run", "a"))
    assert renewal.is_renewal
    clock.tick(2)
    next(call for call in source.calls if call.asked == ("runs", ("b", "c"), "7")).answer()
    assert Answer((A, B, C), 42.0, "hit; ttl=-8; detail=stale", 2.0) == await compared
    renewal.answer()
    await landed(cached)
    assert 0.0 == (await cached.run("a")).age


async def test_a_comparison_ages_while_it_waits(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Its age is the oldest run's at the moment of the answer, however long the last one was waited for."""
    source.holds = True
    opening = asyncio.create_task(cached.run("a"))
    await source.until_asked(1)
    compared = comparing(cached, "a", "b", "c")
    first, second = await source.until_asked(2)
    clock.tick(1)
    first.answer()
    await opening
    await settle()
    clock.tick(4)
    second.answer()
    assert Answer((A, B, C), 4.0, "fwd=miss; collapsed", 5.0) == await compared


async def test_a_comparison_that_fails(cached: CachedSource, source: ScriptedSource, clock: Clock) -> None:
    """A run that MLflow cannot be asked for fails the comparison, and is asked for again by the next."""
    await cached.run("a")
    source.fails = error = UpstreamError("told to fail")
    with pytest.raises(UpstreamError) as caught:
        await cached.runs(["a", "b", "c"], "7")
    assert error is caught.value
    source.fails = None
    source.taken()
    assert (A, B, C) == (await cached.runs(["a", "b", "c"], "7")).value
    assert [("runs", ("b", "c"), "7")] == source.taken()


async def test_a_failure_is_bridged_run_by_run(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Where MLflow fails, a comparison of runs that were known once is answered with what it said last."""
    await cached.runs(["a", "b"], "7")
    clock.tick(192)
    source.taken()
    source.fails = UpstreamError("told to fail")
    expected = Answer((B, A), 192.0, "hit; ttl=-160; detail=stale")
    assert expected == await cached.runs(["b", "a"], "7")
    assert expected == await cached.runs(["b", "a"], "7")
    assert [("runs", ("b", "a"), "7")] == source.taken()


async def test_a_caller_who_leaves_ends_no_comparison(cached: CachedSource, source: ScriptedSource) -> None:
    """The runs that he asked for still come, for those who joined and those who come later."""
    source.holds = True
    first = comparing(cached, "a", "b")
    await source.until_asked(1)
    second = comparing(cached, "b", "a")
    await settle()
    first.cancel()
    await settle()
    source.calls[0].answer()
    assert (B, A) == (await second).value
    assert 1 == len(source.calls)
    assert "hit; ttl=32" == (await cached.run("a")).cache


async def test_a_caller_out_of_time_gets_no_half_answer(cached: CachedSource, source: ScriptedSource) -> None:
    """A comparison whose deadline passes fails as a whole; its call goes on."""
    await cached.run("a")
    source.holds = True
    token = DEADLINE.set(asyncio.get_running_loop().time())
    with pytest.raises(UpstreamTimeout):
        await cached.runs(["a", "b", "c"], "7")
    DEADLINE.reset(token)
    source.calls[1].answer()
    await landed(cached)
    assert "hit; ttl=32" == (await cached.runs(["a", "b", "c"], "7")).cache


async def test_a_late_comparison_overwrites_nothing(cached: CachedSource, source: ScriptedSource) -> None:
    """What a comparison brings that was asked for before a newer answer leaves that as it is."""
    source.holds = True
    compared = comparing(cached, "a", "b")
    [call] = await source.until_asked(1)
    newer = make_run("a", start_time=9, metrics={"m": 1.0})
    source.put(newer)
    source.holds = False
    await cached.search(RunQuestion("7", None, None, 1))
    call.answer()
    assert (newer, B) == (await compared).value
    assert newer == (await cached.run("a")).value


async def test_a_comparison_that_is_known_follows_what_is_learnt(
    cached: CachedSource, source: ScriptedSource
) -> None:
    """What was found together is looked up again as soon as any run of it is another."""
    for _ in range(2):
        assert (A, B) == (await cached.runs(["a", "b"], "7")).value
    source.put(renamed := make_run("b", metrics={"sharpe": 2.0}))
    await cached.past_memory().run("b")
    for _ in range(2):
        assert (A, renamed) == (await cached.runs(["a", "b"], "7")).value


async def test_few_comparisons_are_at_hand(
    cached: CachedSource, source: ScriptedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are asked for, a few are kept at hand, and all are answered from memory."""
    monkeypatch.setattr("service.cache.cached_source._MOST_TOGETHER", 2)
    await cached.runs(["a", "b", "c", "d"], "7")
    source.taken()
    for pair in itertools.permutations(RUNS, 2):
        assert pair == (await cached.runs([run.run_id for run in pair], "7")).value
        assert len(cached._found_together) <= 2
    assert [] == source.taken()
