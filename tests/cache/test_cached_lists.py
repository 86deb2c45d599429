"""What lists bring for others: runs for details, answers for narrower questions, and in which order."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from msgspec.structs import replace

from service.cache.cached_source import CachedSource
from service.cache.revalidating_source import RevalidatingSource
from service.http.cache_status import cache_status
from service.tracking.questions import GetExperiment, GetRun, ListExperiments, ListRuns, Question
from tests.cache.scripted import (
    FRESHNESS,
    Call,
    Clock,
    ScriptedSource,
    caching,
    compared,
    hit,
    landed,
    settle,
    stale,
)
from tests.tracking.values import make_experiment, make_run, matching

ALL = ListRuns("0", None, None, 10)
TWO = ListRuns("0", None, None, 2)


async def in_the_air(
    cached: CachedSource, source: ScriptedSource, question: Question[Any]
) -> tuple[Call, asyncio.Task[object]]:
    """A question that was asked, and the caller who waits for its answer."""
    source.holds = True
    before = len(source.calls)

    async def ask() -> object:
        return (await cached.answer(question)).value

    caller = asyncio.create_task(ask())
    call = (await source.until_asked(before + 1))[-1]
    return call, caller


async def test_a_list_answers_for_its_runs(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A detail after a list asks nothing, and is the run that is in the list, as old as the list."""
    runs = (await cached.answer(ALL)).value
    source.taken()
    clock.tick(1)
    for run in runs:
        answer = await cached.answer(GetRun(run.run_id))
        assert run is answer.value
        assert (1.0, f"hit; ttl={31 if run.is_terminal else 3}") == (answer.age, cache_status(answer))
    together = await compared(cached, [run.run_id for run in runs])
    assert hit(runs, 1.0, 3.0) == together
    assert [] == source.taken()


async def test_a_run_of_a_list_lives_as_long_as_any(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """The list being stale, a run that ended is fresh still; and it is renewed alone when it no longer is."""
    await cached.answer(ALL)
    source.taken()
    clock.tick(31)
    assert "hit; ttl=1" == cache_status(await cached.answer(GetRun("done")))
    clock.tick(1)
    await cached.answer(GetRun("done"))
    await landed(cached)
    assert [GetRun("done")] == source.taken()


async def test_a_list_says_nothing_about_others(cached: CachedSource, source: ScriptedSource) -> None:
    """A run that a list lacks may exist all the same (deleted, or of another experiment)."""
    await cached.answer(ALL)
    source.put(make_run("new"))
    assert make_run("new") == (await cached.answer(GetRun("new"))).value


async def test_a_newer_run_is_not_overwritten_by_a_late_list(
    cached: CachedSource, source: ScriptedSource
) -> None:
    """A list asked for before a run, and landing after it, leaves the run as it is, and says what it said."""
    old = source.stored["done"]
    listing, list_caller = await in_the_air(cached, source, ALL)
    new = make_run("done", metrics={"m": 1.0})
    source.put(new)
    opening, run_caller = await in_the_air(cached, source, GetRun("done"))
    opening.answer()
    assert new == await run_caller
    listing.answer()
    assert (source.stored["running"], old) == await list_caller
    assert hit(new, 0.0, 32.0) == await cached.answer(GetRun("done"))


async def test_a_newer_list_is_not_overwritten_by_a_late_run(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A run asked for before a list, and landing after it, is answered by what the list brought."""
    opening, run_caller = await in_the_air(cached, source, GetRun("done"))
    new = make_run("done", metrics={"m": 1.0})
    source.put(new)
    listing, list_caller = await in_the_air(cached, source, ALL)
    listing.answer()
    assert (source.stored["running"], new) == await list_caller
    clock.tick(1)
    opening.answer()
    assert new == await run_caller
    assert hit(new, 1.0, 31.0) == await cached.answer(GetRun("done"))


async def test_a_newer_word_that_a_run_is_gone_stands(cached: CachedSource, source: ScriptedSource) -> None:
    """A list asked for before a run was found missing does not bring it back; a later list does."""
    listing, list_caller = await in_the_air(cached, source, ALL)
    gone = source.stored.pop("done")
    opening, run_caller = await in_the_air(cached, source, GetRun("done"))
    opening.answer()
    assert await run_caller is None
    listing.answer()
    assert (source.stored["running"], gone) == await list_caller
    assert hit(None, 0.0, 2.0) == await cached.answer(GetRun("done"))
    source.put(gone)
    source.holds = False
    await cached.answer(ListRuns("0", None, None, 1))
    await RevalidatingSource(cached).answer(ALL)
    assert gone == (await cached.answer(GetRun("done"))).value


NARROWER = [
    ListRuns("0", None, None, 1),
    ListRuns("0", None, None, 9),
    ListRuns("0", None, None, 100),
    ListRuns("0", "cpcv", None, 10),
    ListRuns("0", "cpcv", None, 1),
    ListRuns("0", None, "carry", 100),
    ListRuns("0", "cpcv", "carry", 10),
    ListRuns("0", "other", None, 10),
]


@pytest.fixture
def tagged(source: ScriptedSource) -> ScriptedSource:
    """Six runs more, of several kinds."""
    source.put(
        *(
            make_run(
                f"r{number}",
                start_time=10 + number,
                tags={"run_type": ("cpcv", "wf")[number % 2], "strategy_id": ("carry", "trend")[number // 3]},
            )
            for number in range(6)
        )
    )
    return source


@pytest.mark.parametrize("question", NARROWER, ids=str)
async def test_a_complete_list_answers_narrower_questions(
    cached: CachedSource, tagged: ScriptedSource, clock: Clock, question: ListRuns
) -> None:
    """What a complete list proves asks nothing and is as old as it; when stale, it is renewed itself."""
    await cached.answer(ALL)
    tagged.taken()
    clock.tick(1)
    expected = matching(tagged.stored.values(), question)
    assert hit(expected, 1.0, 7.0) == await cached.answer(question)
    assert [] == tagged.taken()
    clock.tick(7)
    assert stale(expected, 8.0, 0.0) == await cached.answer(question)
    await landed(cached)
    assert [question] == tagged.taken()


@pytest.mark.parametrize(
    "question",
    [ListRuns("0", None, None, 3), ListRuns("0", "cpcv", None, 1), ListRuns("1", None, None, 1)],
    ids=str,
)
async def test_what_a_list_does_not_prove_is_asked(
    cached: CachedSource, tagged: ScriptedSource, question: ListRuns
) -> None:
    """A list that fills its limit says nothing about more runs or other filters, nor on other experiments."""
    await cached.answer(TWO)
    tagged.taken()
    assert "fwd=miss" == cache_status(await cached.answer(question))
    assert [question] == tagged.taken()


async def test_the_newest_proof_is_taken(cached: CachedSource, source: ScriptedSource, clock: Clock) -> None:
    """Of several lists that prove an answer, and the own one, the one that was asked for last is believed."""
    narrow = ListRuns("0", None, None, 1)
    await cached.answer(narrow)
    for limit in (12, 11):
        clock.tick(8)
        newest = make_run(f"r{limit}", start_time=20 - limit)
        source.put(newest)
        await RevalidatingSource(cached).answer(ListRuns("0", None, None, limit))
        source.taken()
        assert hit((newest,), 0.0, 8.0) == await cached.answer(narrow)
        assert [] == source.taken()


async def test_a_fresh_answer_of_its_own_is_not_replaced(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A question whose own answer is fresh is met with it, though a broader list is newer."""
    own = (await cached.answer(TWO)).value
    source.put(make_run("new", start_time=99))
    clock.tick(1)
    await cached.answer(ALL)
    assert hit(own, 1.0, 7.0) == await cached.answer(TWO)


async def test_an_older_list_proves_nothing_new(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """An answer is not replaced by what a list proves that was asked for before it."""
    await cached.answer(ALL)
    source.put(make_run("new", start_time=99))
    await RevalidatingSource(cached).answer(TWO)
    clock.tick(8)
    assert ["new", "running"] == [run.run_id for run in (await cached.answer(TWO)).value]


async def test_no_list_is_made_up_without_windows(source: ScriptedSource, clock: Clock) -> None:
    """A list that may not be given itself proves nothing for others."""
    async with aclosing(
        caching(source, clock, FRESHNESS._replace(list_ttl=0.0, stale_if_error=0.0))
    ) as cached:
        for question in (ALL, TWO, ALL, TWO):
            await cached.answer(question)
    assert [ALL, TWO, ALL, TWO] == [call.asked for call in source.calls]


async def test_renewals_that_change_nothing_keep_the_objects(
    cached: CachedSource, source: ScriptedSource
) -> None:
    """Equal answers stay the same objects, so that what was made of them stays right."""
    questions: list[Question[Any]] = [GetRun("done"), ALL, TWO, GetExperiment("Default"), ListExperiments()]
    revalidating = RevalidatingSource(cached)
    first = [(await revalidating.answer(question)).value for question in questions]
    source.put(*map(replace, source.stored.values()))
    source.listed = [make_experiment()]
    second = [(await revalidating.answer(question)).value for question in questions]
    assert list(map(id, first)) == list(map(id, second))


async def test_a_list_with_one_new_run_keeps_the_others(cached: CachedSource, source: ScriptedSource) -> None:
    """Of a list in which one run changed, the others are the objects that they were."""
    before = (await cached.answer(ALL)).value
    source.put(replace(source.stored["running"], metrics={"m": 1.0}), replace(source.stored["done"]))
    after = (await RevalidatingSource(cached).answer(ALL)).value
    assert after != before
    assert after[1] is before[1]
    assert after[0] is (await cached.answer(GetRun("running"))).value


async def test_lists_share_their_runs(cached: CachedSource, source: ScriptedSource) -> None:
    """Two lists hold the same objects for the same runs, as the runs' own entries do."""
    first = (await cached.answer(TWO)).value
    source.put(*map(replace, source.stored.values()))
    second = (await cached.answer(ALL)).value
    assert list(map(id, first)) == list(map(id, second))
    await settle()
    assert 2 == len(source.calls)
