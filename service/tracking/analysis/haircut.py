"""What is left of a Sharpe ratio once its p-value is adjusted for all trials. Pure.

Harvey and Liu (2015), Backtesting. They simulate the trials that they do not know; here all are known, and
their p-values are adjusted as they are.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import numpy.typing as npt

from service.tracking.statistics import incomplete_beta

Floats = npt.NDArray[np.float64]

_STEPS = 100
_CLOSE = 1e-10  # of the logarithm of a p-value
_ITERATIONS = 1_000
_EPSILON = 1e-14
_TINY = 1e-300
_MOST_DEGREES = 1e6


def p_values(sharpes: Floats, observations: Floats) -> Floats:
    """Of Sharpe ratios of one period, each from so many returns: two-sided, by Student's t with T - 1 degrees
    of freedom."""
    return two_sided_p(sharpes * np.sqrt(observations), observations - 1)


def bonferroni(p: Floats) -> Floats:
    """Each p-value times their number."""
    return np.minimum(p * len(p), 1.0)


def holm(p: Floats) -> Floats:
    """Adjusted so that the chance of any false finding stays at its level (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    stepwise = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepwise), 1.0)
    return adjusted


def benjamini_yekutieli(p: Floats) -> Floats:
    """Adjusted so that the share of false ones among the findings stays at its level, however they depend.

    Benjamini and Yekutieli (2001), theorem 1.3.
    """
    count = len(p)
    ranks = np.arange(1, count + 1)
    order = np.argsort(p, kind="stable")
    stepwise = p[order] * count / ranks * np.sum(1 / ranks)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.minimum.accumulate(stepwise[::-1])[::-1], 1.0)
    return adjusted


def sharpe_with(p: float, observations: float, most: float) -> float:
    """The Sharpe ratio of one period, from 0 to `most`, that has this two-sided p-value.

    The logarithm of the p-value is nearly a parabola, so that false position in its Illinois form finds it in
    some ten steps.
    """
    df = min(observations - 1, _MOST_DEGREES)

    def above(sharpe: float) -> float:
        t = sharpe * math.sqrt(observations)
        probability = incomplete_beta(df / 2, 0.5, df / (df + t * t))
        return math.log(max(probability, sys.float_info.min)) - math.log(max(p, sys.float_info.min))

    low, high = 0.0, most
    at_low, at_high = above(low), above(high)
    if at_low <= 0:
        return low
    if at_high >= 0:
        return high
    last = 0
    for _ in range(_STEPS):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        at_middle = above(middle)
        if abs(at_middle) < _CLOSE:
            return middle
        side = 1 if at_middle > 0 else -1
        if side > 0:
            low, at_low = middle, at_middle
            at_high /= 2 if side == last else 1
        else:
            high, at_high = middle, at_middle
            at_low /= 2 if side == last else 1
        last = side
    return (low + high) / 2


def two_sided_p(t: Floats, df: Floats) -> Floats:
    """The probability that a t-distributed variable is at least so far from zero.

    df: above 0; more than a million are as good as a million.
    """
    df = np.minimum(df, _MOST_DEGREES)
    with np.errstate(divide="ignore", over="ignore"):
        squares = t * t / df
        x, rest = 1 / (1 + squares), 1 / (1 + 1 / squares)
    a, b = df / 2, np.full_like(df, 0.5)
    direct = x < (a + 1) / (a + b + 2)
    beta = _log_beta(df)
    with np.errstate(divide="ignore"):
        front = np.exp(a * np.log1p(-rest) + b * np.log(rest) - beta)
    first, second = np.where(direct, a, b), np.where(direct, b, a)
    part = front * _fraction(first, second, np.where(direct, x, rest)) / first
    return np.clip(np.where(direct, part, 1 - part), 0.0, 1.0)


def _log_beta(df: Floats) -> Floats:
    """The logarithm of the beta function of df/2 and 1/2; most trials share their number of returns."""
    each, where = np.unique(df, return_inverse=True)
    logs = [math.lgamma(n / 2) + math.lgamma(0.5) - math.lgamma((n + 1) / 2) for n in each.tolist()]
    return np.array(logs)[where]


def _fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    """The continued fraction of the incomplete beta function, by Lentz (Abramowitz and Stegun, 26.5.8)."""
    c = np.ones_like(x)
    d = 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d.copy()
    for m in range(1, _ITERATIONS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for coefficient in (even, odd):
            d = 1 / _not_zero(1 + coefficient * d)
            c = _not_zero(1 + coefficient / c)
            value *= c * d
        if np.all(np.abs(c * d - 1) < _EPSILON):
            break
    return value


def _not_zero(numbers: Floats) -> Floats:
    return np.where(np.abs(numbers) > _TINY, numbers, _TINY)
