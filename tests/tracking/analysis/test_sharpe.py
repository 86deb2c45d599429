"""Sharpe ratios against luck: the numbers that are published."""

import math

import pytest

from service.tracking.analysis.refusals import Refusal
from service.tracking.analysis.sharpe import (
    Bailey2012,
    LopezDePrado2025,
    Moments,
    dsr,
    effective_trials,
    expected_maximum,
    min_backtest_length,
    min_track_record,
    psr,
    trial_budget,
    variance_of_maximum,
)

OF_2012 = Bailey2012()
OF_2025 = LopezDePrado2025()
# Bailey and López de Prado (2012): the monthly returns of a hedge fund.
FUND = Moments(0.458, 24, -2.448, 10.164)
# Bailey and López de Prado (2014): an annual Sharpe ratio of 2.5 over five years of daily returns, the best
# of 100 trials whose annual Sharpe ratios have a variance of 1/2.
STRATEGY = Moments(2.5 / math.sqrt(250), 1250, -3, 10)
NORMAL_STRATEGY = Moments(2.5 / math.sqrt(250), 1250)
DEVIATION = math.sqrt(0.5 / 250)
# López de Prado, Lipton and Zoonekynd (2025).
EXAMPLE_2025 = Moments(0.036 / 0.079, 24, -2.448, 10.164)


@pytest.mark.parametrize(
    ("expected", "moments", "benchmark"),
    [
        (0.913361083860933, FUND, 0),
        (0.981674919091077, Moments(0.458, 24), 0),
        (0.91323430688486, Moments(1.585 / math.sqrt(12), 24, -2.448, 10.164), 0),
        (0.957278, Moments(1.14, 250), 1),
    ],
    ids=["paper", "paper, if normal", "pypbo", "mlfinlab"],
)
def test_the_psr_of_2012_is_as_published(expected: float, moments: Moments, benchmark: float) -> None:
    """The paper prints .913 and .982; pypbo and mlfinlab have the others in their tests."""
    assert expected == pytest.approx(psr(moments, benchmark, OF_2012), abs=1e-6)


@pytest.mark.parametrize(
    ("expected", "moments"),
    [(0.1028, Moments(0.7079, 134, -0.2250, 2.9570)), (0.1550, Moments(0.8183, 134, -1.4455, 7.0497))],
)
def test_the_deviation_of_a_sharpe_ratio_is_as_published(expected: float, moments: Moments) -> None:
    """Two hedge fund indices of the paper of 2012."""
    assert expected == round(math.sqrt(OF_2012.variance(moments, 0, 1)), 4)


def yearly(sharpe: float, periods: float, skewness: float = 0, kurtosis: float = 3) -> Moments:
    """Of an annual Sharpe ratio; the number of returns plays no part."""
    return Moments(sharpe / math.sqrt(periods), 2, skewness, kurtosis)


@pytest.mark.parametrize(
    ("expected", "moments", "annual_benchmark", "periods"),
    [
        (2.731187801728174, yearly(2, 250), 1, 250),
        (2.828833586945234, yearly(2, 52), 1, 52),
        (27.352920196040277, yearly(3, 12, -0.72, 5.78), 2.5, 12),
        (34.557505934856195, FUND, 0, 1),
        (15.250806919432529, Moments(0.458, 24), 0, 1),
        (0.7152, Moments(0.7079, 134, -0.2250, 2.9570), 0, 12),
        (1.1593, Moments(0.8183, 134, -1.4455, 7.0497), 0, 12),
        (228.73497, Moments(1.14, 250), 1, 1),
    ],
)
def test_the_minimum_track_record_is_as_published(
    expected: float, moments: Moments, annual_benchmark: float, periods: float
) -> None:
    """In years where there are periods, else in returns; to the digit that is printed."""
    benchmark = annual_benchmark / math.sqrt(periods)
    length = min_track_record(moments, benchmark, OF_2012, 0.05) / periods
    digits = len(str(expected).partition(".")[2])
    assert expected == pytest.approx(length, abs=max(1e-6, 10.0**-digits))


def test_no_track_record_is_long_enough_for_a_sharpe_ratio_at_the_benchmark() -> None:
    """What is not above the benchmark never becomes significant."""
    with pytest.raises(Refusal, match="not above the benchmark"):
        min_track_record(FUND, 0.458, OF_2012, 0.05)


@pytest.mark.parametrize(
    ("trials", "benchmark", "expected"),
    [
        (10, 0.070418, 0.9938796415275255),
        (46, 0.100362, 0.9505017068755786),
        (100, 0.11317200186513214, 0.9003968344493904),
        (1000, 0.145573, 0.6399149553986131),
    ],
)
def test_the_dsr_of_2014_is_as_published(trials: int, benchmark: float, expected: float) -> None:
    """The paper prints .1132 and .9004 for 100 trials, and that 46 are the limit at 95 %."""
    assert benchmark == pytest.approx(DEVIATION * expected_maximum(trials), abs=1e-6)
    assert expected == pytest.approx(dsr(STRATEGY, DEVIATION, trials, OF_2012), abs=1e-6)


def test_one_trial_is_not_deflated() -> None:
    """With one trial the DSR is the PSR against zero."""
    assert 0.9999969 == pytest.approx(dsr(STRATEGY, DEVIATION, 1, OF_2012), abs=1e-7)
    assert psr(STRATEGY, 0, OF_2012) == dsr(STRATEGY, DEVIATION, 1, OF_2012)


@pytest.mark.parametrize(
    ("wrong", "moments", "deviation"),
    [
        (0.9999999378, Moments(2.5, 1250, -3, 10), math.sqrt(0.5)),
        (0.6176052367, Moments(2.5, 5, -3, 10), math.sqrt(0.5)),
    ],
    ids=["annual as if of one day", "years as if returns"],
)
def test_a_wrong_unit_gives_another_number(wrong: float, moments: Moments, deviation: float) -> None:
    """The formula itself cannot tell: this is what a caller of it gets for an annual Sharpe ratio.

    test_selection.py shows that a declared unit never comes to it.
    """
    assert wrong == pytest.approx(dsr(moments, deviation, 100, OF_2012), abs=1e-8)


def test_the_dsr_of_mlfinlab() -> None:
    """100 trials with a spread of .4; and three trials, where ddof decides: 1 is ours, 0 is mlfinlab's."""
    moments = Moments(1.14, 250)
    assert 1.012241 == pytest.approx(0.4 * expected_maximum(100), abs=1e-6)
    assert 0.941740 == pytest.approx(dsr(moments, 0.4, 100, OF_2012), abs=1e-6)
    mean = (3.5 + 1.01 + 1.02) / 3
    squares = sum((sharpe - mean) ** 2 for sharpe in (3.5, 1.01, 1.02))
    assert 0.152 == pytest.approx(dsr(moments, math.sqrt(squares / 2), 3, OF_2012), abs=1e-3)
    assert 0.95836 == pytest.approx(dsr(moments, math.sqrt(squares / 3), 3, OF_2012), abs=1e-5)


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        *[(2, 0.5198), (3, 0.8528), (5, 1.1926), (10, 1.5746), (20, 1.9007), (50, 2.2763), (100, 2.5306)],
        *[(1000, 3.2551), (2000, 3.4473)],
    ],
)
def test_the_expected_maximum_is_as_published(trials: int, expected: float) -> None:
    """Of so many standard normal variables, by the approximation of 2014."""
    assert expected == round(expected_maximum(trials), 4)


@pytest.mark.parametrize("trials", [0, 0.5, 1, 1.2])
def test_one_trial_is_expected_to_reach_nothing(trials: float) -> None:
    """Where the approximation would be below zero, or minus infinity, it is zero."""
    assert 0.0 == expected_maximum(trials)


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        (1, [1.19, 1.57, 2.28, 2.53, 3.05, 3.26]),
        (3, [0.69, 0.91, 1.31, 1.46, 1.76, 1.88]),
        (5, [0.53, 0.70, 1.02, 1.13, 1.37, 1.46]),
        (10, [0.38, 0.50, 0.72, 0.80, 0.97, 1.03]),
    ],
)
def test_the_best_of_noise_is_as_published(years: int, expected: list[float]) -> None:
    """The annual Sharpe ratio that is expected of the best of 5 to 1,000 trials without any skill."""
    trials = (5, 10, 50, 100, 500, 1000)
    assert expected == pytest.approx([expected_maximum(n) / math.sqrt(years) for n in trials], abs=6e-3)


@pytest.mark.parametrize(
    ("kurtosis", "expected"), [(10, 0.9004), (7, 0.9018), (4, 0.9032)], ids=["raw", "excess", "less 3 twice"]
)
def test_a_confused_kurtosis_changes_a_daily_dsr_little(kurtosis: float, expected: float) -> None:
    """What the strategy's DSR becomes where its excess kurtosis is taken for the raw one."""
    assert expected == round(dsr(STRATEGY._replace(kurtosis=kurtosis), DEVIATION, 100, OF_2012), 4)


@pytest.mark.parametrize(
    ("kurtosis", "expected"),
    [(10.164, 0.913), (7.164, 0.920), (4.164, 0.927)],
    ids=["raw", "excess", "less 3 twice"],
)
def test_a_confused_kurtosis_changes_a_monthly_psr(kurtosis: float, expected: float) -> None:
    """What the fund's PSR becomes where its excess kurtosis is taken for the raw one."""
    assert expected == round(psr(FUND._replace(kurtosis=kurtosis), 0, OF_2012), 3)


@pytest.mark.parametrize(
    ("autocorrelation", "against_0", "against_tenth", "length", "length_tenth", "deflated"),
    [(0.0, 0.987, 0.939, 13.029, None, 0.416), (0.2, 0.966, 0.900, 19.543, 39.369, 0.427)],
)
def test_the_formulas_of_2025_are_as_published(
    autocorrelation: float,
    against_0: float,
    against_tenth: float,
    length: float,
    length_tenth: float | None,
    deflated: float,
) -> None:
    """PSR against 0 and 0.1, track record, and the DSR of 10 trials with variance 0.1."""
    formula = LopezDePrado2025(autocorrelation)
    assert against_0 == round(psr(EXAMPLE_2025, 0, formula), 3)
    assert against_tenth == round(psr(EXAMPLE_2025, 0.1, formula), 3)
    assert length == round(min_track_record(EXAMPLE_2025, 0, formula, 0.05), 3)
    if length_tenth is not None:
        assert length_tenth == round(min_track_record(EXAMPLE_2025, 0.1, formula, 0.05), 3)
    assert deflated == round(dsr(EXAMPLE_2025, math.sqrt(0.1), 10, formula), 3)


@pytest.mark.parametrize(
    ("moments", "autocorrelation", "expected"),
    [(EXAMPLE_2025, 0, 0.329), (Moments(0.036 / 0.079, 24), 0, 0.214), (EXAMPLE_2025, 0.2, 0.379)],
)
def test_the_deviation_of_2025_is_as_published(
    moments: Moments, autocorrelation: float, expected: float
) -> None:
    """At the estimated Sharpe ratio, with and without skewness and autocorrelation."""
    formula = LopezDePrado2025(autocorrelation)
    assert expected == round(math.sqrt(formula.variance(moments, moments.sharpe, 1)), 3)


def test_the_two_formulas_may_decide_differently() -> None:
    """The same fund is significant by the formula of 2025 and not by that of 2012."""
    assert psr(FUND, 0, OF_2012) < 0.95 < psr(FUND, 0, OF_2025)


@pytest.mark.parametrize("trials", [(1, 1.0), (2, 1 - 1 / math.pi), (3, 0.5594672037973512)])
def test_the_variance_of_a_maximum_is_right(trials: tuple[int, float]) -> None:
    """Of one, two and three standard normal variables it is known in closed form."""
    count, expected = trials
    assert expected == pytest.approx(variance_of_maximum(count), abs=1e-9)


@pytest.mark.parametrize(
    ("trials", "correlation", "expected"),
    [(100, 0.5, 50.5), (100, 0.9, 10.9), (500, 0.8, 100.8), (50, 0.3, 35.3), (100, -0.1, 100), (100, 1.1, 1)],
)
def test_correlated_trials_count_less(trials: int, correlation: float, expected: float) -> None:
    """By the appendix of 2014; a correlation outside of 0 to 1 counts as the nearer of them."""
    assert expected == pytest.approx(effective_trials(trials, correlation))


def test_45_trials_take_five_years() -> None:
    """The paper: with five years of data no more than 45 configurations should be tried."""
    assert 4.998087004443402 == pytest.approx(min_backtest_length(45, 1), abs=1e-6)
    assert 45 == trial_budget(5, 1)
    assert min_backtest_length(45, 1) < 2 * math.log(45)
    assert 7.613 == round(2 * math.log(45), 3)


def test_noise_reaches_zero_at_once() -> None:
    """No length of time keeps noise from a Sharpe ratio of zero."""
    with pytest.raises(Refusal, match="zero or less"):
        min_backtest_length(45, 0)
    with pytest.raises(Refusal, match="zero or less"):
        trial_budget(5, -1)


def test_a_variance_that_is_not_positive_is_refused() -> None:
    """A large Sharpe ratio with a positive skewness and a low kurtosis makes it so."""
    with pytest.raises(Refusal, match="not positive"):
        psr(Moments(1, 24, 2, 5), 0, OF_2012)


def test_the_track_record_and_the_psr_agree() -> None:
    """With as many returns as the track record says, the PSR is 1 - alpha, by both formulas."""
    for formula in (OF_2012, OF_2025):
        needed = min_track_record(FUND, 0.1, formula, 0.05)
        assert 0.95 == pytest.approx(psr(FUND._replace(observations=needed), 0.1, formula))


def test_a_level_next_to_one_takes_a_finite_number_of_returns() -> None:
    """1 - alpha is 1.0 as a float, and 8.49 standard deviations away (scipy's norm.isf)."""
    returns = min_track_record(Moments(0.1, 1_250), 0, OF_2012, 1e-17)
    assert 1 + 1.005 * (8.493793224109599 / 0.1) ** 2 == pytest.approx(returns, rel=1e-9)
