"""What the folds of a run say, and whether they are folds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from service.tracking.analysis.computed import (
    AXIS_UNKNOWN,
    FOLDS_OVERLAP,
    NOT_COMPUTABLE,
    TOO_FEW_FOLDS,
    TOO_MANY,
)
from service.tracking.analysis.folds import Axis, Fold, FoldAxis, Folds, axis_of, folds_of
from service.tracking.directions import Decision, Direction
from service.tracking.history import History
from tests.tracking.values import make_run

FOLDS = Axis("folds", "query")
HIGHER = Decision(Direction.MAX, "*_sharpe_*")
SHARPES = [1.62, 1.21, 0.83, 1.49, 1.02]


def said(values: list[float], axis: Axis = FOLDS, decision: Decision = HIGHER) -> Folds:
    return folds_of(History.of(range(len(values)), range(len(values)), values), axis, decision)


def test_the_folds_of_a_walk_forward() -> None:
    """Mean, spread, interval, worst fold and share above zero, as scipy has them."""
    folds = said([*SHARPES, -0.4])
    interval = stats.t.interval(0.95, 5, 0.9616666666666667, stats.sem([*SHARPES, -0.4]))
    assert (6, 0, Fold(5, -0.4)) == (folds.n, folds.missing, folds.worst)
    assert math.isclose(0.9616666666666667, folds.mean or 0.0)
    assert math.isclose(interval[0], folds.ci_low or 0.0, rel_tol=1e-9)
    assert math.isclose(interval[1], folds.ci_high or 0.0, rel_tol=1e-9)
    assert math.isclose(5 / 6, folds.share_positive or 0.0)
    assert (Direction.MAX, "*_sharpe_*", None) == (folds.direction, folds.rule, folds.reason)


@pytest.mark.parametrize(
    ("direction", "worst"),
    [(Direction.MAX, -2.0), (Direction.MIN, 1.0), (Direction.CLOSEST_TO_ZERO, -2.0), (Direction.NONE, None)],
)
def test_the_worst_fold_follows_the_direction(direction: Direction, worst: float | None) -> None:
    """It is the lowest, the highest or the farthest from 0; where nothing says which, none is."""
    folds = said([0.5, -2.0, 1.0], decision=Decision(direction, "*"))
    assert worst == (folds.worst.value if folds.worst else None)
    assert None is said([0.5, -2.0], decision=Decision(Direction.MAX, None)).worst


@pytest.mark.parametrize(
    ("run_type", "declared", "expected"),
    [
        ("walk_forward", None, Axis("folds", "tags.run_type")),
        ("cpcv", None, Axis("paths", "tags.run_type")),
        ("training", None, Axis("epochs", "tags.run_type")),
        ("backtest", None, Axis(None, None)),
        ("", None, Axis(None, None)),
        ("training", "folds", Axis("folds", "query")),
        ("walk_forward", "paths", Axis("paths", "query")),
    ],
)
def test_what_the_steps_stand_for(run_type: str, declared: FoldAxis | None, expected: Axis) -> None:
    """It is what is declared, else what the run_type says; nothing else is guessed."""
    assert expected == axis_of(make_run(tags={"run_type": run_type} if run_type else {}), declared)


@pytest.mark.parametrize(
    ("axis", "code"),
    [(Axis(None, None), AXIS_UNKNOWN), (Axis("epochs", "tags.run_type"), NOT_COMPUTABLE)],
)
def test_what_are_no_folds_is_refused(axis: Axis, code: str) -> None:
    """Epochs, and steps that nothing explains, are shown and not averaged."""
    folds = said(SHARPES, axis)
    assert folds.reason is not None
    assert code == folds.reason.code
    assert SHARPES == [one.value for one in folds.values]
    assert [None] * 6 == [
        folds.mean,
        folds.sd,
        folds.ci_low,
        folds.ci_high,
        folds.worst,
        folds.share_positive,
    ]


def test_paths_are_described_and_not_inferred_from() -> None:
    """Paths of a combinatorial split overlap: they have a mean and a worst, and no interval."""
    folds = said(SHARPES, Axis("paths", "tags.run_type"))
    assert folds.reason is not None
    assert FOLDS_OVERLAP == folds.reason.code
    assert (Fold(2, 0.83), 1.0) == (folds.worst, folds.share_positive)
    assert (None, None) == (folds.ci_low, folds.ci_high)


def test_one_fold_and_none() -> None:
    """One fold has a mean and no spread; a metric without a number has neither."""
    one, none = said([1.5]), said([math.nan, math.inf])
    assert (1, 1.5, None, None) == (one.n, one.mean, one.sd, one.ci_low)
    assert (0, 2, None, [None, None]) == (
        none.n,
        none.missing,
        none.mean,
        [fold.value for fold in none.values],
    )
    assert [TOO_FEW_FOLDS] * 2 == [folds.reason.code for folds in (one, none) if folds.reason]
    assert [TOO_FEW_FOLDS] == [folds.reason.code for folds in [said([])] if folds.reason]


def test_what_is_too_much_for_folds() -> None:
    """A thousand steps and more are no folds, and 1e200 is no figure."""
    many, large = said([0.1] * 1_001), said([1e200, 1.0])
    assert (1_001, ()) == (many.n, many.values)
    assert [TOO_MANY, NOT_COMPUTABLE] == [folds.reason.code for folds in (many, large) if folds.reason]


def test_a_fold_that_was_logged_again_counts_once() -> None:
    """Of a resumed run the later value counts, and that is said."""
    folds = folds_of(History.of([0, 1, 0], [1, 2, 3], [9.0, 1.0, 2.0]), FOLDS, HIGHER)
    assert (2, 1.5) == (folds.n, folds.mean)
    assert "1 values were logged at a step that has a later one" in folds.warnings[0]


@given(st.lists(st.integers(-1_000, 1_000), min_size=2, max_size=50), st.sampled_from([0.001, 7.0, 1e5]))
def test_scaling_scales_every_figure(values: list[int], scale: float) -> None:
    """In another unit all figures are the same in that unit; the worst fold and the share stay."""
    plain, scaled = said([float(value) for value in values]), said([value * scale for value in values])
    for name in ("mean", "sd", "ci_low", "ci_high"):
        expected = getattr(plain, name) * scale
        assert math.isclose(expected, getattr(scaled, name), rel_tol=1e-6, abs_tol=1e-6 * scale)
    assert plain.worst is not None
    assert scaled.worst is not None
    assert (plain.worst.step, plain.share_positive) == (scaled.worst.step, scaled.share_positive)


@given(st.lists(st.integers(-1_000, 1_000), min_size=2, max_size=50))
def test_the_interval_holds_the_mean(values: list[int]) -> None:
    """Low, mean and high are in order, between or beyond the values; a share is between 0 and 1."""
    folds = said([float(value) for value in values])
    assert folds.mean is not None
    assert folds.ci_low is not None
    assert folds.ci_high is not None
    assert folds.ci_low <= folds.mean <= folds.ci_high
    assert min(values) - 1e-9 <= folds.mean <= max(values) + 1e-9
    assert 0.0 <= (folds.share_positive or 0.0) <= 1.0
