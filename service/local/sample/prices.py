"""Simulated daily prices whose trends last for months, so that trend following has something to find."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

TRADING_DAYS = 252  # in a year; every annualised figure in this package uses it

_VOLATILITY_MEMORY = (
    0.97  # day-to-day persistence of log volatility: calm and nervous months follow each other
)
_VOLATILITY_SHOCK = 0.06
_FIRST_PRICE = 100.0
_DECIMALS = 4  # the tick; it also hides the last bits in which two processors' exp() differ


@dataclass(frozen=True, slots=True)
class Market:
    """How a group of assets moves.

    annual_trend is the size of the drift, as a fraction a year: up in one regime, down in the other, each
    lasting trend_days on average. annual_volatility is a fraction a year, correlation that between any two
    assets' shocks.
    """

    name: str
    assets: tuple[str, ...]
    annual_trend: float
    trend_days: float
    annual_volatility: float
    correlation: float
    seed: int


def simulate_prices(market: Market, days: int) -> Floats:
    """Closing prices, one row a day and one column an asset, the same for a market on every call."""
    random = np.random.Generator(np.random.PCG64(market.seed))
    shape = (days, len(market.assets))
    up = random.random(shape[1]) < 0.5  # noqa: PLR2004  # a fair coin
    turns = np.cumsum(random.random(shape) < 1.0 / market.trend_days, axis=0)
    direction = np.where((turns + up) % 2 == 0, -1.0, 1.0)
    volatility = (
        market.annual_volatility / np.sqrt(TRADING_DAYS) * _nervousness(random.standard_normal(shape))
    )
    common = random.standard_normal((days, 1))
    own = random.standard_normal(shape)
    shocks = np.sqrt(market.correlation) * common + np.sqrt(1.0 - market.correlation) * own
    drift = direction * market.annual_trend / TRADING_DAYS - volatility**2 / 2.0
    log_returns = drift + volatility * shocks
    log_returns[0] = 0.0
    prices: Floats = _FIRST_PRICE * np.exp(np.cumsum(log_returns, axis=0))
    return prices.round(_DECIMALS)


def daily_returns(prices: Floats) -> Floats:
    """Simple returns as fractions: row t is what happened from the close of t-1 to that of t; row 0 is 0."""
    returns = np.zeros_like(prices)
    returns[1:] = prices[1:] / prices[:-1] - 1.0
    return returns


def corrected(prices: Floats) -> Floats:
    """The prices as a vendor may deliver them again: one close of the first asset is 1% higher."""
    delivered = prices.copy()
    row = len(prices) // 2
    delivered[row, 0] = round(delivered[row, 0] * 1.01, _DECIMALS)
    return delivered


def digest(prices: Floats) -> str:
    """Eight hexadecimal digits that tell one history of prices from another, as MLflow's own digests do."""
    return hashlib.sha256(prices.astype("<f8").tobytes()).hexdigest()[:8]


def _nervousness(noise: Floats) -> Floats:
    """Factors on volatility that wander around 1, one a day and asset."""
    log_factor = np.zeros_like(noise)
    for day in range(1, len(noise)):
        log_factor[day] = _VOLATILITY_MEMORY * log_factor[day - 1] + _VOLATILITY_SHOCK * noise[day]
    return np.exp(log_factor)
