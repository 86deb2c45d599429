from __future__ import annotations

import math
import statistics
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from service.local.sample.prices import Floats, Market, simulate_prices
from service.local.sample.strategy import Rule, positions, trailing_volatility, trend_score

PRICES = simulate_prices(Market("test", ("A", "B"), 0.25, 120, 0.18, 0.3, seed=5), 400)
RULE = Rule("scaled", lookback_days=63)


def alternating(even: float, odd: float, days: int = 200) -> Floats:
    """One asset whose price is multiplied by `even` and `odd` in turn."""
    factors = np.array([odd if day % 2 else even for day in range(days)])
    return 100.0 * np.cumprod(factors)[:, None]


def rising() -> Floats:
    """One asset that rises 1% on even days and falls 0.5% on odd ones."""
    return alternating(1.01, 0.995)


@pytest.mark.parametrize("signal", ["sign", "scaled"])
@pytest.mark.parametrize("holding_days", [1, 5])
@pytest.mark.parametrize("day", [100, 251, 399])
def test_a_position_knows_no_later_price(
    signal: Literal["sign", "scaled"], holding_days: int, day: int
) -> None:
    """Changing the prices of a day and all later ones changes no position up to and including that day's."""
    rule = replace(RULE, signal=signal, holding_days=holding_days)
    changed = PRICES.copy()
    changed[day:] *= np.linspace(0.5, 2.0, len(PRICES) - day)[:, None]
    assert np.array_equal(positions(PRICES, rule)[: day + 1], positions(changed, rule)[: day + 1])


def test_a_position_follows_the_close_before() -> None:
    """A crash on one day turns the position on the next day, not on the same one."""
    crashed = rising()
    crashed[150:] *= 0.3
    held = positions(crashed, Rule("sign", lookback_days=21, holding_days=1))[:, 0]
    assert held[150] > 0.0
    assert held[151] < 0.0


def test_volatility_is_the_annualised_deviation_of_63_log_returns() -> None:
    """The trailing volatility is the sample standard deviation of the last 63 log returns times √252."""
    logs = [
        math.log(after / before) for before, after in zip(PRICES[236:299, 0], PRICES[237:300, 0], strict=True)
    ]
    expected = statistics.stdev(logs) * math.sqrt(252)
    assert pytest.approx(expected) == trailing_volatility(PRICES)[299, 0]


def test_a_score_is_the_trend_in_standard_deviations() -> None:
    """The score is the lookback's log return over the volatility of as many days."""
    volatility = trailing_volatility(PRICES)[300, 1]
    expected = math.log(PRICES[300, 1] / PRICES[279, 1]) / (volatility * math.sqrt(21 / 252))
    assert pytest.approx(expected) == trend_score(PRICES, 21)[300, 1]


def test_nothing_is_held_while_history_is_short() -> None:
    """Up to the day after the lookback, and after the volatility's 63 days, positions are 0."""
    assert not positions(PRICES, replace(RULE, lookback_days=126, holding_days=1))[:127].any()
    assert not positions(PRICES, replace(RULE, lookback_days=21, holding_days=1))[:64].any()
    assert positions(PRICES, replace(RULE, lookback_days=21, holding_days=1))[64].all()


def test_prices_that_stand_still_are_not_traded() -> None:
    """Without volatility there is no size and no score, only 0."""
    assert not positions(np.full((200, 2), 100.0), RULE).any()


def test_a_position_is_kept_for_the_holding_days() -> None:
    """Positions change only on the day after every fifth close."""
    held = positions(PRICES, replace(RULE, holding_days=5))
    changes = {int(day) % 5 for day in np.flatnonzero(np.diff(held[:, 0])) + 1}
    assert {1} == changes


def test_a_position_is_sized_to_the_volatility_target() -> None:
    """A full position's volatility is the target, shared among the assets."""
    held = positions(PRICES, Rule("sign", lookback_days=63, holding_days=1, vol_target=0.12))
    expected = 0.12 / trailing_volatility(PRICES)[299] / 2
    assert pytest.approx(expected) == np.abs(held[300])


def test_leverage_is_capped() -> None:
    """However calm an asset is, at most twice its share of capital is held."""
    calm = alternating(1.0002, 0.9999)
    assert np.max(positions(calm, Rule("sign", lookback_days=21))) == 2.0


def test_a_scaled_position_grows_with_the_trend_up_to_a_full_one() -> None:
    """A scaled position is the full one times the score, which is cut at 1 on either side."""
    full = positions(PRICES, replace(RULE, signal="sign", holding_days=1))
    scaled = positions(PRICES, replace(RULE, holding_days=1))
    strength = np.minimum(np.abs(trend_score(PRICES, 63)[:-1]), 1.0)
    assert np.allclose(full[1:] * strength, scaled[1:])


def test_a_trend_below_the_threshold_is_not_traded() -> None:
    """What is held with an entry threshold is what is held without, where the score reaches it."""
    free = positions(PRICES, replace(RULE, holding_days=1))
    strict = positions(PRICES, replace(RULE, holding_days=1, entry_threshold=0.8))
    strong = np.abs(trend_score(PRICES, 63)[:-1]) >= 0.8
    assert np.array_equal(np.where(strong, free[1:], 0.0), strict[1:])
    assert 0 < np.count_nonzero(strict) < np.count_nonzero(free)
