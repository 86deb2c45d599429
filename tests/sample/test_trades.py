from __future__ import annotations

import numpy as np
import pytest

from service.local.sample.prices import Market, simulate_prices
from service.local.sample.strategy import Rule, positions
from service.local.sample.trades import net_returns, profits, trade_profits, turnover

PRICES = np.array([[100.0], [110.0], [99.0], [99.0], [108.9]])  # +10%, -10%, 0, +10%


def test_a_position_earns_its_day_and_pays_for_its_change() -> None:
    """Half the capital long over a 10% day earns 5% less 100 bp on the half that was bought."""
    held = np.array([[0.0], [0.5], [-0.5], [0.0], [0.0]])
    expected = [0.0, 0.05 - 0.005, 0.05 - 0.01, -0.005, 0.0]
    assert pytest.approx(expected) == net_returns(held, PRICES, cost_bps=100.0).tolist()


def test_turnover_is_the_notional_traded_in_a_year() -> None:
    """Buying 0.5, turning to -0.5 and closing in five days is 2.0 of capital, times 252/5."""
    held = np.array([[0.0], [0.5], [-0.5], [0.0], [0.0]])
    assert pytest.approx(2.0 * 252 / 5) == turnover(held)


def test_a_trade_is_a_spell_on_one_side() -> None:
    """Long, short, flat and long again are three trades; the closing cost belongs to the one closed."""
    held = np.array([[0.0], [0.5], [-0.5], [0.0], [0.5]])
    expected = [0.05 - 0.005, 0.05 - 0.01 - 0.005, 0.05 - 0.005]
    assert pytest.approx(expected) == trade_profits(held, PRICES, cost_bps=100.0).tolist()


def test_resizing_is_not_another_trade() -> None:
    """A position that grows on the same side stays one trade."""
    held = np.array([[0.0], [0.5], [1.0], [1.0], [1.0]])
    assert pytest.approx([0.05 - 0.10 + 0.10]) == trade_profits(held, PRICES, cost_bps=0.0).tolist()


def test_without_positions_there_are_no_trades() -> None:
    """Assets that are never held give an empty list."""
    assert trade_profits(np.zeros((5, 1)), PRICES, cost_bps=1.0).tolist() == []


def test_the_trades_account_for_every_profit() -> None:
    """The trades of a real history add up to its daily profits, costs included."""
    prices = simulate_prices(Market("test", ("A", "B", "C"), 0.25, 120, 0.18, 0.3, seed=5), 1_000)
    held = positions(prices, Rule("scaled", lookback_days=21, entry_threshold=0.5))
    trades = trade_profits(held, prices, cost_bps=5.0)
    assert len(trades) > 50
    assert pytest.approx(profits(held, prices, cost_bps=5.0).sum()) == trades.sum()
