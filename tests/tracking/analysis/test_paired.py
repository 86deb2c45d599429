"""Two runs compared fold by fold: published numbers, and what must hold for all of them."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from service.tracking.analysis.computed import (
    FOLDS_OVERLAP,
    NOT_COMPUTABLE,
    TOO_FEW_FOLDS,
    Computed,
)
from service.tracking.analysis.paired import Paired, paired_of
from service.tracking.directions import Direction

TOY = [0.02, 0.01, 0.03, -0.01, 0.02]
BASE = [1.6, 1.2, 0.8, 1.5, 1.0]
VALUES = st.lists(st.tuples(st.integers(-1_000, 1_000), st.integers(-1_000, 1_000)), min_size=2, max_size=40)
Pairs = list[tuple[int, int]]


def paired(
    differences: list[float], direction: Direction | None = Direction.MAX, ratio: float | None = 0.25
) -> Paired:
    base = {step: float(step % 5) for step in range(len(differences))}
    return paired_of(
        {step: base[step] + difference for step, difference in enumerate(differences)},
        base,
        direction,
        ratio,
    )


def of_pairs(pairs: Pairs, scale: float = 1.0, shift: float = 0.0) -> Paired:
    this = {step: scale * (first + shift) for step, (first, _) in enumerate(pairs)}
    other = {step: scale * (second + shift) for step, (_, second) in enumerate(pairs)}
    return paired_of(this, other, Direction.MAX)


def input_of(computed: Computed, name: str) -> float:
    [value] = [float(one.value or 0.0) for one in computed.inputs if one.name == name]
    return value


def ps_of(pair: Paired) -> list[float | None]:
    return [pair.corrected_t_test.value, pair.sign_test.value, pair.signed_rank_test.value]


def close(first: list[float | None], second: list[float | None]) -> bool:
    return all(
        one is other or (one is not None and other is not None and math.isclose(one, other, rel_tol=1e-6))
        for one, other in zip(first, second, strict=True)
    )


def test_the_corrected_t_of_the_toy() -> None:
    """d = .02, .01, .03, -.01, .02 and a ratio of 1/4: t 1.37612, p .24080, interval -.0142 to .0422."""
    pair = paired(TOY)
    assert math.isclose(1.376124924112373, input_of(pair.corrected_t_test, "t"), rel_tol=1e-9)
    assert "0.24080" == f"{pair.corrected_t_test.value:.5f}"
    assert ("0.014", "0.0151658") == (f"{pair.mean:.3f}", f"{pair.sd:.7f}")
    assert ("-0.0142", "0.0422") == (f"{pair.ci_low:.4f}", f"{pair.ci_high:.4f}")
    assert (4, 0, 1) == (pair.wins, pair.ties, pair.losses)


def test_without_training_data_it_is_the_paired_t_test() -> None:
    """A ratio near 0 leaves the test that takes folds for independent: t 2.06419, p .10794."""
    test = paired(TOY, ratio=1e-12).corrected_t_test
    assert math.isclose(2.06418738616856, input_of(test, "t"), rel_tol=1e-9)
    assert "0.10794" == f"{test.value:.5f}"
    assert math.isclose(stats.ttest_1samp(TOY, 0).pvalue, test.value or 0.0, rel_tol=1e-9)


def test_the_example_of_scikit_learn() -> None:
    """Repeated 10-fold of 100 differences: the t of 2.611 becomes .750, one-sided p .005 becomes .227."""
    spread = np.tile([1.0, -1.0], 50)
    spread /= spread.std(ddof=1)
    differences = (spread + 2.611 / 10).tolist()  # t = mean / (sd / √100)
    naive = paired(differences, ratio=1e-12).corrected_t_test
    corrected = paired(differences, ratio=1 / 9).corrected_t_test
    assert ("2.611", "0.005") == (f"{input_of(naive, 't'):.3f}", f"{(naive.value or 0) / 2:.3f}")
    assert ("0.750", "0.227") == (f"{input_of(corrected, 't'):.3f}", f"{(corrected.value or 0) / 2:.3f}")


def test_the_ratio_is_assumed_where_it_is_not_given() -> None:
    """J folds without a ratio are taken for k-fold cross-validation, 1/(J - 1), and the answer says so."""
    test = paired(TOY, ratio=None).corrected_t_test
    assert 0.25 == input_of(test, "n_test/n_train")
    assert "assumed" == test.inputs[-1].source
    assert any("test_train_ratio" in warning for warning in test.warnings)


def test_five_folds_cannot_reach_five_percent() -> None:
    """The smallest p of the sign and the signed-rank test is .0625 then, and that is said."""
    smallest = paired([0.1, 0.2, 0.3, 0.4, 0.5]).smallest_p
    assert 0.0625 == smallest.value
    assert "neither test can reach 5 %" in smallest.warnings[0]
    assert () == paired([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).smallest_p.warnings


def test_folds_are_matched_by_step() -> None:
    """Only steps that both have count; how many there are beside is said, as is what is no number."""
    pair = paired_of(
        {0: 1.0, 1: 2.0, 2: 3.0, 5: math.nan}, {1: 1.0, 2: 2.5, 3: 9.0, 4: 9.0, 5: 1.0}, Direction.MAX
    )
    assert (2, 1, 3) == (pair.n, pair.only_this, pair.only_other)
    assert [(1, 1.0), (2, 0.5)] == [(one.step, one.value) for one in pair.differences]
    assert "4 folds have no counterpart" in pair.warnings[0]


def test_wins_follow_the_direction() -> None:
    """A loss is better when lower, a beta when nearer to 0; without a direction nobody wins."""
    this, other = {0: 1.0, 1: -2.0, 2: 1.0}, {0: 2.0, 1: 1.0, 2: 1.0}
    judged = {
        direction: paired_of(this, other, direction)
        for direction in (Direction.MAX, Direction.MIN, Direction.CLOSEST_TO_ZERO, None)
    }
    assert {
        Direction.MAX: (0, 1, 2, 1),
        Direction.MIN: (2, 1, 0, 2),
        Direction.CLOSEST_TO_ZERO: (1, 1, 1, 1),
        None: (None, None, None, None),
    } == {
        direction: (pair.wins, pair.ties, pair.losses, pair.worst.step if pair.worst else None)
        for direction, pair in judged.items()
    }
    assert "No rule" in judged[None].warnings[0]


@pytest.mark.parametrize(
    ("this", "other", "overlap", "code"),
    [
        ({0: 1.0}, {1: 1.0}, False, TOO_FEW_FOLDS),
        ({}, {}, False, TOO_FEW_FOLDS),
        ({0: 1.0}, {0: 2.0}, False, TOO_FEW_FOLDS),
        ({0: 1e200, 1: 1.0}, {0: 2.0, 1: 1.0}, False, NOT_COMPUTABLE),
        ({0: 1.0, 1: 2.0}, {0: 2.0, 1: 1.0}, True, FOLDS_OVERLAP),
    ],
)
def test_no_test_without_folds_for_it(
    this: dict[int, float], other: dict[int, float], overlap: bool, code: str
) -> None:
    """Too few, too large or overlapping folds have no test, and each says why."""
    pair = paired_of(this, other, Direction.MAX, overlap=overlap)
    tests = (pair.corrected_t_test, pair.sign_test, pair.signed_rank_test, pair.smallest_p)
    assert [None] * 4 == [test.value for test in tests]
    assert {code} == {reason.code for test in tests if (reason := test.reason)}
    assert pair.reason is not None
    assert None is pair.ci_low


@pytest.mark.parametrize("difference", [0.0, 0.1])
def test_differences_without_spread_have_no_t(difference: float) -> None:
    """Runs that differ by the same everywhere have no t, be it that rounding makes the differences unlike."""
    pair = paired([difference] * 6)
    assert pair.corrected_t_test.reason is not None
    assert NOT_COMPUTABLE == pair.corrected_t_test.reason.code
    assert (None if not difference else 2.0**-5) == pair.sign_test.value


@given(VALUES, st.sampled_from([0.001, 3.0, 1e6]), st.integers(-1_000, 1_000))
def test_units_and_levels_change_no_test(pairs: Pairs, scale: float, shift: int) -> None:
    """Values in percent, or all higher by the same, give the same p and wins."""
    plain, moved = of_pairs(pairs), of_pairs(pairs, scale, shift)
    assert close(ps_of(plain), ps_of(moved))
    assert (plain.wins, plain.ties, plain.losses) == (moved.wins, moved.ties, moved.losses)


@given(VALUES)
def test_the_other_way_round(pairs: Pairs) -> None:
    """To swap the runs turns the signs and the wins, and leaves each p."""
    plain, turned = of_pairs(pairs), of_pairs([(second, first) for first, second in pairs])
    assert close(ps_of(plain), ps_of(turned))
    assert (plain.wins, plain.losses) == (turned.losses, turned.wins)
    assert math.isclose(plain.mean or 0.0, -(turned.mean or 0.0), abs_tol=1e-9)


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_folds_changes_no_test(pairs: Pairs, random: Random) -> None:
    """Folds may be counted in any order."""
    other = list(pairs)
    random.shuffle(other)
    assert close(ps_of(of_pairs(pairs)), ps_of(of_pairs(other)))


@given(VALUES)
def test_each_p_is_a_probability(pairs: Pairs) -> None:
    """Between 0 and 1, the rank tests never below what they can reach; the corrected p is the larger one."""
    pair = of_pairs(pairs)
    for p in ps_of(pair):
        assert p is None or 0.0 <= p <= 1.0
    if pair.smallest_p.value is not None:
        assert pair.sign_test.value is not None
        assert pair.sign_test.value >= pair.smallest_p.value
    this, other = ({step: float(value) for step, value in enumerate(run)} for run in zip(*pairs, strict=True))
    naive = paired_of(this, other, Direction.MAX, 1e-9).corrected_t_test.value
    if naive is not None and pair.corrected_t_test.value is not None:
        assert pair.corrected_t_test.value >= naive - 1e-12
