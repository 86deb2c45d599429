from __future__ import annotations

import math

import numpy as np
import pytest

from service.local.sample.forecast import fit_slope, forecast_errors, labels
from service.local.sample.prices import Market, simulate_prices
from service.local.sample.strategy import trailing_volatility

PRICES = simulate_prices(Market("test", ("A", "B"), 0.25, 120, 0.18, 0.3, seed=5), 300)


def test_a_label_is_the_return_of_the_days_ahead_in_standard_deviations() -> None:
    """The label of a day is the log return over the horizon by the volatility known on that day."""
    spread = trailing_volatility(PRICES)[200, 0] * math.sqrt(5 / 252)
    expected = math.log(PRICES[205, 0] / PRICES[200, 0]) / spread
    assert pytest.approx(expected) == labels(PRICES, 5)[200, 0]


def test_a_label_reaches_no_further_than_its_horizon() -> None:
    """Prices after the horizon change no label up to the day that reaches them."""
    changed = PRICES.copy()
    changed[206:] *= 2.0
    before, after = labels(PRICES, 5), labels(changed, 5)
    assert np.array_equal(before[:201], after[:201])
    assert not np.any(before[201:206] == after[201:206])


def test_the_last_days_have_no_label_yet() -> None:
    """Days whose horizon lies in the future are 0."""
    assert not labels(PRICES, 5)[-5:].any()
    assert labels(PRICES, 5)[-6].all()


def test_the_slope_is_that_of_least_squares_through_the_origin() -> None:
    """(1·2 + 2·3) / (1² + 2²)."""
    assert pytest.approx(1.6) == fit_slope(np.array([1.0, 2.0]), np.array([2.0, 3.0]))


def test_without_scores_the_slope_is_flat() -> None:
    """Where there never was a trend to learn from, nothing is forecast."""
    assert fit_slope(np.zeros(3), np.ones(3)) == 0.0


def test_forecast_errors_against_what_came() -> None:
    """Errors of 1, -2 and 1: squares sum to 6, sizes to 4, and one of three signs is right."""
    errors = forecast_errors(np.array([2.0, -1.0, 0.5]), np.array([1.0, 1.0, -0.5]))
    assert pytest.approx(2.0) == errors.mse
    assert pytest.approx(4 / 3) == errors.mae
    assert pytest.approx(1 / 3) == errors.directional_accuracy
