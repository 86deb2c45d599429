"""Several runs at once, as a comparison reads them: what is asked, with whom it is shared, how old it is."""

import asyncio

import pytest

from service.answer import Answer, Origin
from service.cache.cached_source import CachedSource
from service.cache.revalidating_source import RevalidatingSource
from service.context import DEADLINE
from service.errors import UpstreamError, UpstreamTimeout
from service.http.cache_status import cache_status
from service.tracking.questions import GetRun, ListRuns
from service.tracking.runs import Run
from tests.cache.scripted import Clock, ScriptedSource, compared, gets, hit, landed, settle, stale
from tests.tracking.values import make_run

A, B, C, D = RUNS = [make_run(run_id) for run_id in "abcd"]


@pytest.fixture
def source() -> ScriptedSource:
    """Four runs that have ended."""
    return ScriptedSource(*RUNS)


def comparing(cached: CachedSource, *run_ids: str) -> asyncio.Task[Answer[tuple[Run | None, ...]]]:
    return asyncio.create_task(compared(cached, run_ids))


async def test_runs_that_are_not_known_are_one_call(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """All of a cold comparison is asked for together, where most of it is likely to be."""
    source.holds = True
    comparison = comparing(cached, "b", "d", "a")
    [call] = await source.until_asked(1)
    clock.tick(0.5)
    call.answer()
    assert Answer((B, D, A), 0.0, Origin.MISS, 0.5) == await comparison
    assert [gets("b", "d", "a")] == source.taken()
    assert {"miss": 3} == {result: number for result, number in cached.reads.items() if number}


async def test_only_what_is_lacking_is_asked(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Runs that are remembered are not asked for, and the answer is as old as the oldest."""
    await cached.answer(GetRun("b"))
    clock.tick(5)
    source.taken()
    assert hit((A, B, C), 5.0, 27.0) == await compared(cached, ["a", "b", "c"])
    assert [gets("a", "c")] == source.taken()


async def test_a_single_run_that_is_lacking_is_asked_alone(
    cached: CachedSource, source: ScriptedSource
) -> None:
    """One run is no batch."""
    await compared(cached, ["a", "b"])
    source.taken()
    assert (A, B, C) == (await compared(cached, ["a", "b", "c"])).value
    assert [GetRun("c")] == source.taken()


async def test_a_comparison_that_is_known_asks_nothing(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Fresh runs are one answer at once: the age of the oldest, the time that is left of the shortest."""
    source.put(active := make_run("active", status="RUNNING", end_time=None))
    await cached.answer(GetRun("a"))
    clock.tick(2)
    await cached.answer(GetRun("active"))
    clock.tick(1)
    source.taken()
    assert hit((active, A), 3.0, 3.0) == await compared(cached, ["active", "a"])
    assert hit((A, active), 3.0, 3.0) == await compared(cached, ["a", "active"])
    assert [] == source.taken()
    assert 4 == cached.reads["hit"]


async def test_what_a_comparison_brought_serves_others(cached: CachedSource, source: ScriptedSource) -> None:
    """After it each of its runs is known, and so is what does not exist."""
    assert (A, None, B) == (await compared(cached, ["a", "nobody", "b"])).value
    source.taken()
    assert hit(B, 0.0, 32.0) == await cached.answer(GetRun("b"))
    assert hit(None, 0.0, 2.0) == await cached.answer(GetRun("nobody"))
    assert hit((None, A), 0.0, 2.0) == await compared(cached, ["nobody", "a"])
    assert [] == source.taken()


async def test_what_is_in_the_air_is_joined(cached: CachedSource, source: ScriptedSource) -> None:
    """A run that somebody asks for already is not asked for once more."""
    source.holds = True
    opening = asyncio.create_task(cached.answer(GetRun("b")))
    await source.until_asked(1)
    comparison = comparing(cached, "a", "b", "c")
    await source.until_asked(2)
    assert [GetRun("b"), gets("a", "c")] == [call.asked for call in source.calls]
    source.calls[1].answer()
    await settle()
    assert not comparison.done()
    source.calls[0].answer()
    assert (A, B, C) == (await comparison).value
    assert B == (await opening).value
    assert (3, 1) == (cached.reads["miss"], cached.reads["collapsed"])


async def test_others_join_a_comparison(cached: CachedSource, source: ScriptedSource) -> None:
    """Who asks for a run of a comparison in the air shares its call, alone or with other runs."""
    source.holds = True
    first = comparing(cached, "a", "b")
    await source.until_asked(1)
    opening = asyncio.create_task(cached.answer(GetRun("a")))
    second = comparing(cached, "b", "c", "a", "d")
    await source.until_asked(2)
    assert gets("c", "d") == source.calls[1].asked
    for call in source.calls:
        call.answer()
    assert Answer(A, origin=Origin.COLLAPSED) == await opening
    assert (B, C, A, D) == (await second).value
    assert Answer((A, B), 0.0, Origin.MISS) == await first


async def test_a_stale_run_is_given_and_renewed(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A comparison does not wait for a run that is merely stale; it says so, and renews it."""
    await cached.answer(GetRun("a"))
    clock.tick(40)
    source.taken()
    source.holds = True
    comparison = comparing(cached, "a", "b", "c")
    await source.until_asked(2)
    renewal = next(call for call in source.calls if call.asked == GetRun("a"))
    assert renewal.is_renewal
    clock.tick(2)
    next(call for call in source.calls if call.asked == gets("b", "c")).answer()
    assert stale((A, B, C), 42.0, -8.0, 2.0) == await comparison
    renewal.answer()
    await landed(cached)
    assert 0.0 == (await cached.answer(GetRun("a"))).age


async def test_a_comparison_ages_while_it_waits(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Its age is the oldest run's at the moment of the answer, however long the last one was waited for."""
    source.holds = True
    opening = asyncio.create_task(cached.answer(GetRun("a")))
    await source.until_asked(1)
    comparison = comparing(cached, "a", "b", "c")
    first, second = await source.until_asked(2)
    clock.tick(1)
    first.answer()
    await opening
    await settle()
    clock.tick(4)
    second.answer()
    assert Answer((A, B, C), 4.0, Origin.COLLAPSED, 5.0) == await comparison


async def test_a_comparison_that_fails(cached: CachedSource, source: ScriptedSource, clock: Clock) -> None:
    """A run that MLflow cannot be asked for fails the comparison, and is asked for again by the next."""
    await cached.answer(GetRun("a"))
    source.fails = error = UpstreamError("told to fail")
    with pytest.raises(UpstreamError) as caught:
        await compared(cached, ["a", "b", "c"])
    assert error is caught.value
    source.fails = None
    source.taken()
    assert (A, B, C) == (await compared(cached, ["a", "b", "c"])).value
    assert [gets("b", "c")] == source.taken()


async def test_a_failure_is_bridged_run_by_run(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Where MLflow fails, a comparison of runs that were known once is answered with what it said last."""
    await compared(cached, ["a", "b"])
    clock.tick(192)
    source.taken()
    source.fails = UpstreamError("told to fail")
    expected = stale((B, A), 192.0, -160.0)
    assert expected == await compared(cached, ["b", "a"])
    assert expected == await compared(cached, ["b", "a"])
    assert [gets("b", "a")] == source.taken()


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
    assert "hit; ttl=32" == cache_status(await cached.answer(GetRun("a")))


async def test_a_caller_out_of_time_gets_no_half_answer(cached: CachedSource, source: ScriptedSource) -> None:
    """A comparison whose deadline passes fails as a whole; its call goes on."""
    await cached.answer(GetRun("a"))
    source.holds = True
    token = DEADLINE.set(asyncio.get_running_loop().time())
    with pytest.raises(UpstreamTimeout):
        await compared(cached, ["a", "b", "c"])
    DEADLINE.reset(token)
    source.calls[1].answer()
    await landed(cached)
    assert "hit; ttl=32" == cache_status(await compared(cached, ["a", "b", "c"]))


async def test_a_late_comparison_overwrites_nothing(cached: CachedSource, source: ScriptedSource) -> None:
    """What a comparison brings that was asked for before a newer answer leaves that as it is."""
    source.holds = True
    comparison = comparing(cached, "a", "b")
    [call] = await source.until_asked(1)
    newer = make_run("a", start_time=9, metrics={"m": 1.0})
    source.put(newer)
    source.holds = False
    await cached.answer(ListRuns("7", None, None, 1))
    call.answer()
    assert (newer, B) == (await comparison).value
    assert newer == (await cached.answer(GetRun("a"))).value


async def test_a_comparison_that_is_known_follows_what_is_learnt(
    cached: CachedSource, source: ScriptedSource
) -> None:
    """What was found together is looked up again as soon as any run of it is another."""
    for _ in range(2):
        assert (A, B) == (await compared(cached, ["a", "b"])).value
    source.put(renamed := make_run("b", metrics={"sharpe": 2.0}))
    await RevalidatingSource(cached).answer(GetRun("b"))
    for _ in range(2):
        assert (A, renamed) == (await compared(cached, ["a", "b"])).value
