"""Tests of whether paired differences lie around 0, without a distribution assumed. Pure."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

_MOST_EXACT: Final = 50  # differences
_Numbers = npt.NDArray[np.float64]


def exact_sign_p(differences: _Numbers) -> float:
    """Two-sided p of the sign test of differences that are not 0: at least one."""
    count = len(differences)
    rarer = min(int(np.count_nonzero(differences > 0)), int(np.count_nonzero(differences < 0)))
    ways = sum(math.comb(count, number) for number in range(rarer + 1))
    of: int = 2 ** (count - 1)  # which may be larger than any float, as `ways` may
    return min(1.0, ways / of)


def signed_rank_p(differences: _Numbers, rounding: float = 0.0) -> float:
    """Two-sided p of Wilcoxon's signed-rank test of differences that are not 0: at least one.

    Equal sizes share the mean of their ranks, and the distribution is that of all signs of these ranks.
    rounding: sizes that are no further apart are equal.
    """
    ranks = mean_ranks(np.abs(differences), rounding)
    above = float(ranks[differences > 0].sum())
    if len(ranks) > _MOST_EXACT:
        return _normal_p(ranks, above)
    doubled = np.rint(2 * ranks).astype(np.int64)  # mean ranks are halves at most
    ways = np.ones(1)
    for rank in doubled:
        ways = np.concatenate((ways, np.zeros(rank))) + np.concatenate((np.zeros(rank), ways))
    place = round(2 * above)
    tail = min(ways[: place + 1].sum(), ways[place:].sum())
    return min(1.0, float(2 * tail / ways.sum()))


def mean_ranks(sizes: _Numbers, rounding: float = 0.0) -> _Numbers:
    """The rank of each, from 1; those that are equal share the mean of theirs."""
    order = np.argsort(sizes, kind="stable")
    starts = np.flatnonzero(np.diff(sizes[order], prepend=-np.inf) > rounding)
    counts = np.diff(starts, append=len(sizes))
    ranks = np.empty(len(sizes))
    ranks[order] = np.repeat(starts + (counts + 1) / 2, counts)
    return ranks


def _normal_p(ranks: _Numbers, above: float) -> float:
    """By the normal distribution; the variance of the sum of these ranks with random signs."""
    expected, variance = ranks.sum() / 2, (ranks**2).sum() / 4
    return math.erfc(abs(above - expected) / math.sqrt(2 * variance))
