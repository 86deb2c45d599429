"""Time-series momentum: hold what has risen, sell what has fallen, sized by risk.

After Moskowitz, Ooi and Pedersen, "Time series momentum" (2012). Positions are fractions of capital: 0.5 is
half the capital long, -0.5 half of it short. Prices are taken as those of futures, so returns need no
financing and a ratio of them is already one of excess returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from service.local.sample.prices import TRADING_DAYS, Floats

VOLATILITY_DAYS = 63
MAX_LEVERAGE = 2.0  # of one asset, before capital is shared among the assets


@dataclass(frozen=True, slots=True)
class Rule:
    """One setting of the strategy.

    signal "sign" takes full positions, "scaled" positions in proportion to the trend's strength, full at 1.
    A trend weaker than entry_threshold (in standard deviations) is not traded. vol_target is the annualised
    volatility, as a fraction, that each asset is sized to; capital is then shared equally among them.
    """

    signal: Literal["sign", "scaled"]
    lookback_days: int
    holding_days: int = 5
    vol_target: float = 0.15
    entry_threshold: float = 0.0


def trailing_volatility(prices: Floats) -> Floats:
    """Annualised volatility of the last 63 daily log returns, known at each close; 0 where history is short.

    It is the sample standard deviation (n-1), from running sums: window by window takes fifty times as long.
    """
    log_returns = np.diff(np.log(prices), axis=0, prepend=np.log(prices[:1]))
    sums, squares = np.cumsum(log_returns, axis=0), np.cumsum(log_returns**2, axis=0)
    total = sums[VOLATILITY_DAYS:] - sums[:-VOLATILITY_DAYS]
    variance = squares[VOLATILITY_DAYS:] - squares[:-VOLATILITY_DAYS] - total**2 / VOLATILITY_DAYS
    volatility = np.zeros_like(prices)
    volatility[VOLATILITY_DAYS:] = np.sqrt(np.maximum(variance, 0.0) / (VOLATILITY_DAYS - 1) * TRADING_DAYS)
    return volatility


def trend_score(prices: Floats, lookback_days: int) -> Floats:
    """The lookback's log return in standard deviations, known at each close; 0 where history is short."""
    past = np.zeros_like(prices)
    past[lookback_days:] = np.log(prices[lookback_days:] / prices[:-lookback_days])
    spread = trailing_volatility(prices) * np.sqrt(lookback_days / TRADING_DAYS)
    score = np.zeros_like(prices)
    np.divide(past, spread, out=score, where=spread > 0.0)
    return score


def positions(prices: Floats, rule: Rule) -> Floats:
    """What is held during each day: row t is decided at the close of t-1 at the latest, from prices[:t].

    A position is renewed every holding_days and kept unchanged in between.
    """
    score = trend_score(prices, rule.lookback_days)
    view = np.sign(score) if rule.signal == "sign" else np.clip(score, -1.0, 1.0)
    view = np.where(np.abs(score) < rule.entry_threshold, 0.0, view)
    volatility = trailing_volatility(prices)
    size = np.divide(rule.vol_target, volatility, out=np.zeros_like(prices), where=volatility > 0.0)
    decided = view * np.minimum(size, MAX_LEVERAGE) / prices.shape[1]
    held = np.zeros_like(prices)
    last_renewal = np.arange(len(prices) - 1) // rule.holding_days * rule.holding_days
    held[1:] = decided[last_renewal]
    return held
