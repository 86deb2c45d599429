"""A list that one replica asked for answers for its members and for narrower questions on all of them."""

import pytest

from service.answer import Origin
from service.tracking.questions import GetRun, ListRuns
from tests.cache.fleet import Fleet
from tests.cache.scripted import ScriptedSource, compared
from tests.tracking.values import make_run

ALL = ListRuns("0", None, None, 10)


async def test_a_list_answers_for_its_members(fleet: Fleet, source: ScriptedSource) -> None:
    """A run that another replica has seen in a list is not asked for."""
    first, second, _ = fleet.replicas
    await first.cached.answer(ALL)
    fleet.clock.tick(2)
    answer = await second.cached.answer(GetRun("done"))
    assert (source.stored["done"], 2) == (answer.value, round(answer.age))
    assert [ALL] == source.taken()


async def test_a_comparison_takes_members(fleet: Fleet, source: ScriptedSource) -> None:
    """A comparison of runs that another replica has seen in a list asks MLflow for nothing."""
    first, second, _ = fleet.replicas
    await first.cached.answer(ALL)
    answer = await compared(second.cached, ["running", "done"])
    assert (source.stored["running"], source.stored["done"]) == answer.value
    assert [ALL] == source.taken()


NARROWER = [
    ListRuns("0", None, None, 1),
    ListRuns("0", None, None, 100),  # for the list of ten is complete
    ListRuns("0", "cpcv", None, 10),
    ListRuns("0", None, "carry", 3),
    ListRuns("0", "cpcv", "carry", 5),
]


@pytest.mark.parametrize("question", NARROWER, ids=repr)
async def test_a_list_answers_narrower_questions(
    fleet: Fleet, source: ScriptedSource, question: ListRuns
) -> None:
    """What one replica's list proves is not asked for by another, and is as old as the list."""
    source.put(
        make_run("a", start_time=3, tags={"run_type": "cpcv", "strategy_id": "carry"}),
        make_run("b", start_time=4, tags={"run_type": "cpcv"}),
    )
    first, second, _ = fleet.replicas
    await first.cached.answer(ALL)
    fleet.clock.tick(2)
    answer = await second.cached.answer(question)
    assert (source.look(question), 2) == (answer.value, round(answer.age))
    assert Origin.SHARED is answer.origin
    assert [ALL] == source.taken()


@pytest.mark.parametrize(
    "question",
    [
        ListRuns("0", None, None, 3),  # the list of two that is stored is not complete
        ListRuns("0", "cpcv", None, 2),
        ListRuns("1", None, None, 1),
    ],
    ids=repr,
)
async def test_a_list_that_proves_nothing_is_no_answer(
    fleet: Fleet, source: ScriptedSource, question: ListRuns
) -> None:
    """What a list does not prove is asked of MLflow."""
    first, second, _ = fleet.replicas
    await first.cached.answer(ListRuns("0", None, None, 2))
    source.taken()
    assert source.look(question) == (await second.cached.answer(question)).value
    assert [question] == source.taken()


async def test_a_list_that_is_too_old_proves_nothing(fleet: Fleet, source: ScriptedSource) -> None:
    """A list past the time in which it may be renewed answers no narrower question."""
    first, second, _ = fleet.replicas
    await first.cached.answer(ALL)
    source.taken()
    fleet.clock.tick(8 * 6 + 0.1)
    narrow = ListRuns("0", None, None, 1)
    await second.cached.answer(narrow)
    assert [narrow] == source.taken()


async def test_many_lists_of_strategies_crowd_out_no_list_of_all(
    fleet: Fleet, source: ScriptedSource
) -> None:
    """However many strategies are asked for, the list of all runs still answers narrower questions."""
    first, second, _ = fleet.replicas
    full = ListRuns("0", None, None, 2)
    await first.cached.answer(full)
    for number in range(100):
        await first.cached.answer(ListRuns("0", None, f"new-{number}", 10))
    source.taken()
    await second.cached.answer(ListRuns("0", None, None, 1))
    assert [] == source.taken()


async def test_no_cache_takes_no_proof(fleet: Fleet, source: ScriptedSource) -> None:
    """Who wants MLflow's own word on a list gets it, whatever longer list is stored."""
    first, second, _ = fleet.replicas
    await first.cached.answer(ALL)
    source.taken()
    narrow = ListRuns("0", None, None, 1)
    await second.anew.answer(narrow)
    assert [narrow] == source.taken()
