"""The forecast inside the strategy: how far the trend's strength foretells the next days' return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.local.sample.prices import TRADING_DAYS, Floats
from service.local.sample.strategy import trailing_volatility


@dataclass(frozen=True, slots=True)
class ForecastErrors:
    """How far forecasts of returns, both in standard deviations, were off.

    mse is in squared standard deviations: about 1 is what forecasting nothing would get. mae is in standard
    deviations. directional_accuracy is the share of forecasts with the right sign, as a fraction.
    """

    mse: float
    mae: float
    directional_accuracy: float


def labels(prices: Floats, horizon_days: int) -> Floats:
    """The log return from the close of t to that of t + horizon_days, in standard deviations known at t.

    It is 0 where the volatility is not known yet, and on the last horizon_days rows, whose future is not.
    """
    ahead = np.zeros_like(prices)
    ahead[:-horizon_days] = np.log(prices[horizon_days:] / prices[:-horizon_days])
    spread = trailing_volatility(prices) * np.sqrt(horizon_days / TRADING_DAYS)
    label = np.zeros_like(prices)
    np.divide(ahead, spread, out=label, where=spread > 0.0)
    return label


def fit_slope(scores: Floats, outcomes: Floats) -> float:
    """The least-squares slope through the origin of outcomes on scores; 0 where all scores are 0."""
    squares = float(np.sum(scores**2))
    return float(np.sum(scores * outcomes)) / squares if squares > 0.0 else 0.0


def forecast_errors(forecasts: Floats, outcomes: Floats) -> ForecastErrors:
    """The errors of all forecasts against what came, whatever the arrays' shape."""
    off = forecasts - outcomes
    return ForecastErrors(
        mse=float(np.mean(off**2)),
        mae=float(np.mean(np.abs(off))),
        directional_accuracy=float(np.mean(np.sign(forecasts) == np.sign(outcomes))),
    )
