"""Differences of runs from a baseline, by one metric."""

import math
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.analysis.deltas import Delta, MetricAnalysis, Noise, Spread, metric_analysis
from service.tracking.directions import Decision, Direction

LARGEST = 1.7976931348623157e308
Held = dict[str, float | None]


def analysis(
    held: Held, direction: Direction = Direction.MAX, repeats: tuple[tuple[str, ...], ...] = ()
) -> MetricAnalysis:
    """Of the runs a to e, with the baseline a."""
    return metric_analysis(held, "abcde", "a", Decision(direction, "rule"), repeats)


def delta(value: float | None, base: float | None, direction: Direction = Direction.MAX) -> Delta:
    return analysis({"a": base, "b": value}, direction).deltas["b"]


@pytest.mark.parametrize(
    ("value", "base", "expected"),
    [
        (1.5, 1.0, Delta(0.5, 0.5, better=True, reason=None)),
        (0.75, 1.0, Delta(-0.25, -0.25, better=False, reason=None)),
        (-1.5, -1.0, Delta(-0.5, -0.5, better=False, reason=None)),
        (-0.5, -1.0, Delta(0.5, 0.5, better=True, reason=None)),
        (1.0, 1.0, Delta(0.0, 0.0, better=None, reason=None)),
        (0.0, 1.0, Delta(-1.0, -1.0, better=False, reason=None)),
        (1.0, 0.0, Delta(1.0, None, better=True, reason="baseline_zero")),
        (1.0, -0.0, Delta(1.0, None, better=True, reason="baseline_zero")),
        (0.0, 0.0, Delta(0.0, None, better=None, reason="baseline_zero")),
        (1.0, -1.0, Delta(2.0, None, better=True, reason="signs_differ")),
        (-1.0, 1.0, Delta(-2.0, None, better=False, reason="signs_differ")),
        (None, 1.0, Delta(None, None, better=None, reason="value_not_finite")),
        (math.inf, 1.0, Delta(None, None, better=None, reason="value_not_finite")),
        (1.0, None, Delta(None, None, better=None, reason="baseline_not_finite")),
        (1.0, -math.inf, Delta(None, None, better=None, reason="baseline_not_finite")),
        (LARGEST, -LARGEST, Delta(None, None, better=True, reason="too_large")),
        (1.0, 5e-324, Delta(1.0, None, better=True, reason="too_large")),
    ],
)
def test_a_difference(value: float | None, base: float | None, expected: Delta) -> None:
    """Each difference is a number, or null with a reason; a relative one is a share of the magnitude."""
    assert expected == delta(value, base)


def test_what_a_run_lacks() -> None:
    """A run without the metric, or a baseline without it, is told from one with NaN."""
    assert "value_missing" == analysis({"a": 1.0}).deltas["b"].reason
    assert "baseline_missing" == analysis({"b": 1.0}).deltas["b"].reason
    assert "baseline_missing" == analysis({"b": None}).deltas["b"].reason


def test_which_runs_logged_no_finite_number() -> None:
    """Of the runs whose value is null, those that logged NaN or infinity are named; the others lack it."""
    result = analysis({"a": None, "b": math.inf, "c": 1.0})
    assert ["a", "b"] == result.not_finite_run_ids
    assert ["a", "b", "d", "e"] == [run_id for run_id, value in result.values.items() if value is None]


@pytest.mark.parametrize(
    ("direction", "values", "ranks"),
    [
        (Direction.MAX, [1.0, 2.0, 2.0, -3.0], [3, 1, 1, 4]),
        (Direction.MIN, [1.0, 2.0, 2.0, -3.0], [2, 3, 3, 1]),
        (Direction.CLOSEST_TO_ZERO, [0.2, -0.1, 0.1, -0.3], [3, 1, 1, 4]),
        (Direction.NONE, [1.0, 2.0, 2.0, -3.0], [None, None, None, None]),
    ],
)
def test_ranks(direction: Direction, values: list[float], ranks: list[int | None]) -> None:
    """Runs rank by the metric's direction; equals share a rank, behind which as many are left out."""
    result = analysis(dict(zip("abcd", values, strict=True)), direction)
    assert dict(zip("abcde", [*ranks, None], strict=True)) == result.ranks
    assert [run_id for run_id, rank in result.ranks.items() if rank == 1] == result.best_run_ids


def test_better_by_each_direction() -> None:
    """What is better than the baseline follows the direction: closer to zero from either side, or nothing."""
    assert [True, False, None] == [delta(2.0, 1.0, each).better for each in (*MAX_MIN, Direction.NONE)]
    near = Direction.CLOSEST_TO_ZERO
    assert [True, False, None] == [delta(value, -0.2, near).better for value in (0.1, -0.3, 0.2)]


MAX_MIN = (Direction.MAX, Direction.MIN)


def test_the_spread_of_what_is_finite() -> None:
    """Values that are no finite numbers are counted as missing; sd needs two."""
    assert Spread(2, 3, 2.0, math.sqrt(2), 1.0, 3.0) == analysis({"a": 1.0, "b": 3.0, "c": math.inf}).spread
    assert Spread(1, 4, 7.0, None, 7.0, 7.0) == analysis({"a": None, "b": 7.0}).spread
    assert Spread(0, 5, None, None, None, None) == analysis({}).spread


def test_the_spread_of_what_is_large() -> None:
    """The mean of the largest numbers is one, though their sum is none; a spread that is none is null."""
    assert Spread(2, 3, LARGEST, 0.0, LARGEST, LARGEST) == analysis({"a": LARGEST, "b": LARGEST}).spread
    assert Spread(2, 3, 0.0, None, -LARGEST, LARGEST) == analysis({"a": LARGEST, "b": -LARGEST}).spread


def test_squares_whose_sum_is_no_float() -> None:
    """Each square is a float: there is no standard deviation, of the runs or of their repetitions."""
    held: Held = {"a": 1.2e154, "b": -1.2e154}
    of_two = analysis(held, repeats=(("a", "b"),))
    assert (2, None, None) == (of_two.spread.n, of_two.spread.sd, of_two.noise)


def test_the_noise_between_repetitions() -> None:
    """The standard deviation is pooled over groups of runs of one configuration that have the metric."""
    held: Held = {"a": 1.0, "b": 3.0, "c": 5.0, "d": 9.0, "e": None}
    assert Noise(math.sqrt((2 + 8) / 2), 2) == analysis(held, repeats=(("a", "b"), ("c", "d", "e"))).noise
    assert Noise(math.sqrt(2), 1) == analysis(held, repeats=(("a", "b"), ("c", "e"))).noise
    assert analysis(held, repeats=(("c", "e"),)).noise is None
    assert analysis(held).noise is None


finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.lists(finite, min_size=2, max_size=5), st.sampled_from(Direction))
def test_ranks_and_differences_agree(values: list[float], direction: Direction) -> None:
    """Who is better than the baseline has a lower rank, who is worse a higher one, and equals the same."""
    result = analysis(dict(zip("abcde", values, strict=False)), direction)
    base = result.ranks["a"]
    for run_id, one in result.deltas.items():
        rank = result.ranks[run_id]
        if rank is not None and base is not None:
            assert {True: rank < base, False: rank > base, None: rank == base}[one.better]


@given(st.lists(finite, min_size=2, max_size=5))
def test_spread_agrees_with_the_standard_library(values: list[float]) -> None:
    """Mean and standard deviation are those of the statistics module."""
    spread = analysis(dict(zip("abcde", values, strict=False))).spread
    assert spread.mean is not None
    assert spread.sd is not None
    assert math.isclose(mean(values), spread.mean, rel_tol=1e-12, abs_tol=1e-30)
    assert math.isclose(stdev(values), spread.sd, rel_tol=1e-6, abs_tol=1e-30)


@given(st.permutations(["a", "b", "c", "d", "e"]))
def test_the_order_of_runs_decides_nothing(order: list[str]) -> None:
    """Asked for in any order, the runs have the same ranks, differences and spread."""
    held: Held = {"a": 1.0, "b": 1.0, "c": -2.0, "d": None}
    decision = Decision(Direction.MAX, "rule")
    expected, result = analysis(held), metric_analysis(held, order, "a", decision, ())
    assert (expected.ranks, expected.deltas) == (result.ranks, result.deltas)
    assert (expected.spread, sorted(expected.best_run_ids)) == (result.spread, sorted(result.best_run_ids))
