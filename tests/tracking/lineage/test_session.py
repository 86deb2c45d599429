"""Which runs are of one session, and what each shares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.lineage.session import Relation, Session, filter_of, plain_filters_of, session_of
from service.tracking.lineage.traits import Trait
from service.tracking.runs import Run
from service.tracking.search.expressions import And, Comparison
from tests.tracking.lineage.runs import COMMIT, WHOLE, lineage_run, without
from tests.tracking.search.plainly import matches


def shared(session: Session) -> dict[str, tuple[str, ...]]:
    """What each run of a session shares, by its id."""
    return {one.run.run_id: tuple(one.shares) for _, members in session.by_type for one in members}


def test_by_type_and_in_time_order() -> None:
    """Training comes first, then walk-forward, CPCV, backtest, and others by name; each in time order."""
    types = ["zebra", "backtest", "cpcv", "training", "walk_forward", "audit", "training"]
    runs = [lineage_run(f"r{at}", name, start_time=100 - at) for at, name in enumerate(types)]
    session = session_of(runs[0], runs)
    assert ["training", "walk_forward", "cpcv", "backtest", "audit", "zebra"] == [
        name for name, _ in session.by_type
    ]
    assert ["r6", "r3"] == [member.run.run_id for member in session.by_type[0][1]]


def test_a_run_that_lacks_what_comes_later_is_of_the_session() -> None:
    """A training knows no signal yet: it is of the session of a backtest, and shares the rest."""
    training = lineage_run("t", "training", without("signal_version"))
    session = session_of(lineage_run(), [training])
    assert tuple(one for one in Trait if one is not Trait.SIGNAL) == shared(session)["t"]


@pytest.mark.parametrize("tag", list(WHOLE))
def test_a_run_that_differs_in_a_trait_is_of_another_session(tag: str) -> None:
    """Another strategy, commit, dataset, features, model or signal is another session."""
    other = lineage_run("o", "training", {**WHOLE, tag: "other"})
    assert ["r"] == list(shared(session_of(lineage_run(), [other])))


def test_the_strategy_alone_is_not_enough() -> None:
    """A run of the strategy that bears nothing else is not of a session that bears more."""
    bare = lineage_run("o", tags={"strategy_id": "s1"})
    assert ["r"] == list(shared(session_of(lineage_run(), [bare])))
    assert ["o", "p"] == list(shared(session_of(bare, [lineage_run("p", tags={"strategy_id": "s1"})])))


def test_without_a_strategy_one_trait_is_enough() -> None:
    """A run that names no strategy has a session by its commit or its data."""
    run = lineage_run(tags={"dataset_version": "d1"})
    other = lineage_run("o", tags={"dataset_version": "d1", "git_commit": COMMIT})
    assert (Trait.DATASET,) == shared(session_of(run, [other]))["o"]


def test_a_commit_that_is_cut_short_is_the_same() -> None:
    """A tag with the first seven characters, in capitals or with a mark, names the same commit."""
    for short in (COMMIT[:7], COMMIT[:12].upper(), f"{COMMIT[:7]}-dirty"):
        other = lineage_run("o", tags={**WHOLE, "git_commit": short})
        assert Trait.COMMIT in shared(session_of(lineage_run(), [other]))["o"]
    too_short = lineage_run("o", tags={**WHOLE, "git_commit": COMMIT[:6]})
    assert "o" not in shared(session_of(lineage_run(), [too_short]))


def test_mlflows_own_tag_stands_in_for_the_commit() -> None:
    """A run that bears only mlflow.source.git.commit shares the commit."""
    other = lineage_run("o", tags={**without("git_commit"), "mlflow.source.git.commit": COMMIT})
    assert Trait.COMMIT in shared(session_of(lineage_run(), [other]))["o"]


def test_relatives_are_of_the_session_whatever_they_bear() -> None:
    """Parent, children and siblings belong to it, and what each is to the run is said."""
    run = lineage_run(tags={**WHOLE, "mlflow.parentRunId": "p"})
    runs = [
        lineage_run("p", "walk_forward", {}),
        lineage_run("c", tags={"mlflow.parentRunId": "r"}),
        lineage_run("s", tags={"mlflow.parentRunId": "p"}),
        lineage_run("n", tags={"mlflow.parentRunId": "c"}),
    ]
    members = [member for _, group in session_of(run, runs).by_type for member in group]
    assert {"r": "itself", "p": "parent", "c": "child", "s": "sibling"} == {
        member.run.run_id: member.relation for member in members
    }


def test_a_run_that_bears_nothing_is_alone() -> None:
    """Without a trait no other run is like it."""
    session = session_of(lineage_run(tags={}), [lineage_run("o", tags={}), lineage_run("p")])
    assert {"r": ()} == shared(session)


def test_a_deleted_run_is_of_no_session_but_its_own() -> None:
    """Only the run that was asked for may be a deleted one."""
    deleted = lineage_run(is_deleted=True)
    assert ["r"] == list(shared(session_of(deleted, [deleted, lineage_run("o", is_deleted=True)])))
    assert Relation.ITSELF is session_of(deleted, []).by_type[0][1][0].relation


values = st.sampled_from(["", "a", "it's", 'say "x"', "a\\", "3f9a1c2", "3F9A1C2D", "3f9a1c3", "x y"])
tags = st.dictionaries(st.sampled_from([*WHOLE, "mlflow.source.git.commit", "mlflow.parentRunId"]), values)


@given(tags, st.lists(tags, max_size=6))
def test_the_filter_of_an_index_finds_the_whole_session(
    own: dict[str, str], others: list[dict[str, str]]
) -> None:
    """Whatever the tags, no run of the session but its parent is missed by the filter."""
    run = lineage_run(tags={name: value for name, value in own.items() if value})
    runs = [
        lineage_run(f"o{at}", tags={name: value for name, value in bears.items() if value})
        for at, bears in enumerate(others)
    ]
    expression = filter_of(run)
    found = [one for one in runs if matches(one, expression)]
    assert shared(session_of(run, runs)) == shared(session_of(run, found))


@given(tags)
def test_mlflow_is_asked_with_and_alone(own: dict[str, str]) -> None:
    """The filters for MLflow are comparisons, or such joined by AND."""
    for expression in plain_filters_of(lineage_run(tags=own)):
        parts = expression.of if isinstance(expression, And) else (expression,)
        assert all(isinstance(part, Comparison) for part in parts)


def test_mlflow_is_asked_for_strategy_and_commit() -> None:
    """Runs alike, children and siblings, each with a filter of its own."""
    run: Run = lineage_run(tags={**WHOLE, "mlflow.parentRunId": "p"})
    alike, children, siblings = plain_filters_of(run)
    assert matches(lineage_run("o", tags={"strategy_id": "s1", "git_commit": COMMIT[:9]}), alike)
    assert not matches(lineage_run("o", tags={"strategy_id": "s1"}), alike)
    assert matches(lineage_run("o", tags={"mlflow.parentRunId": "r"}), children)
    assert matches(lineage_run("o", tags={"mlflow.parentRunId": "p"}), siblings)
