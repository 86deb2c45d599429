"""What metrics are like over groups of rows. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.index.cells import MISSING, Numbers
from service.index.ordering import Keys, Rows
from service.index.ranks import LAST
from service.tracking.directions import Direction
from service.tracking.search.queries import MetricSummary
from service.tracking.statistics import t_quantile

_CONFIDENCE: Final = 0.975  # of each side of a 95 % interval

_SCORE: Final[dict[Direction, Callable[[Numbers], Numbers]]] = {
    Direction.MAX: lambda numbers: numbers,
    Direction.MIN: lambda numbers: -numbers,
    Direction.CLOSEST_TO_ZERO: lambda numbers: -np.abs(numbers),
}


class Parts(NamedTuple):
    """Rows group by group. starts: where each group begins; none is empty."""

    rows: Rows
    starts: NDArray[np.intp]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """How many rows each group has."""
        return np.diff(self.starts, append=len(self.rows))

    def some(self, groups: list[int]) -> Parts:
        """These groups only, in this order."""
        sizes = self.sizes
        rows = [self.rows[self.starts[group] : self.starts[group] + sizes[group]] for group in groups]
        starts = np.cumsum([0, *map(len, rows)])[:-1]
        return Parts(np.concatenate(rows) if rows else self.rows[:0], starts)


class Summaries(NamedTuple):
    """The fields of MetricSummary, each for all groups; NaN where there is none."""

    n: Numbers
    missing: Numbers
    mean: Numbers
    sd: Numbers
    min: Numbers
    max: Numbers
    ci_low: Numbers
    ci_high: Numbers

    def of(self, group: int, best_run_id: str | None) -> MetricSummary:
        """Those of one group."""
        numbers = [float(column[group]) for column in self]
        n, missing = map(int, numbers[:2])
        mean, sd, low, high, ci_low, ci_high = (
            number if math.isfinite(number) else None for number in numbers[2:]
        )
        return MetricSummary(n, missing, mean, sd, low, high, ci_low, ci_high, best_run_id)


def summarize(numbers: Numbers, parts: Parts) -> Summaries:
    """Of a metric, whose numbers are those of all rows."""
    values, sizes, starts = numbers[parts.rows], parts.sizes, parts.starts
    finite = np.isfinite(values)
    with np.errstate(all="ignore"):  # none of one value, and sums beyond what a float can be, become None
        n = np.add.reduceat(finite.astype(np.float64), starts)
        low = np.minimum.reduceat(np.where(finite, values, np.inf), starts)
        high = np.maximum.reduceat(np.where(finite, values, -np.inf), starts)
        mean = np.clip(np.add.reduceat(np.where(finite, values, 0.0), starts) / n, low, high)
        away = np.where(finite, values - np.repeat(mean, sizes), 0.0)
        sd = np.sqrt(np.add.reduceat(away * away, starts) / (n - 1))
        mean = np.clip(mean + np.add.reduceat(away, starts) / n, low, high)
        half = _quantiles(n) * sd / np.sqrt(n)
        columns = [mean, sd, low, high, mean - half, mean + half]
    for column in columns:
        column[~np.isfinite(column)] = MISSING
    return Summaries(n, sizes - n, *columns)


def best_rows(numbers: Numbers, starts_of_rows: Keys, parts: Parts, direction: Direction) -> list[list[int]]:
    """Of each group, the newest of the rows with the best finite value: several where they started at once.

    starts_of_rows: the keys of the start times of all rows, the newest first.
    """
    best: list[list[int]] = [[] for _ in parts.starts]
    score_of = _SCORE.get(direction)
    if score_of is None:
        return best
    values, sizes, starts = numbers[parts.rows], parts.sizes, parts.starts
    finite = np.isfinite(values)
    score = np.where(finite, score_of(values), -np.inf)
    is_best = finite & (score == np.repeat(np.maximum.reduceat(score, starts), sizes))
    start = np.where(is_best, starts_of_rows[parts.rows], LAST)
    places = np.flatnonzero(is_best & (start == np.repeat(np.minimum.reduceat(start, starts), sizes)))
    groups = np.searchsorted(starts, places, side="right") - 1
    for group, row in zip(groups.tolist(), parts.rows[places].tolist(), strict=True):
        best[group].append(row)
    return best


def _quantiles(n: Numbers) -> Numbers:
    different, places = np.unique(n, return_inverse=True)
    quantiles = [
        t_quantile(_CONFIDENCE, int(each) - 1) if each > 1 else np.nan for each in different.tolist()
    ]
    return np.array(quantiles)[places]
