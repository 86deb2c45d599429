from __future__ import annotations

import math

import numpy as np
import pytest

from service.local.sample import performance
from service.local.sample.performance import trade_statistics

RETURNS = np.array([0.01, -0.02, 0.03, 0.00])  # mean 0.005, squared deviations sum to 0.0013


def test_total_return_compounds() -> None:
    """1.01 · 0.98 · 1.03 · 1.00 - 1."""
    assert pytest.approx(0.019494) == performance.total_return(RETURNS)


def test_cagr_is_the_total_return_for_a_year() -> None:
    """The total return of four days, compounded 63 times."""
    assert pytest.approx(1.019494**63 - 1.0) == performance.cagr(RETURNS)


def test_cagr_of_a_year_is_its_total_return() -> None:
    """252 days are a year."""
    returns = np.full(252, 0.0004)
    assert pytest.approx(1.0004**252 - 1.0) == performance.cagr(returns)


def test_volatility_is_the_annualised_sample_deviation() -> None:
    """√(0.0013 / 3) · √252."""
    assert pytest.approx(math.sqrt(0.0013 / 3 * 252)) == performance.volatility(RETURNS)


def test_sharpe_ratio_is_mean_over_deviation_annualised() -> None:
    """0.005 / √(0.0013 / 3) · √252."""
    assert pytest.approx(0.005 / math.sqrt(0.0013 / 3) * math.sqrt(252)) == performance.sharpe_ratio(RETURNS)


@pytest.mark.parametrize("daily", [0.0, 0.01, 0.1])
def test_sharpe_ratio_of_returns_that_do_not_vary_is_undefined(daily: float) -> None:
    """No trades, or the same return each day, have no Sharpe ratio, whatever floating point makes of it."""
    assert math.isnan(performance.sharpe_ratio(np.full(10, daily)))


def test_sortino_ratio_counts_only_losses_as_risk() -> None:
    """The downside deviation is √(0.02² / 4): the one loss, over all four days."""
    assert pytest.approx(0.005 / 0.01 * math.sqrt(252)) == performance.sortino_ratio(RETURNS)


def test_sortino_ratio_without_losses_is_undefined() -> None:
    """Where nothing was lost there is no downside to divide by."""
    assert math.isnan(performance.sortino_ratio(np.array([0.01, 0.02])))


def test_max_drawdown_is_the_deepest_fall_from_a_peak() -> None:
    """100 → 120 → 90 → 108 → 130 → 117: the deepest fall is from 120 to 90, a quarter."""
    wealth = np.array([100.0, 120.0, 90.0, 108.0, 130.0, 117.0])
    assert pytest.approx(0.25) == performance.max_drawdown(wealth[1:] / wealth[:-1] - 1.0)


def test_max_drawdown_counts_a_fall_from_the_start() -> None:
    """A history that begins with a 10% loss has had a drawdown of 10%."""
    assert pytest.approx(0.10) == performance.max_drawdown(np.array([-0.10, 0.05]))


def test_max_drawdown_duration_is_the_longest_spell_below_a_peak() -> None:
    """Two days below the first peak, recovery on the third, then three days that have not recovered."""
    returns = np.array([0.10, -0.10, 0.05, 0.20, -0.01, -0.01, -0.01])
    assert performance.max_drawdown_duration(returns) == 3
    assert performance.max_drawdown_duration(returns[:4]) == 2


def test_calmar_ratio_is_cagr_over_max_drawdown() -> None:
    """The four days' compound annual return over their 2% drawdown."""
    assert pytest.approx((1.019494**63 - 1.0) / 0.02) == performance.calmar_ratio(RETURNS)


def test_calmar_ratio_without_a_drawdown_is_undefined() -> None:
    """Wealth that never fell has no Calmar ratio."""
    assert math.isnan(performance.calmar_ratio(np.array([0.01, 0.0])))


def test_value_at_risk_and_shortfall_are_of_the_worst_days() -> None:
    """Of 100 days that lost 1 to 100 basis points, the worst five lost 96 to 100, the worst one 100."""
    returns = -np.arange(1, 101) / 10_000.0
    assert pytest.approx(0.0096) == performance.value_at_risk(returns, 5)
    assert pytest.approx(0.0098) == performance.expected_shortfall(returns, 5)
    assert pytest.approx(0.0100) == performance.value_at_risk(returns, 1)
    assert pytest.approx(0.0100) == performance.expected_shortfall(returns, 1)


def test_a_tail_that_is_no_whole_number_of_days_is_rounded_up() -> None:
    """5% of 21 days is two days, and 1% of them is one."""
    returns = np.linspace(-0.20, 0.20, 21)
    assert pytest.approx(0.18) == performance.value_at_risk(returns, 5)
    assert pytest.approx(0.19) == performance.expected_shortfall(returns, 5)
    assert pytest.approx(0.20) == performance.value_at_risk(returns, 1)


def test_trade_statistics_count_gains_and_losses() -> None:
    """Gains of 6% in two trades against losses of 3% in two others, and one that came out even."""
    statistics = trade_statistics(np.array([0.04, -0.01, 0.02, -0.02, 0.0]))
    assert statistics.count == 5
    assert pytest.approx(0.4) == statistics.win_rate
    assert pytest.approx(2.0) == statistics.profit_factor
    assert pytest.approx(-0.015) == statistics.average_loss
    assert pytest.approx(0.006) == statistics.expectancy


def test_without_trades_nothing_is_said_of_them() -> None:
    """No trades have no win rate, no profit factor and no mean."""
    statistics = trade_statistics(np.array([]))
    assert statistics.count == 0
    assert math.isnan(statistics.win_rate)
    assert math.isnan(statistics.profit_factor)
    assert math.isnan(statistics.average_loss)
    assert math.isnan(statistics.expectancy)


def test_skewness_and_kurtosis_are_standardised_moments() -> None:
    """Of one gain of 3 among three losses of 1: m2 is 3, m3 is 6 and m4 is 21."""
    returns = np.array([3.0, -1.0, -1.0, -1.0])
    assert pytest.approx(6 / 3**1.5) == performance.skewness(returns)
    assert pytest.approx(21 / 9) == performance.kurtosis(returns)


def test_returns_that_do_not_vary_have_no_shape() -> None:
    """There is no deviation to standardise by."""
    assert math.isnan(performance.skewness(np.zeros(5)))
    assert math.isnan(performance.kurtosis(np.zeros(5)))
