"""Haircuts of Sharpe ratios, and p-values adjusted for many trials."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from service.tracking.analysis.haircut import (
    Floats,
    benjamini_yekutieli,
    bonferroni,
    holm,
    p_values,
    sharpe_with,
    two_sided_p,
)

P_VALUES = arrays(float, st.integers(1, 60), elements=st.floats(0, 1))


@pytest.mark.parametrize(
    ("trials", "adjusted", "left", "taken_off"),
    [
        (10, 0.0093, 0.587, 0.218),
        (50, 0.0463, 0.448, 0.403),
        (100, 0.0926, 0.378, 0.497),
        (200, 0.1852, 0.297, 0.604),
        (300, 0.2777, 0.243, 0.676),
    ],
)
def test_the_example_of_harvey_and_liu(trials: int, adjusted: float, left: float, taken_off: float) -> None:
    """An annual Sharpe ratio of .75 over 240 months: 60 % of it goes after 200 trials, by Bonferroni."""
    sharpe = 0.75 / math.sqrt(12)
    [p] = p_values(np.array([sharpe]), np.array([240.0]))
    assert 0.000925803 == pytest.approx(p, abs=1e-8)
    of_many = bonferroni(np.full(trials, p))[0]
    annual = sharpe_with(of_many, 240, sharpe) * math.sqrt(12)
    assert (adjusted, left, taken_off) == (round(of_many, 4), round(annual, 3), round(1 - annual / 0.75, 3))


def test_200_trials_to_six_digits() -> None:
    """The adjusted p-value and the Sharpe ratio that is left."""
    sharpe = 0.75 / math.sqrt(12)
    adjusted = 200 * p_values(np.array([sharpe]), np.array([240.0]))[0]
    assert 0.18516106 == pytest.approx(adjusted, abs=1e-6)
    assert 0.29714238 == pytest.approx(sharpe_with(adjusted, 240, sharpe) * math.sqrt(12), abs=1e-6)


def test_the_adjusted_p_value_of_mlfinlab() -> None:
    """120 monthly returns, autocorrelation .1, annual Sharpe ratio 1, 100 tests: Bonferroni is .46512."""
    rho, periods = 0.1, 12
    factor = 1 / math.sqrt(1 + 2 * rho / (1 - rho) * (1 - (1 - rho**periods) / (periods * (1 - rho))))
    sharpe = factor / math.sqrt(periods)
    [p] = p_values(np.array([sharpe]), np.array([120.0]))
    assert 0.912 == round(factor, 3)
    assert 0.46512 == round(bonferroni(np.full(100, p))[0], 5)


def test_holm_by_hand() -> None:
    """The smallest of four times 4, the next times 3, and no p-value is above 1."""
    assert [0.04, 0.06, 1, 1] == pytest.approx(holm(np.array([0.01, 0.02, 0.5, 0.9])).tolist())


def test_benjamini_and_yekutieli_by_hand() -> None:
    """Of four: times 4 (1 + 1/2 + 1/3 + 1/4) over the rank, and never above that of the next rank."""
    expected = [0.01 * 25 / 3, 0.02 * 25 / 6, 1, 1]
    assert expected == pytest.approx(benjamini_yekutieli(np.array([0.01, 0.02, 0.5, 0.9])).tolist())


@given(P_VALUES)
def test_benjamini_and_yekutieli_as_scipy_has_it(p: Floats) -> None:
    """For any p-values, ties included."""
    expected = stats.false_discovery_control(p, method="by")
    assert expected.tolist() == pytest.approx(benjamini_yekutieli(p).tolist())


@given(P_VALUES)
def test_the_order_of_trials_does_not_matter(p: Floats) -> None:
    """Each p-value is adjusted to the same, wherever it stands."""
    order = np.random.default_rng(len(p)).permutation(len(p))
    for adjust in (bonferroni, holm, benjamini_yekutieli):
        assert adjust(p)[order].tolist() == pytest.approx(adjust(p[order]).tolist())


@given(P_VALUES)
def test_adjusted_p_values_stay_p_values(p: Floats) -> None:
    """None becomes smaller or more than 1; Holm is never stricter than Bonferroni."""
    for adjust in (bonferroni, holm, benjamini_yekutieli):
        assert np.all((adjust(p) >= p * (1 - 1e-12)) & (adjust(p) <= 1))
    assert np.all(holm(p) <= bonferroni(p))


@given(
    arrays(float, 20, elements=st.floats(-40, -1e-6) | st.just(0.0) | st.floats(1e-6, 40)),
    arrays(float, 20, elements=st.floats(1, 100_000)),
)
def test_p_values_of_t_as_scipy_has_them(t: Floats, df: Floats) -> None:
    """To nine digits, far out in the tails, too; what is below 1e-290 is as good as zero."""
    expected = 2 * stats.t.sf(np.abs(t), df)
    assert expected.tolist() == pytest.approx(two_sided_p(t, df).tolist(), rel=1e-9, abs=1e-290)


@given(st.floats(1e-300, 1e-6))
def test_p_values_of_tiny_t_are_exact(t: float) -> None:
    """With one degree of freedom it is the arc tangent, of which SciPy loses all but eight digits here."""
    assert 1 - 2 / math.pi * math.atan(t) == pytest.approx(
        two_sided_p(np.array([t]), np.array([1.0]))[0], abs=1e-15
    )


@given(st.floats(0.01, 0.5), st.integers(10, 3_000), st.floats(0, 1))
def test_what_is_left_has_the_p_value(sharpe: float, observations: int, share: float) -> None:
    """To find the Sharpe ratio of a p-value is the opposite of to find its p-value."""
    of_it = share * sharpe
    [p] = p_values(np.array([of_it]), np.array([float(observations)]))
    assert of_it == pytest.approx(sharpe_with(p, observations, sharpe), abs=1e-7)


def test_returns_without_end_leave_a_sharpe_ratio() -> None:
    """More than a million degrees of freedom are as good as a million, in both directions."""
    sharpe, observations = 2e-7, 1e15
    [p] = p_values(np.array([sharpe]), np.array([observations]))
    assert sharpe == pytest.approx(sharpe_with(float(p), observations, 1e-6), rel=1e-6)
