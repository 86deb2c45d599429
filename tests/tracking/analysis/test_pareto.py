"""The Pareto front of runs."""

import math

from hypothesis import given
from hypothesis import strategies as st

from service.tracking.analysis.computed import MISSING_INPUT, NOT_COMPUTABLE, TOO_MANY
from service.tracking.analysis.pareto import Pareto, pareto_of
from service.tracking.directions import Direction
from service.tracking.runs import Run
from tests.tracking.values import make_run

HIGHER, LOWER, NEARER, NONE = Direction.MAX, Direction.MIN, Direction.CLOSEST_TO_ZERO, Direction.NONE
DIRECTIONS = {"sharpe": HIGHER, "turnover": LOWER, "max_drawdown": NEARER}


def runs_of(**values: tuple[float | None, ...]) -> list[Run]:
    """Runs with these values of the metrics in DIRECTIONS, by their ids."""
    return [
        make_run(run_id, metrics=dict(zip(DIRECTIONS, numbers, strict=False)))
        for run_id, numbers in values.items()
    ]


def test_a_run_that_is_beaten_is_left_out() -> None:
    """A run falls where another is as good by each metric, by its direction, and better by one."""
    runs = runs_of(best=(2, 1, -0.1), beaten=(2, 1, 0.2), steady=(1, 0.5, 0.1), poor=(1, 2, 0.05))
    assert Pareto(["best", "steady", "poor"], [*DIRECTIONS], [], None) == pareto_of(runs, DIRECTIONS)


def test_equals_do_not_beat_each_other() -> None:
    """Runs with equal values are on the front together."""
    assert ["a", "b"] == pareto_of(runs_of(a=(1, 1, 0.1), b=(1, 1, -0.1)), DIRECTIONS).run_ids


def test_a_run_without_a_value() -> None:
    """A run that lacks one of the metrics is named, and beats nobody."""
    front = pareto_of(runs_of(a=(9, 0), b=(1, 1, 0.1), c=(9, 0, math.inf), d=(9, None, 0.0)), DIRECTIONS)
    assert Pareto(["b"], [*DIRECTIONS], ["a", "c", "d"], None) == front


def test_where_there_is_no_front() -> None:
    """Without a metric of a direction, with more than four, or where no run has all, there is a reason."""
    runs = runs_of(a=(1,), b=(2,))
    nothing, many = pareto_of(runs, {"seed": NONE}), pareto_of(runs, dict.fromkeys("vwxyz", HIGHER))
    lacking = pareto_of(runs, DIRECTIONS)
    assert [None] * 3 == [each.run_ids for each in (nothing, many, lacking)]
    codes = [each.reason.code for each in (nothing, many, lacking) if each.reason]
    assert [MISSING_INPUT, TOO_MANY, NOT_COMPUTABLE] == codes
    assert ["a", "b"] == lacking.missing_run_ids


def test_a_metric_without_a_direction_decides_nothing() -> None:
    """The front is of the others."""
    assert ["sharpe"] == pareto_of(runs_of(a=(1,), b=(2,)), {"seed": NONE, "sharpe": HIGHER}).metrics


values = st.tuples(*[st.floats(-3, 3).map(round)] * 3)


@given(st.lists(values, min_size=1, max_size=12))
def test_the_front_is_what_comparing_each_pair_finds(points: list[tuple[float, ...]]) -> None:
    """A run is on the front exactly if no other beats it."""

    def score(point: tuple[float, ...]) -> tuple[float, ...]:
        return point[0], -point[1], -abs(point[2])

    def beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
        pairs = list(zip(score(one), score(other), strict=True))
        return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)

    runs = runs_of(**{f"r{number}": point for number, point in enumerate(points)})
    expected = [
        f"r{number}" for number, point in enumerate(points) if not any(beats(one, point) for one in points)
    ]
    assert expected == pareto_of(runs, DIRECTIONS).run_ids
