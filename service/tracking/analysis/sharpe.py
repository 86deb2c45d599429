"""How sure a Sharpe ratio is, after one trial and after many. Pure.

All Sharpe ratios here are those of one period (a day's, a month's), unless a name says annual. The kurtosis
is raw: that of a normal distribution is 3. Where a formula has no value, a Refusal says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist
from typing import Final, NamedTuple, Protocol

import numpy as np

from service.tracking.analysis.computed import NOT_COMPUTABLE
from service.tracking.analysis.refusals import Refusal

NORMAL_SKEWNESS: Final = 0.0
NORMAL_KURTOSIS: Final = 3.0
MOST_TRIALS: Final = 10**9  # where the search for a number of trials ends

_EULER: Final = 0.5772156649015329
_NORMAL: Final = NormalDist()
# Of a standard normal variable: sums over them are integrals, right to 10 digits and more.
_STEP: Final = 0.01
_VALUES: Final = np.arange(-10, 12, _STEP)
_BELOW: Final = np.array([_NORMAL.cdf(value) for value in _VALUES.tolist()])
_DENSITY: Final = np.exp(-(_VALUES**2) / 2) / math.sqrt(2 * math.pi)


class Moments(NamedTuple):
    """What is known of the returns that a Sharpe ratio was computed from.

    sharpe: of one period. observations: the number of returns, at least 2. kurtosis: raw, and at least
    1 + skewness².
    """

    sharpe: float
    observations: float
    skewness: float = NORMAL_SKEWNESS
    kurtosis: float = NORMAL_KURTOSIS

    def variance_at(self, sharpe: float, autocorrelation: float = 0.0) -> float:
        """The variance of an estimated Sharpe ratio, times the number of returns. sharpe: the true one.

        1 - skewness * SR + (kurtosis - 1) / 4 * SR² (Mertens 2002). autocorrelation: of neighbouring returns,
        above -1 and below 1 (López de Prado, Lipton and Zoonekynd 2025).
        """
        rho = autocorrelation
        a = (1 + rho) / (1 - rho)
        b = (1 + rho + rho**2) / (1 - rho**2)
        c = (1 + rho**2) / (1 - rho**2)
        variance = a - b * self.skewness * sharpe + c * (self.kurtosis - 1) / 4 * sharpe**2
        if not variance > 0:
            raise Refusal(
                NOT_COMPUTABLE,
                "With this Sharpe ratio, skewness and kurtosis the variance of the estimate is not positive: "
                "check the unit of the Sharpe ratio and the convention of the kurtosis.",
            )
        return variance


class Formula(Protocol):
    """How the variance of an estimated Sharpe ratio is taken."""

    def variance(self, moments: Moments, benchmark: float, trials: float) -> float:
        """Of the estimate, or of the best of so many estimates, against a benchmark."""
        ...

    def track_record(self, moments: Moments, benchmark: float, z: float) -> float:
        """Returns that are needed for the Sharpe ratio to be z standard deviations above the benchmark."""
        ...


class Bailey2012(NamedTuple):
    """Bailey and López de Prado (2012, 2014): the variance at the estimated Sharpe ratio, over T - 1."""

    def variance(self, moments: Moments, benchmark: float, trials: float) -> float:  # noqa: ARG002 - of Formula
        """The same for each benchmark and each number of trials."""
        return moments.variance_at(moments.sharpe) / (moments.observations - 1)

    def track_record(self, moments: Moments, benchmark: float, z: float) -> float:
        """As they have it in 2012."""
        return 1 + moments.variance_at(moments.sharpe) * (z / (moments.sharpe - benchmark)) ** 2


class LopezDePrado2025(NamedTuple):
    """López de Prado, Lipton and Zoonekynd (2025): the variance at the benchmark, over T, that of a maximum.

    autocorrelation: of neighbouring returns, above -1 and below 1.
    """

    autocorrelation: float = 0.0

    def variance(self, moments: Moments, benchmark: float, trials: float) -> float:
        """Smaller where the estimate is the best of many trials: a maximum varies less than each of them."""
        one = moments.variance_at(benchmark, self.autocorrelation) / moments.observations
        return one * variance_of_maximum(trials)

    def track_record(self, moments: Moments, benchmark: float, z: float) -> float:
        """Without the one return that the formula of 2012 adds."""
        return moments.variance_at(benchmark, self.autocorrelation) * (z / (moments.sharpe - benchmark)) ** 2


def psr(moments: Moments, benchmark: float, formula: Formula, trials: float = 1) -> float:
    """The probability that the true Sharpe ratio is above the benchmark: Probabilistic Sharpe Ratio.

    trials: how many estimates this one is the best of, which only the formula of 2025 minds.
    """
    deviation = math.sqrt(formula.variance(moments, benchmark, trials))
    return _NORMAL.cdf((moments.sharpe - benchmark) / deviation)


def min_track_record(moments: Moments, benchmark: float, formula: Formula, alpha: float) -> float:
    """How many returns it takes until the PSR is 1 - alpha, with the same Sharpe ratio and moments."""
    if moments.sharpe <= benchmark:
        raise Refusal(
            NOT_COMPUTABLE,
            "The Sharpe ratio is not above the benchmark, so that no number of returns makes it significant.",
        )
    return formula.track_record(moments, benchmark, -_NORMAL.inv_cdf(alpha))  # 1 - alpha may be 1.0


def expected_maximum(trials: float) -> float:
    """The expected maximum of so many independent standard normal variables, about: 0 of one.

    Bailey and López de Prado (2014). From 3 variables on it is too high, by 3 % at most; for 1,000 by 0.4 %.
    """
    if trials <= 1:
        return 0.0
    low = _NORMAL.inv_cdf(1 - 1 / trials)
    high = _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return max(0.0, (1 - _EULER) * low + _EULER * high)


@lru_cache(maxsize=1_024)
def variance_of_maximum(trials: float) -> float:
    """The variance of the maximum of so many independent standard normal variables: 1 of one."""
    if trials <= 1:
        return 1.0
    density = trials * _DENSITY * _BELOW ** (trials - 1) * _STEP
    mean = float(density @ _VALUES)
    return float(density @ (_VALUES - mean) ** 2)


def dsr(moments: Moments, deviation: float, trials: float, formula: Formula) -> float:
    """The Deflated Sharpe Ratio: the PSR against the best that so many trials of noise are expected to reach.

    deviation: of the trials' Sharpe ratios of one period, ddof 1. Bailey and López de Prado (2014).
    """
    return psr(moments, deviation * expected_maximum(trials), formula, trials)


def break_even_trials(
    moments: Moments, deviation: float, formula: Formula, level: float, trials: float
) -> int:
    """The largest number of trials for which the DSR is at least the level; 0 where one is too many.

    trials: how many there are. By the formula of 2025 the DSR may rise with their number: a Refusal where it
    is below the level with so many, and reaches it with more.
    """
    largest = _largest(lambda number: dsr(moments, deviation, number, formula) >= level)
    if largest > trials and dsr(moments, deviation, trials, formula) < level:
        raise Refusal(
            NOT_COMPUTABLE,
            f"By this formula the DSR rises with the number of trials here: it is below {level:g} with "
            f"{trials:,g}, and reaches that with more.",
        )
    if largest >= MOST_TRIALS:
        raise Refusal(
            NOT_COMPUTABLE, f"The DSR stays at {level:g} or above with {MOST_TRIALS:,} trials and more."
        )
    return largest


def effective_trials(trials: int, correlation: float) -> float:
    """How many independent trials so many correlated ones are worth, about.

    correlation: the mean of all pairs; below 0 counts as 0. Bailey and López de Prado (2014), appendix.
    """
    correlation = min(max(correlation, 0.0), 1.0)
    return correlation + (1 - correlation) * trials


def min_backtest_length(trials: float, annual_sharpe: float) -> float:
    """Years of returns after which so many trials of noise are not expected to reach this Sharpe ratio.

    Bailey, Borwein, López de Prado and Zhu (2014).
    """
    if annual_sharpe <= 0:
        raise Refusal(NOT_COMPUTABLE, "Noise always reaches a Sharpe ratio of zero or less.")
    return (expected_maximum(trials) / annual_sharpe) ** 2


def trial_budget(years: float, annual_sharpe: float) -> int:
    """The largest number of trials of noise whose best is not expected to be above this Sharpe ratio."""
    if annual_sharpe <= 0:
        raise Refusal(NOT_COMPUTABLE, "Noise always reaches a Sharpe ratio of zero or less.")
    largest = _largest(lambda trials: expected_maximum(trials) <= annual_sharpe * math.sqrt(years))
    if largest >= MOST_TRIALS:
        raise Refusal(NOT_COMPUTABLE, f"{MOST_TRIALS:,} trials and more fit into so many years.")
    return largest


def _largest(holds: Callable[[int], bool]) -> int:
    """The largest number up to MOST_TRIALS for which it holds, 0 where it holds for none.

    It is looked for at the powers of 2 and then between two of them. It may begin to hold late (the DSR of
    2025 rises before it falls), but it must not begin again.
    """
    powers = [1 << power for power in range(MOST_TRIALS.bit_length())]
    low = max((power for power in powers if holds(power)), default=0)
    high = 2 * low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return min(low, MOST_TRIALS)
