"""How good a series of daily returns, or a list of trades' profits, was.

Returns are fractions (0.01 is one per cent), of capital and in excess of cash. What is annualised uses 252
days. A ratio whose denominator is zero says nothing and is NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from service.local.sample.prices import TRADING_DAYS, Floats


def total_return(returns: Floats) -> float:
    """What one unit of capital gained over all days, compounded, as a fraction."""
    return float(np.cumprod(1.0 + returns)[-1] - 1.0)


def cagr(returns: Floats) -> float:
    """The constant return a year that compounds to the total return, as a fraction."""
    return float((1.0 + total_return(returns)) ** (TRADING_DAYS / len(returns)) - 1.0)


def volatility(returns: Floats) -> float:
    """Annualised sample standard deviation (n-1), as a fraction; 0 where returns do not vary."""
    if np.ptp(returns) == 0.0:  # np.std leaves a rounding error here, and a ratio would then be huge
        return 0.0
    return float(np.std(returns, ddof=1)) * math.sqrt(TRADING_DAYS)


def sharpe_ratio(returns: Floats) -> float:
    """Annualised mean excess return by annualised volatility."""
    return _ratio(float(np.mean(returns)) * TRADING_DAYS, volatility(returns))


def sortino_ratio(returns: Floats) -> float:
    """Annualised mean excess return by annualised downside deviation (target 0, over all days)."""
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)) * TRADING_DAYS)
    return _ratio(float(np.mean(returns)) * TRADING_DAYS, downside)


def skewness(returns: Floats) -> float:
    """The third standardised moment: negative where the worst days are worse than the best are good."""
    return _moment(returns, 3)


def kurtosis(returns: Floats) -> float:
    """The fourth standardised moment, raw: 3 for a normal distribution, not 0."""
    return _moment(returns, 4)


def max_drawdown(returns: Floats) -> float:
    """The deepest fall from a peak of wealth, the start included, as a positive fraction of that peak."""
    return float(np.max(_under_water(returns)))


def max_drawdown_duration(returns: Floats) -> int:
    """The longest spell below a peak of wealth, in days; a spell that has not ended counts up to now."""
    longest = spell = 0
    for depth in _under_water(returns):
        spell = spell + 1 if depth > 0.0 else 0
        longest = max(longest, spell)
    return longest


def calmar_ratio(returns: Floats) -> float:
    """The compound annual return by the maximum drawdown (taken as positive)."""
    return _ratio(cagr(returns), max_drawdown(returns))


def value_at_risk(returns: Floats, tail_percent: int) -> float:
    """The mildest of the worst tail_percent of days, all of them historical, as a positive loss fraction."""
    return float(-_tail(returns, tail_percent)[-1])


def expected_shortfall(returns: Floats, tail_percent: int) -> float:
    """The mean of the worst tail_percent of days (CVaR), as a positive loss fraction."""
    return float(-np.mean(_tail(returns, tail_percent)))


@dataclass(frozen=True, slots=True)
class TradeStatistics:
    """What trades earned, in fractions of capital.

    win_rate is the share of trades with a profit; profit_factor all profits by all losses; average_loss the
    mean of the losing trades, negative; expectancy the mean of all trades.
    """

    count: int
    win_rate: float
    profit_factor: float
    average_loss: float
    expectancy: float


def trade_statistics(profits: Floats) -> TradeStatistics:
    """Statistics of trades' profits after costs; NaN where there is nothing to divide by."""
    count, gains, losses = len(profits), profits[profits > 0.0], profits[profits < 0.0]
    return TradeStatistics(
        count=count,
        win_rate=_ratio(len(gains), count),
        profit_factor=_ratio(float(np.sum(gains)), -float(np.sum(losses))),
        average_loss=_ratio(float(np.sum(losses)), len(losses)),
        expectancy=_ratio(float(np.sum(profits)), count),
    )


def _moment(returns: Floats, power: int) -> float:
    """A standardised central moment with the population's deviation (n); NaN where returns do not vary."""
    off = returns - np.mean(returns)
    spread = float(np.std(returns)) if np.ptp(returns) > 0.0 else 0.0
    return _ratio(float(np.mean(off**power)), spread**power)


def _under_water(returns: Floats) -> Floats:
    wealth = np.cumprod(1.0 + returns)
    peak = np.maximum(np.maximum.accumulate(wealth), 1.0)
    return 1.0 - wealth / peak


def _tail(returns: Floats, tail_percent: int) -> Floats:
    days = max(1, math.ceil(len(returns) * tail_percent / 100))
    return np.sort(returns)[:days]


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0.0 else math.nan
