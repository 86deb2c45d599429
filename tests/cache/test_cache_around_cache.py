"""A source that remembers, around another that remembers: ages stay true."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from service.answer import Answer, Origin
from service.cache.cached_source import CachedSource
from service.errors import UpstreamError
from service.tracking.questions import GetRun, ListRuns
from tests.cache.scripted import FRESHNESS, Clock, ScriptedSource, caching, compared, hit, landed, stale
from tests.tracking.values import make_run

ALL = ListRuns("0", None, None, 10)
DONE = GetRun("done")


@pytest.fixture
async def outer(cached: CachedSource, clock: Clock) -> AsyncIterator[CachedSource]:
    """A memory around the memory `cached`, over the same clock."""
    async with aclosing(caching(cached, clock)) as one:
        yield one


async def test_an_answer_is_as_old_as_the_inner_cache_says(
    outer: CachedSource, cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """What the inner cache has had for a while is that old in the outer one, at once and from its memory."""
    run = (await cached.answer(DONE)).value
    clock.tick(10)
    assert Answer(run, 10.0, Origin.MISS) == await outer.answer(DONE)
    clock.tick(1)
    assert hit(run, 11.0, 21.0) == await outer.answer(DONE)
    assert [DONE] == source.taken()


async def test_two_caches_do_not_make_an_answer_live_longer(
    outer: CachedSource, cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """The outer cache counts the time to live from when the answer left MLflow, and renews it then."""
    run = (await cached.answer(DONE)).value
    clock.tick(31)
    await outer.answer(DONE)
    source.put(newer := make_run("done", metrics={"m": 1.0}))
    clock.tick(1)
    assert stale(run, 32.0, 0.0) == await outer.answer(DONE)
    await landed(outer)
    await landed(cached)
    assert stale(run, 32.0, 0.0) == await outer.answer(DONE)  # the inner one had given its stale answer
    await landed(outer)
    assert hit(newer, 0.0, 32.0) == await outer.answer(DONE)


async def test_several_answers_each_have_their_own_age(
    outer: CachedSource, cached: CachedSource, clock: Clock
) -> None:
    """Of several questions that the inner cache answers together, each is remembered as old as it is."""
    await cached.answer(DONE)
    clock.tick(3)
    answer = await compared(outer, ["done", "running"])
    assert (3.0, Origin.MISS) == (answer.age, answer.origin)
    assert [3.0, 0.0] == [(await outer.answer(GetRun(run_id))).age for run_id in ("done", "running")]


async def test_the_members_of_a_list_are_as_old_as_the_list(
    outer: CachedSource, cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A list that the inner cache remembered brings runs of its own age."""
    await cached.answer(ALL)
    clock.tick(2)
    await outer.answer(ALL)
    assert 2.0 == (await outer.answer(DONE)).age
    assert [ALL] == source.taken()


async def test_an_old_list_of_the_inner_cache_overwrites_no_newer_run(
    outer: CachedSource, cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A list that left MLflow before a run that the outer cache has leaves that run as it is."""
    old = (await cached.answer(ALL)).value
    source.put(newer := make_run("done", start_time=1, metrics={"m": 1.0}))
    clock.tick(4)
    await cached.revalidate([DONE])
    assert newer == (await outer.answer(DONE)).value
    assert old == (await outer.answer(ALL)).value
    assert newer == (await outer.answer(DONE)).value


async def test_the_wait_is_that_of_the_whole(
    outer: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Through both caches a question waits as long as MLflow takes."""
    source.holds = True
    caller = asyncio.create_task(outer.answer(DONE))
    [call] = await source.until_asked(1)
    clock.tick(0.5)
    call.answer()
    assert Answer(source.stored["done"], 0.0, Origin.MISS, 0.5) == await caller


async def test_a_failure_is_bridged_by_the_age_since_mlflow(
    outer: CachedSource, cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """An answer bridges a failure no longer because it lay in two caches one after the other."""
    await cached.answer(DONE)
    clock.tick(30)
    await outer.answer(DONE)
    source.fails = UpstreamError("told to fail")
    clock.tick(2 + FRESHNESS.stale_if_error - 0.25)
    assert 32 + FRESHNESS.stale_if_error - 0.25 == (await outer.answer(DONE)).age
    clock.tick(0.25)
    with pytest.raises(UpstreamError):
        await outer.answer(DONE)
