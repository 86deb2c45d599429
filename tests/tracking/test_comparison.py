"""What differs between runs, and which is best: properties that hold for any runs."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.comparison import compare
from service.tracking.directions import Direction
from service.tracking.runs import Run
from tests.tracking.values import make_run

NAMES = st.sampled_from(["sharpe", "max_drawdown", "mse", "a", "b", "é"])
METRICS = st.dictionaries(NAMES, st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.just(0.5))
PARAMS = st.dictionaries(NAMES, st.sampled_from(["", "1", "1.0", "x"]))
DIRECTION_OF: dict[str, Direction] = {
    "max_drawdown": Direction.CLOSEST_TO_ZERO,
    "mse": Direction.MIN,
    "b": Direction.MIN,
}


def direction_of(name: str) -> Direction:
    return DIRECTION_OF.get(name, Direction.MAX)


@st.composite
def several_runs(draw: st.DrawFn) -> list[Run]:
    """2 to 10 runs of distinct ids, in no order."""
    ids = draw(st.lists(st.text("abc0", min_size=1, max_size=4), min_size=2, max_size=10, unique=True))
    return [make_run(run_id, metrics=draw(METRICS), params=draw(PARAMS)) for run_id in ids]


@given(several_runs())
def test_runs_and_values_stand_in_the_order_asked_for(runs: list[Run]) -> None:
    """Every compared run is in every values, once, in the order asked for."""
    comparison = compare(runs, direction_of)
    ids = [run.run_id for run in runs]
    assert tuple(runs) == tuple(comparison.runs)
    for metric in comparison.metric_diff.values():
        assert ids == list(metric.values)
    for param in comparison.param_diff.values():
        assert ids == list(param.values)


@given(several_runs())
def test_every_name_is_compared_and_no_other(runs: list[Run]) -> None:
    """The diff has each metric and parameter that any run has, in the order in which runs bring them."""
    comparison = compare(runs, direction_of)
    assert list(dict.fromkeys(name for run in runs for name in run.metrics)) == list(comparison.metric_diff)
    assert list(dict.fromkeys(name for run in runs for name in run.params)) == list(comparison.param_diff)


@given(several_runs())
def test_values_are_those_of_the_runs(runs: list[Run]) -> None:
    """A value is what the run holds, None where it holds none."""
    comparison = compare(runs, direction_of)
    for name, metric in comparison.metric_diff.items():
        assert [run.metrics.get(name) for run in runs] == list(metric.values.values())
    for name, param in comparison.param_diff.items():
        assert [run.params.get(name) for run in runs] == list(param.values.values())


RANK: dict[Direction, Callable[[float], float]] = {
    Direction.MAX: lambda value: value,
    Direction.MIN: lambda value: -value,
    Direction.CLOSEST_TO_ZERO: lambda value: -abs(value),
}


@given(several_runs())
def test_the_best_is_the_first_that_none_beats(runs: list[Run]) -> None:
    """The best has a value, no run has a better one, and no run before it has one as good."""
    for name, metric in compare(runs, direction_of).metric_diff.items():
        rank = RANK[direction_of(name)]
        finite = [(run_id, value) for run_id, value in metric.values.items() if value is not None]
        if not finite:
            assert metric.best_run_id is None
            continue
        best = max(rank(value) for _, value in finite)
        assert next(run_id for run_id, value in finite if rank(value) == best) == metric.best_run_id


@given(several_runs())
def test_a_parameter_is_constant_only_where_all_hold_the_same_string(runs: list[Run]) -> None:
    """varies is false exactly where every run has the parameter with one string."""
    for name, param in compare(runs, direction_of).param_diff.items():
        all_have = all(name in run.params for run in runs)
        strings = {run.params.get(name) for run in runs}
        assert (not (all_have and len(strings) == 1)) is param.varies


@pytest.mark.parametrize(
    ("direction", "values", "expected"),
    [
        (Direction.MAX, [1.0, 3.0, 2.0], "1"),
        (Direction.MAX, [-3.0, None, -2.0], "2"),
        (Direction.MAX, [2.0, 2.0, 1.0], "0"),
        (Direction.MIN, [1.0, -3.0, 2.0], "1"),
        (Direction.MIN, [None, 0.0, -0.0], "1"),
        (Direction.CLOSEST_TO_ZERO, [-0.3, 0.2, -0.1], "2"),
        (Direction.CLOSEST_TO_ZERO, [0.2, -0.2, 0.3], "0"),
        (Direction.CLOSEST_TO_ZERO, [None, -0.2, 0.2], "1"),
        (Direction.NONE, [3.0, 1.0, 2.0], None),
        (Direction.MAX, [None, None, None], None),
    ],
)
def test_directions(direction: Direction, values: list[float | None], expected: str | None) -> None:
    """Highest, lowest or nearest to zero; the first asked for wins a tie, and None is never the best."""
    runs = [make_run(str(number), metrics={"m": value}) for number, value in enumerate(values)]
    assert expected == compare(runs, lambda _: direction).metric_diff["m"].best_run_id


def test_a_string_is_compared_as_it_is() -> None:
    """0.1 and 0.10 are two strings, so the parameter varies."""
    runs = [make_run("a", params={"p": "0.1"}), make_run("b", params={"p": "0.10"})]
    assert compare(runs, direction_of).param_diff["p"].varies


def test_runs_with_nothing_logged() -> None:
    """Runs without metrics and parameters differ in none."""
    comparison = compare([make_run("a"), make_run("b")], direction_of)
    assert ({}, {}) == (comparison.metric_diff, comparison.param_diff)
