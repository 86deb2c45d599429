"""What lists bring for others: runs for details, answers for narrower questions, and in which order."""

import asyncio
from contextlib import aclosing

import pytest
from msgspec.structs import replace

from service.answer import Answer
from service.cache.cached_source import CachedSource
from service.tracking.runs import RunQuestion
from tests.cache.scripted import (
    FRESHNESS,
    Call,
    Clock,
    ScriptedSource,
    caching,
    landed,
    matching,
    settle,
)
from tests.tracking.values import make_experiment, make_run

ALL = RunQuestion("0", None, None, 10)
TWO = RunQuestion("0", None, None, 2)


async def in_the_air(
    cached: CachedSource, source: ScriptedSource, question: RunQuestion | str
) -> tuple[Call, asyncio.Task[object]]:
    """A question that was asked, and the caller who waits for its answer."""
    source.holds = True
    before = len(source.calls)

    async def ask() -> object:
        if isinstance(question, str):
            return (await cached.run(question)).value
        return (await cached.search(question)).value

    caller = asyncio.create_task(ask())
    call = (await source.until_asked(before + 1))[-1]
    return call, caller


async def test_a_list_answers_for_its_runs(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A detail after a list asks nothing, and is the run that is in the list, as old as the list."""
    runs = (await cached.search(ALL)).value
    source.taken()
    clock.tick(1)
    for run in runs:
        reading = await cached.run(run.run_id)
        assert run is reading.value
        assert (1.0, f"hit; ttl={31 if run.is_terminal else 3}") == (reading.age, reading.cache)
    together = await cached.runs([run.run_id for run in runs], "0")
    assert Answer(runs, 1.0, "hit; ttl=3") == together
    assert [] == source.taken()


async def test_a_run_of_a_list_lives_as_long_as_any(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """The list being stale, a run that ended is fresh still; and it is renewed alone when it no longer is."""
    await cached.search(ALL)
    source.taken()
    clock.tick(31)
    assert "hit; ttl=1" == (await cached.run("done")).cache
    clock.tick(1)
    await cached.run("done")
    await landed(cached)
    assert [("run", "done")] == source.taken()


async def test_a_list_says_nothing_about_others(cached: CachedSource, source: ScriptedSource) -> None:
    """A run that a list lacks may exist all the same (deleted, or of another experiment)."""
    await cached.search(ALL)
    source.put(make_run("new"))
    assert make_run("new") == (await cached.run("new")).value


async def test_a_newer_run_is_not_overwritten_by_a_late_list(
    cached: CachedSource, source: ScriptedSource
) -> None:
    """A list asked for before a run, and landing after it, leaves the run as it is, and says what it said."""
    old = source.stored["done"]
    listing, list_caller = await in_the_air(cached, source, ALL)
    new = make_run("done", metrics={"m": 1.0})
    source.put(new)
    opening, run_caller = await in_the_air(cached, source, "done")
    opening.answer()
    assert new == await run_caller
    listing.answer()
    assert (source.stored["running"], old) == await list_caller
    assert (new, "hit; ttl=32") == ((await cached.run("done")).value, (await cached.run("done")).cache)


async def test_a_newer_list_is_not_overwritten_by_a_late_run(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A run asked for before a list, and landing after it, is answered by what the list brought."""
    opening, run_caller = await in_the_air(cached, source, "done")
    new = make_run("done", metrics={"m": 1.0})
    source.put(new)
    listing, list_caller = await in_the_air(cached, source, ALL)
    listing.answer()
    assert (source.stored["running"], new) == await list_caller
    clock.tick(1)
    opening.answer()
    assert new == await run_caller
    assert Answer(new, 1.0, "hit; ttl=31") == await cached.run("done")


async def test_a_newer_word_that_a_run_is_gone_stands(cached: CachedSource, source: ScriptedSource) -> None:
    """A list asked for before a run was found missing does not bring it back; a later list does."""
    listing, list_caller = await in_the_air(cached, source, ALL)
    gone = source.stored.pop("done")
    opening, run_caller = await in_the_air(cached, source, "done")
    opening.answer()
    assert await run_caller is None
    listing.answer()
    assert (source.stored["running"], gone) == await list_caller
    assert Answer(None, 0.0, "hit; ttl=2") == await cached.run("done")
    source.put(gone)
    source.holds = False
    await cached.search(RunQuestion("0", None, None, 1))
    await cached.past_memory().search(ALL)
    assert gone == (await cached.run("done")).value


NARROWER = [
    RunQuestion("0", None, None, 1),
    RunQuestion("0", None, None, 9),
    RunQuestion("0", None, None, 100),
    RunQuestion("0", "cpcv", None, 10),
    RunQuestion("0", "cpcv", None, 1),
    RunQuestion("0", None, "carry", 100),
    RunQuestion("0", "cpcv", "carry", 10),
    RunQuestion("0", "other", None, 10),
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
    cached: CachedSource, tagged: ScriptedSource, clock: Clock, question: RunQuestion
) -> None:
    """What a complete list proves asks nothing and is as old as it; when stale, it is renewed itself."""
    await cached.search(ALL)
    tagged.taken()
    clock.tick(1)
    expected = matching(tagged.stored.values(), question)
    assert Answer(expected, 1.0, "hit; ttl=7") == await cached.search(question)
    assert [] == tagged.taken()
    clock.tick(7)
    assert Answer(expected, 8.0, "hit; ttl=0; detail=stale") == await cached.search(question)
    await landed(cached)
    assert [("search", question)] == tagged.taken()


@pytest.mark.parametrize(
    "question",
    [RunQuestion("0", None, None, 3), RunQuestion("0", "cpcv", None, 1), RunQuestion("1", None, None, 1)],
    ids=str,
)
async def test_what_a_list_does_not_prove_is_asked(
    cached: CachedSource, tagged: ScriptedSource, question: RunQuestion
) -> None:
    """A list that fills its limit says nothing about more runs or other filters, nor on other experiments."""
    await cached.search(TWO)
    tagged.taken()
    assert "fwd=miss" == (await cached.search(question)).cache
    assert [("search", question)] == tagged.taken()


async def test_the_newest_proof_is_taken(cached: CachedSource, source: ScriptedSource, clock: Clock) -> None:
    """Of several lists that prove an answer, and the own one, the one that was asked for last is believed."""
    narrow = RunQuestion("0", None, None, 1)
    await cached.search(narrow)
    for limit in (12, 11):
        clock.tick(8)
        newest = make_run(f"r{limit}", start_time=20 - limit)
        source.put(newest)
        await cached.past_memory().search(RunQuestion("0", None, None, limit))
        source.taken()
        assert Answer((newest,), 0.0, "hit; ttl=8") == await cached.search(narrow)
        assert [] == source.taken()


async def test_a_fresh_answer_of_its_own_is_not_replaced(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A question whose own answer is fresh is met with it, though a broader list is newer."""
    own = (await cached.search(TWO)).value
    source.put(make_run("new", start_time=99))
    clock.tick(1)
    await cached.search(ALL)
    assert Answer(own, 1.0, "hit; ttl=7") == await cached.search(TWO)


async def test_an_older_list_proves_nothing_new(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """An answer is not replaced by what a list proves that was asked for before it."""
    await cached.search(ALL)
    source.put(make_run("new", start_time=99))
    await cached.past_memory().search(TWO)
    clock.tick(8)
    assert ["new", "running"] == [run.run_id for run in (await cached.search(TWO)).value]


async def test_no_list_is_made_up_without_windows(source: ScriptedSource, clock: Clock) -> None:
    """A list that may not be given itself proves nothing for others."""
    async with aclosing(
        caching(source, clock, FRESHNESS._replace(list_ttl=0.0, stale_if_error=0.0))
    ) as cached:
        for question in (ALL, TWO, ALL, TWO):
            await cached.search(question)
    assert [ALL, TWO, ALL, TWO] == [call.asked[1] for call in source.calls]


async def test_renewals_that_change_nothing_keep_the_objects(
    cached: CachedSource, source: ScriptedSource
) -> None:
    """Equal answers stay the same objects, so that what was made of them stays right."""
    anew = cached.past_memory()
    asks = (
        lambda: anew.run("done"),
        lambda: anew.search(ALL),
        lambda: anew.search(TWO),
        lambda: anew.experiment("Default"),
        anew.experiments,
    )
    first = [(await ask()).value for ask in asks]
    source.put(*map(replace, source.stored.values()))
    source.listed = [make_experiment()]
    assert [id(value) for value in first] == [id((await ask()).value) for ask in asks]


async def test_a_list_with_one_new_run_keeps_the_others(cached: CachedSource, source: ScriptedSource) -> None:
    """Of a list in which one run changed, the others are the objects that they were."""
    before = (await cached.search(ALL)).value
    source.put(replace(source.stored["running"], metrics={"m": 1.0}), replace(source.stored["done"]))
    after = (await cached.past_memory().search(ALL)).value
    assert after != before
    assert after[1] is before[1]
    assert after[0] is (await cached.run("running")).value


async def test_lists_share_their_runs(cached: CachedSource, source: ScriptedSource) -> None:
    """Two lists hold the same objects for the same runs, as the runs' own entries do."""
    first = (await cached.search(TWO)).value
    source.put(*map(replace, source.stored.values()))
    second = (await cached.search(ALL)).value
    assert list(map(id, first)) == list(map(id, second))
    await settle()
    assert 2 == len(source.calls)
