"""Which runs of a strategy count as trials of a metric."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.analysis.counting import PARENT, Counted, counted
from service.tracking.analysis.trials import Trials
from service.tracking.runs import Run
from service.tracking.search.queries import IndexStatus
from tests.tracking.values import make_run

INDEX = IndexStatus(complete=True, runs=9)


def run(
    run_id: str,
    run_type: str = "backtest",
    sharpe: float | None = 1.0,
    params: Mapping[str, str] | None = None,
    parent: str = "",
    **fields: Any,
) -> Run:
    """A run with the metric sharpe, unless it is None."""
    tags = {"run_type": run_type} | ({PARENT: parent} if parent else {})
    metrics = {} if sharpe is None else {"sharpe": sharpe}
    return msgspec.structs.replace(make_run(run_id, metrics=metrics, tags=tags, params=params), **fields)


def of(*runs: Run, run_types: tuple[str, ...] = ()) -> Counted:
    there = tuple(one for one in runs if not one.is_deleted)
    deleted = tuple(one for one in runs if one.is_deleted)
    return counted(Trials(there, deleted, INDEX), "sharpe", run_types)


def ids(found: Counted) -> list[str]:
    return [one.run_id for one in found.trials.all]


def test_runs_of_the_types_that_log_the_metric_are_trials() -> None:
    """A run that failed before it logged the metric is a trial of it, and one that never logs it is none."""
    found = of(run("a"), run("b", sharpe=None, status="FAILED"), run("c", "training", None))
    assert (["a", "b"], ("backtest",), {"training": 1}) == (
        ids(found),
        found.run_types,
        found.other_run_types,
    )


def test_deleted_runs_are_trials() -> None:
    """What was deleted was tried: it counts, and its type, too, where only deleted runs log the metric."""
    found = of(run("a", sharpe=None), run("b", is_deleted=True))
    assert (["a", "b"], 1) == (ids(found), len(found.trials.deleted))


def test_the_query_may_name_fewer_types() -> None:
    """Of the types that log the metric only those named count; all others are said."""
    found = of(
        run("a"), run("b", "walk_forward"), run("c", "training", None), run_types=("backtest", "training")
    )
    assert (["a"], {"training": 1, "walk_forward": 1}) == (ids(found), found.other_run_types)


def test_without_the_metric_there_are_no_trials() -> None:
    """Where no run has a finite value, nothing is a trial of the metric; infinite ones are no values."""
    found = of(run("a", sharpe=None), run("b", sharpe=float("inf")), run("c", sharpe=1.7976931348623157e308))
    assert ([], {"backtest": 3}) == (ids(found), found.other_run_types)


PARENTS = run("parent", params={"depth": "3", "rate": "0.1"})


@pytest.mark.parametrize(
    "params",
    [{}, {"depth": "3"}, {"depth": "3", "rate": "0.1"}, {"fold": "2"}, {"depth": "3", "split_id": "1"}],
)
def test_a_child_that_tried_nothing_of_its_own_is_a_part(params: dict[str, str]) -> None:
    """A fold has the parameters of its parent, some of them or none, and perhaps its own number."""
    found = of(PARENTS, run("child", params=params, parent="parent"))
    assert (["parent"], 1) == (ids(found), found.parts)


@pytest.mark.parametrize("params", [{"depth": "4"}, {"lookback": "60"}, {"depth": "3", "lookback": "60"}])
def test_a_child_with_parameters_of_its_own_is_a_trial(params: dict[str, str]) -> None:
    """The trials of a sweep differ from it, and each counts."""
    found = of(PARENTS, run("child", params=params, parent="parent"))
    assert (["parent", "child"], 0) == (ids(found), found.parts)


@pytest.mark.parametrize(
    "parent",
    [
        run("parent", sharpe=None, params={"depth": "3"}),
        run("parent", "training", None, params={"depth": "3"}),
        run("other", params={"depth": "3"}),
        run("parent"),
    ],
    ids=["which logs no metric", "of another type", "that is not there", "without parameters"],
)
def test_in_doubt_a_child_counts(parent: Run) -> None:
    """A child is a part only of a trial that logs the metric and says what it tried."""
    found = of(parent, run("child", parent="parent"))
    assert "child" in ids(found)
    assert 0 == found.parts


def test_numbered_folds_of_a_parent_without_parameters_are_parts() -> None:
    """A child whose only parameter is its number is a part, whatever the parent logged."""
    found = of(run("parent"), run("child", params={"fold": "1"}, parent="parent"))
    assert (["parent"], 1) == (ids(found), found.parts)


def test_a_deleted_child_is_a_part_and_a_deleted_parent_has_parts() -> None:
    """Whether either was deleted changes nothing."""
    parent = msgspec.structs.replace(PARENTS, is_deleted=True)
    found = of(parent, run("a", parent="parent"), run("b", parent="parent", is_deleted=True))
    assert (["parent"], 2) == (ids(found), found.parts)


def test_a_run_that_is_its_own_parent_counts() -> None:
    """A tag that names the run itself hides nothing."""
    assert ["a"] == ids(of(run("a", params={"x": "1"}, parent="a")))


SOME = st.lists(
    st.builds(
        run,
        run_id=st.uuids().map(str),
        run_type=st.sampled_from(["backtest", "training"]),
        sharpe=st.sampled_from([None, 1.0, float("nan")]),
        params=st.dictionaries(st.sampled_from(["x", "fold"]), st.sampled_from(["1", "2"])),
        is_deleted=st.booleans(),
    ),
    max_size=8,
)


@given(runs=SOME)
def test_every_run_is_accounted_for(runs: list[Run]) -> None:
    """Each run is a trial, a part of one, or of another type."""
    found = of(*runs)
    assert len(runs) == len(ids(found)) + found.parts + sum(found.other_run_types.values())
