from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from service.local.sample.prices import Market, daily_returns, simulate_prices

MARKET = Market("test", ("A", "B", "C"), 0.20, 120, 0.16, 0.4, seed=7)


def test_a_market_has_the_same_prices_on_every_machine() -> None:
    """The last prices of a seed are known to the last decimal."""
    assert simulate_prices(MARKET, 500)[-1].tolist() == [83.4909, 80.4831, 101.5577]


def test_prices_start_at_100_for_each_asset() -> None:
    """Every asset starts at 100, with a row a day and a column an asset."""
    prices = simulate_prices(MARKET, 30)
    assert prices.shape == (30, 3)
    assert prices[0].tolist() == [100.0, 100.0, 100.0]


def test_another_seed_is_another_history() -> None:
    """Two seeds of one market share nothing but the first price."""
    other = simulate_prices(replace(MARKET, seed=8), 500)
    assert not np.any(simulate_prices(MARKET, 500)[1:] == other[1:])


def test_volatility_and_correlation_are_those_of_the_market() -> None:
    """Over a long history the annualised volatility and the correlation come out near what was asked."""
    returns = daily_returns(simulate_prices(MARKET, 20_000))
    assert pytest.approx([0.16] * 3, rel=0.1) == (returns.std(axis=0) * np.sqrt(252)).tolist()
    assert pytest.approx(0.4, abs=0.05) == np.corrcoef(returns[:, 0], returns[:, 1])[0, 1]


def test_a_trending_market_goes_on_as_it_went() -> None:
    """Quarterly returns follow each other in a market with trends, and do not in one without."""

    def persistence(annual_trend: float) -> float:
        market = replace(MARKET, annual_trend=annual_trend)
        quarters = np.diff(np.log(simulate_prices(market, 63 * 600)[::63]), axis=0)
        return float(np.corrcoef(quarters[:-1].ravel(), quarters[1:].ravel())[0, 1])

    assert persistence(0.30) > 0.15
    assert pytest.approx(0.0, abs=0.05) == persistence(0.0)


def test_a_return_is_the_change_since_the_close_before() -> None:
    """Returns are simple fractions, and the first day has none."""
    prices = np.array([[100.0], [110.0], [99.0]])
    assert pytest.approx([0.0, 0.10, -0.10]) == daily_returns(prices)[:, 0].tolist()
