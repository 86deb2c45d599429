"""Student's t distribution, as far as intervals of a mean need it. Pure."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_ITERATIONS = 300
_MANY = 100  # degrees of freedom for which the expansion is right to 9 digits
_MIDDLE = 0.5
_TWO = 2
_FAR = 3
_TINY = 1e-300
_EPSILON = 1e-15


@lru_cache(maxsize=4_096)
def t_quantile(p: float, df: int) -> float:
    """The value that a variable with Student's distribution is below with probability p.

    p: between 0 and 1. df: degrees of freedom, from 1 on. Newton's method on the distribution function,
    started from the expansion in Abramowitz and Stegun, 26.7.5.
    """
    if p < _MIDDLE:
        return -t_quantile(1 - p, df)
    if df == 1:
        return math.tan(math.pi * (p - 0.5))
    if df == _TWO:
        return (2 * p - 1) / math.sqrt(2 * p * (1 - p))
    z = NormalDist().inv_cdf(p)
    t = (
        z
        + (z**3 + z) / (4 * df)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * df**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92_160 * df**4)
    )
    if df >= _MANY and z < _FAR:
        return t
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    for _ in range(_ITERATIONS):
        density = scale * (1 + t * t / df) ** (-(df + 1) / 2)
        step = (t_probability(t, df) - p) / density
        t -= step
        if abs(step) <= 1e-12 * max(1.0, abs(t)):
            break
    return t


def t_probability(t: float, df: int) -> float:
    """The probability that a t-distributed variable is at most t."""
    above = incomplete_beta(df / 2, 0.5, df / (df + t * t)) / 2
    return 1 - above if t > 0 else above


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function, by its continued fraction (Abramowitz and Stegun, 26.5.8)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction, evaluated from the front by Lentz's method."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _ITERATIONS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for coefficient in (even, odd):
            d = 1 / _not_zero(1 + coefficient * d)
            c = _not_zero(1 + coefficient / c)
            value *= c * d
        if abs(c * d - 1) < _EPSILON:
            break
    return value


def _not_zero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY
