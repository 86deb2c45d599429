"""Ranks and what is tested with them: Spearman, Kruskal and Wallis, Benjamini and Hochberg. Pure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from service.tracking.statistics import incomplete_beta

Floats = NDArray[np.float64]


def ranks_of(values: NDArray[np.generic]) -> Floats:
    """The rank of each value, from 1 on; equal values share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[places.ravel()]
    return ranks


def spearman(x: NDArray[np.generic], y: NDArray[np.generic]) -> tuple[float, float]:
    """Spearman's rho of at least 3 pairs, and the two-sided p-value by Student's t with n - 2 degrees.

    Neither x nor y may be constant.
    """
    rho = _correlation(ranks_of(x), ranks_of(y))
    # df / (df + t²) = 1 - rho², so that the tails beyond ±t are this.
    return rho, incomplete_beta((len(x) - 2) / 2, 0.5, 1 - rho * rho)


def _correlation(x: Floats, y: Floats) -> float:
    x, y = x - x.mean(), y - y.mean()
    rho = float(x @ y) / math.sqrt(float(x @ x) * float(y @ y))
    return max(-1.0, min(1.0, rho))


def kruskal_wallis(groups: NDArray[np.integer], values: NDArray[np.generic]) -> tuple[float, float]:
    """Epsilon squared, 0 to 1, and the p-value by chi squared with one degree less than there are groups.

    groups: the group of each value, of which there are at least two. The values may not all be equal.
    H is corrected for ties (Kruskal and Wallis 1952); epsilon squared is H / (n - 1) (Tomczak 2014).
    """
    n = len(values)
    ranks = ranks_of(values)
    _, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.bincount(places.ravel(), ranks)
    # The same H, by deviations from the mean rank: the variance of the ranks holds the correction for ties.
    between = float((sizes * (sums / sizes - (n + 1) / 2) ** 2).sum())
    h = (n - 1) * between / float(((ranks - (n + 1) / 2) ** 2).sum())
    return min(1.0, h / (n - 1)), chi_squared_above(h, len(sizes) - 1)


def chi_squared_above(x: float, df: int) -> float:
    """The probability that a variable with this distribution is above x. df: degrees of freedom, from 1 on.

    Q(a + 1, z) = Q(a, z) + z^a e^-z / Γ(a + 1), from Q(1/2, z) = erfc(√z) or Q(1, z) = e^-z
    (https://dlmf.nist.gov/8.8.E6), where a is df / 2 and z is x / 2.
    """
    z = x / 2
    if z <= 0:
        return 1.0
    above = math.exp(-z) if df % 2 == 0 else math.erfc(math.sqrt(z))
    a = 1.0 if df % 2 == 0 else 0.5
    while a < df / 2:
        above += math.exp(a * math.log(z) - z - math.lgamma(a + 1))
        a += 1
    return min(1.0, above)


def benjamini_hochberg(p_values: Floats) -> Floats:
    """For each test the smallest false discovery rate at which it counts (Benjamini and Hochberg 1995)."""
    n = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * n / np.arange(1, n + 1)
    adjusted = np.empty(n)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return adjusted
