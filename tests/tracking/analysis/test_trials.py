"""The trials of a strategy as a value."""

import math

from service.tracking.analysis.trials import Trials
from service.tracking.search.queries import IndexStatus
from tests.tracking.values import make_run

INDEX = IndexStatus(complete=True, runs=4)
TRIALS = Trials(
    (
        make_run("a", params={"x": "1", "y": "2"}, metrics={"m": 1.5}),
        make_run("b", params={"y": "2", "x": "1"}, metrics={"m": None}, status="FAILED"),
        make_run("c", metrics={"m": math.inf}),
        make_run("d"),
    ),
    (make_run("e", params={"x": "2", "y": "2"}, metrics={"m": -1.7976931348623157e308}),),
    INDEX,
)


def test_all_runs_are_those_there_and_the_deleted_ones() -> None:
    """The deleted runs come last, and statuses count all of them."""
    assert ["a", "b", "c", "d", "e"] == [run.run_id for run in TRIALS.all]
    assert {"FINISHED": 4, "FAILED": 1} == TRIALS.statuses


def test_the_values_of_a_metric_are_finite_or_nan() -> None:
    """NaN, infinity, what MLflow keeps for it, and a metric that is missing are no values."""
    first, *others = TRIALS.values("m").tolist()
    assert 1.5 == first
    assert all(map(math.isnan, others))


def test_configurations_are_told_apart_by_their_parameters() -> None:
    """The order of parameters does not count; runs without any are each a configuration of its own."""
    assert [0, 0, 1, 2, 3] == TRIALS.configurations().tolist()
