"""What positions cost and earned: daily profits, turnover and single trades, as fractions of capital."""

from __future__ import annotations

import numpy as np

from service.local.sample.prices import TRADING_DAYS, Floats, daily_returns


def trading(held: Floats) -> Floats:
    """The notional traded to reach each day's positions from the day before's, at first from none."""
    return np.abs(np.diff(held, axis=0, prepend=np.zeros((1, held.shape[1]))))


def turnover(held: Floats) -> float:
    """Notional bought and sold in a year (252 days), in multiples of capital."""
    return float(np.mean(trading(held).sum(axis=1))) * TRADING_DAYS


def profits(held: Floats, prices: Floats, cost_bps: float) -> Floats:
    """Each day's and asset's profit after costs.

    cost_bps is paid on all notional traded, in hundredths of a per cent. The small trades that would undo the
    daily drift of a position are left out.
    """
    costs: Floats = trading(held) * cost_bps / 10_000.0
    return held * daily_returns(prices) - costs


def net_returns(held: Floats, prices: Floats, cost_bps: float) -> Floats:
    """The portfolio's daily returns after costs."""
    total: Floats = profits(held, prices, cost_bps).sum(axis=1)
    return total


def trade_profits(held: Floats, prices: Floats, cost_bps: float) -> Floats:
    """The profit of each trade after costs, asset by asset; their sum is the sum of the daily profits.

    A trade is a spell of one asset on one side: it ends when the position is closed or turned, or is still
    open on the last day. The cost of closing falls on the day after; in a turn, all of that day's cost is the
    new trade's.
    """
    earned = profits(held, prices, cost_bps)
    results: list[float] = []
    for side, daily in zip(np.sign(held).T, earned.T, strict=True):
        starts = np.flatnonzero(np.diff(side, prepend=0.0))
        if not len(starts):
            continue
        for start, profit in zip(starts, np.add.reduceat(daily, starts), strict=True):
            if side[start] != 0.0:
                results.append(float(profit))
            else:  # a flat spell holds nothing but the cost of closing the trade before it
                results[-1] += float(profit)
    return np.array(results)
