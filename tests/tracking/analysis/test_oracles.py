"""The statistics against ffn and jsharpe, two packages that compute them too, over made-up inputs."""

import math

import ffn
import jsharpe
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.tracking.analysis.haircut import holm
from service.tracking.analysis.overfitting import halves_of
from service.tracking.analysis.sharpe import (
    Bailey2012,
    LopezDePrado2025,
    Moments,
    dsr,
    expected_maximum,
    min_track_record,
    psr,
    variance_of_maximum,
)

SEEDS = st.integers(0, 2**32 - 1)
SHARPES = st.floats(-0.3, 0.3)
SKEWNESSES = st.floats(-2, 0.5)
KURTOSES = st.floats(6, 20)
AUTOCORRELATIONS = st.floats(-0.4, 0.4)


def returns_of(seed: int, observations: int) -> pd.Series:
    """Daily returns with a tail."""
    drawn = np.random.default_rng(seed).standard_t(5, observations)
    return pd.Series(0.0005 + 0.01 * drawn, index=pd.bdate_range("2020-01-01", periods=observations))


def moments_of(returns: pd.Series) -> Moments:
    """With the small-sample skewness and kurtosis of pandas, as ffn takes them."""
    return Moments(
        float(returns.mean() / returns.std(ddof=1)),
        len(returns),
        float(returns.skew()),
        float(returns.kurt() + 3),
    )


@settings(max_examples=50)
@given(SEEDS, st.integers(20, 1_000), st.integers(2, 500))
def test_the_dsr_as_ffn_has_it(seed: int, observations: int, trials: int) -> None:
    """The DSR of 2014 from returns and the trials' annual Sharpe ratios, to nine digits."""
    returns = returns_of(seed, observations)
    annual = np.random.default_rng(seed).normal(0, 0.7, trials)
    expected = ffn.calc_deflated_sharpe_ratio(returns, annual, nperiods=252)
    deviation = float(np.std(annual, ddof=1)) / math.sqrt(252)
    assert expected == pytest.approx(dsr(moments_of(returns), deviation, trials, Bailey2012()), rel=1e-9)


@given(st.integers(1, 10**6), st.floats(0, 3))
def test_the_expected_maximum_as_ffn_has_it(trials: int, deviation: float) -> None:
    """The best of so many trials without skill."""
    expected = ffn.calc_expected_max_sharpe(trials, deviation)
    assert expected == pytest.approx(deviation * expected_maximum(trials), rel=1e-9)


@settings(max_examples=30)
@given(SEEDS, st.sampled_from([2, 4, 6]), st.integers(2, 12))
def test_the_pbo_as_ffn_has_it(seed: int, blocks: int, trials: int) -> None:
    """One row a block, the mean as the metric.

    Where trials tie in-sample ffn takes the first column and this service all of them in equal parts, so that
    the order of trials does not matter. Made-up rows do not tie.
    """
    rows = np.random.default_rng(seed).normal(size=(blocks, trials))
    expected = ffn.calc_prob_backtest_overfitting(
        pd.DataFrame(rows), n_blocks=blocks, metric=pd.Series.mean, full_output=True
    )
    halves = halves_of(rows)
    assert expected["pbo"] == pytest.approx(halves.probability)
    assert expected["logits"].tolist() == pytest.approx(halves.logit.tolist())


@given(SHARPES, SHARPES, st.integers(5, 3_000), SKEWNESSES, KURTOSES, AUTOCORRELATIONS)
def test_the_psr_of_2025_as_jsharpe_has_it(
    sharpe: float, benchmark: float, observations: int, skewness: float, kurtosis: float, rho: float
) -> None:
    """With skewness, raw kurtosis and autocorrelation."""
    expected = jsharpe.probabilistic_sharpe_ratio(
        sharpe, benchmark, T=observations, gamma3=skewness, gamma4=kurtosis, rho=rho
    )
    ours = psr(Moments(sharpe, observations, skewness, kurtosis), benchmark, LopezDePrado2025(rho))
    assert expected == pytest.approx(ours, rel=1e-9, abs=1e-15)


@given(SHARPES, st.integers(5, 3_000), SKEWNESSES, KURTOSES)
def test_the_psr_of_2012_with_the_variance_of_jsharpe(
    sharpe: float, observations: int, skewness: float, kurtosis: float
) -> None:
    """jsharpe takes the variance at the benchmark, over T, and 2012 at the estimate, over T - 1.

    So its variance is asked for at the estimate, of one return less.
    """
    variance = jsharpe.sharpe_ratio_variance(sharpe, observations - 1, gamma3=skewness, gamma4=kurtosis)
    expected = jsharpe.probabilistic_sharpe_ratio(sharpe, 0.05, variance=variance)
    ours = psr(Moments(sharpe, observations, skewness, kurtosis), 0.05, Bailey2012())
    assert expected == pytest.approx(ours, rel=1e-9, abs=1e-15)


@given(st.floats(0.06, 0.5), st.floats(-0.2, 0.05), SKEWNESSES, KURTOSES, AUTOCORRELATIONS)
def test_the_track_record_of_2025_as_jsharpe_has_it(
    sharpe: float, benchmark: float, skewness: float, kurtosis: float, rho: float
) -> None:
    """With skewness, raw kurtosis and autocorrelation, at 5 %."""
    expected = jsharpe.minimum_track_record_length(
        sharpe, benchmark, gamma3=skewness, gamma4=kurtosis, rho=rho
    )
    ours = min_track_record(Moments(sharpe, 2, skewness, kurtosis), benchmark, LopezDePrado2025(rho), 0.05)
    assert expected == pytest.approx(ours, rel=1e-9)


@settings(max_examples=40)
@given(SHARPES, st.integers(5, 3_000), SKEWNESSES, KURTOSES, st.integers(2, 1_000), st.floats(0.001, 0.1))
def test_the_dsr_of_2025_as_jsharpe_has_it(
    sharpe: float, observations: int, skewness: float, kurtosis: float, trials: int, deviation: float
) -> None:
    """The variance is that of a maximum, which jsharpe integrates with 200 nodes only: to four digits."""
    benchmark = jsharpe.expected_maximum_sharpe_ratio(trials, deviation**2)
    expected = jsharpe.probabilistic_sharpe_ratio(
        sharpe, benchmark, T=observations, gamma3=skewness, gamma4=kurtosis, K=trials
    )
    ours = dsr(Moments(sharpe, observations, skewness, kurtosis), deviation, trials, LopezDePrado2025())
    assert expected == pytest.approx(ours, abs=1e-4)


@settings(max_examples=20)
@given(st.integers(1, 100))
def test_the_variance_of_a_maximum_as_jsharpe_has_it(trials: int) -> None:
    """It is one over T of the variance of the best of so many estimates; few are integrated well by both."""
    expected = jsharpe.sharpe_ratio_variance(0, 1, K=trials)
    assert expected == pytest.approx(variance_of_maximum(trials), rel=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_holm_as_jsharpe_has_it(p: list[float]) -> None:
    """For any p-values, ties included."""
    expected = jsharpe.adjusted_p_values_holm(np.array(p))
    assert expected.tolist() == pytest.approx(holm(np.array(p)).tolist())
