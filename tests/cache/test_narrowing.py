"""Which list answers which question besides its own, held against what the source would have said."""

from collections.abc import Sequence
from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from service.cache.narrowing import broader, narrowed
from service.tracking.questions import ListRuns
from service.tracking.runs import MAX_LIMIT, Place, Run
from tests.tracking.values import make_run, matching

TYPES = (None, "backtest", "cpcv")
STRATEGIES = (None, "carry", "trend")

tags = st.fixed_dictionaries(
    {},
    optional={
        "run_type": st.sampled_from(["backtest", "cpcv", ""]),
        "strategy_id": st.sampled_from(["carry", "trend"]),
        "note": st.just("x"),
    },
)
stores = st.lists(st.tuples(st.integers(0, 3) | st.none(), tags), max_size=8).map(
    lambda facts: [
        make_run(f"r{number}", start_time=start_time, tags=tags)
        for number, (start_time, tags) in enumerate(facts)
    ]
)
questions = st.builds(
    ListRuns,
    st.sampled_from(["0", "0", "0", "1"]),
    st.sampled_from([*TYPES, ""]),
    st.sampled_from(STRATEGIES),
    st.integers(1, 9),
    st.none() | st.builds(Place, st.integers(0, 3) | st.none(), st.sampled_from(["r0", "r3", "r9"])),
)


def documented(held: ListRuns, answer: Sequence[Run], asked: ListRuns) -> bool:
    """Whether it is said that this answer proves that one: as its start, or because it is complete."""
    is_start = asked.tags == held.tags and asked.limit <= held.limit
    is_complete = len(answer) < held.limit and held.tags.items() <= asked.tags.items()
    is_of_one_place = (held.experiment_id, held.after) == (asked.experiment_id, asked.after)
    return is_of_one_place and (is_start or is_complete)


@given(stores, questions, questions)
@example([make_run("a"), make_run("b")], ListRuns("0", None, None, 2), ListRuns("0", None, None, 1))
@example([make_run("a"), make_run("b")], ListRuns("0", None, None, 3), ListRuns("0", None, None, 9))
@example([], ListRuns("0", "cpcv", None, 1), ListRuns("0", "cpcv", "carry", 9))
def test_what_is_proven_is_true(store: list[Run], held: ListRuns, asked: ListRuns) -> None:
    """A proven answer is what the source would have said; the documented proofs are found, and no others."""
    answer = matching(store, held)
    proven = narrowed(held, answer, asked)
    assert documented(held, answer, asked) == (proven is not None)
    if proven is not None:
        assert matching(store, asked) == proven


@given(stores, questions)
def test_a_list_proves_itself(store: list[Run], question: ListRuns) -> None:
    """The answer to a question proves that very answer."""
    answer = matching(store, question)
    assert answer == narrowed(question, answer, question)


def test_a_full_list_is_the_start_of_any_shorter_one() -> None:
    """A list that fills its limit answers for smaller limits, and for nothing else."""
    held = tuple(make_run(f"r{number}", tags={"run_type": "cpcv"}) for number in range(3))
    question = ListRuns("0", None, None, 3)
    assert held[:2] == narrowed(question, held, ListRuns("0", None, None, 2))
    assert narrowed(question, held, ListRuns("0", None, None, 4)) is None
    assert narrowed(question, held, ListRuns("0", "cpcv", None, 1)) is None
    assert narrowed(question, held, ListRuns("0", None, "carry", 1)) is None


def test_a_complete_list_answers_added_filters_and_larger_limits() -> None:
    """A list below its limit has them all, so that a filter added to its own is computed from it."""
    first = make_run("a", tags={"run_type": "cpcv", "strategy_id": "carry"})
    second = make_run("b", tags={"run_type": "cpcv", "strategy_id": "trend"})
    held, question = (first, second), ListRuns("0", "cpcv", None, 3)
    assert held == narrowed(question, held, ListRuns("0", "cpcv", None, 100))
    assert (second,) == narrowed(question, held, ListRuns("0", "cpcv", "trend", 100))
    assert () == narrowed(question, held, ListRuns("0", "cpcv", "other", 1))


def test_a_filtered_list_does_not_answer_for_more() -> None:
    """Even a complete list says nothing about runs that its own filters left out."""
    held = (make_run("a", tags={"run_type": "cpcv"}),)
    question = ListRuns("0", "cpcv", None, 3)
    for asked in (
        ListRuns("0", None, None, 1),
        ListRuns("0", "backtest", None, 1),
        ListRuns("0", None, "carry", 1),
        ListRuns("1", "cpcv", None, 1),
        ListRuns("0", "cpcv", None, 1, Place(5, "b")),
    ):
        assert narrowed(question, held, asked) is None


def test_every_question_that_may_help_is_looked_at_once() -> None:
    """All limits of the same and of fewer filters, each once, the question itself and all others never."""
    places = (None, Place(5, "b"))
    for run_type, strategy_id, limit, after in product(TYPES, STRATEGIES, (1, 50, MAX_LIMIT), places):
        asked = ListRuns("0", run_type, strategy_id, limit, after)
        looked_at = list(broader(asked))
        assert len(set(looked_at)) == len(looked_at)
        expected = {
            ListRuns("0", kept_type, kept_strategy, any_limit, after)
            for kept_type, kept_strategy in product({run_type, None}, {strategy_id, None})
            for any_limit in range(1, MAX_LIMIT + 2)
        } - {asked}
        assert expected == set(looked_at)
