"""What metrics are like over groups of rows. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.index.cells import MISSING, Numbers
from service.index.ordering import Rows, number_keys
from service.tracking.directions import Direction
from service.tracking.search.queries import MetricSummary
from service.tracking.statistics import t_quantile

_CONFIDENCE: Final = 0.975  # of each side of a 95 % interval

_SCORE: Final[dict[Direction, Callable[[Numbers], Numbers]]] = {
    Direction.MAX: lambda numbers: numbers.copy(),
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


class Statistics(NamedTuple):
    """The statistics of MetricSummary, each for all groups; cells.MISSING where there is none."""

    n: Numbers
    missing: Numbers
    mean: Numbers
    sd: Numbers
    min: Numbers
    max: Numbers
    ci_low: Numbers
    ci_high: Numbers


def statistics_of(numbers: Numbers, parts: Parts) -> Statistics:
    """Of a metric, whose numbers are those of all rows."""
    values, sizes, starts = numbers[parts.rows], parts.sizes, parts.starts
    finite = np.isfinite(values)
    if finite.all():
        return _statistics(values, values, values, None, sizes.astype(np.float64), parts)
    n = np.add.reduceat(finite.astype(np.float64), starts)
    low, high = np.where(finite, values, np.inf), np.where(finite, values, -np.inf)
    return _statistics(np.where(finite, values, 0.0), low, high, finite, n, parts)


def _statistics(
    values: Numbers, low: Numbers, high: Numbers, finite: NDArray[np.bool_] | None, n: Numbers, parts: Parts
) -> Statistics:
    """The same of values, low and high, in which no value is 0, infinity and -infinity."""
    starts, sizes = parts.starts, parts.sizes
    with np.errstate(all="ignore"):  # a sum beyond what a float can be has no mean
        lowest, highest = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
        mean = np.clip(np.add.reduceat(values, starts) / n, lowest, highest)
        away = values - np.repeat(mean, sizes)
        if finite is not None:
            away[~finite] = 0.0
        mean = np.clip(mean + np.add.reduceat(away, starts) / n, lowest, highest)
        away *= away
        sd = np.sqrt(np.add.reduceat(away, starts) / np.where(n > 1, n - 1, np.nan))
        half = _quantiles(n) * sd / np.sqrt(n)
        columns = [mean, sd, lowest, highest, mean - half, mean + half]
    for column in columns:
        column[~np.isfinite(column)] = MISSING
    return Statistics(n, sizes - n, *columns)


def summaries_of(
    numbers: Numbers, start_times: Numbers, parts: Parts, direction: Direction, id_of: Callable[[int], str]
) -> list[MetricSummary]:
    """The summaries of a metric. id_of: the id of the run of a row."""
    n, missing, *others = statistics_of(numbers, parts)
    columns = [_or_none(each) for each in others]
    best = [
        min(map(id_of, rows), default=None) for rows in _best_rows(numbers, start_times, parts, direction)
    ]
    counts = (each.astype(np.int64).tolist() for each in (n, missing))
    return list(map(MetricSummary, *counts, *columns, best))


def _or_none(numbers: Numbers) -> list[float | None]:
    return [None if number != number else number for number in numbers.tolist()]  # noqa: PLR0124  # NaN


def _best_rows(numbers: Numbers, start_times: Numbers, parts: Parts, direction: Direction) -> list[list[int]]:
    """Of each group, the newest of the rows with the best value: several where they started at once."""
    best: list[list[int]] = [[] for _ in parts.starts]
    score_of = _SCORE.get(direction)
    if score_of is None:
        return best
    score = score_of(numbers[parts.rows])
    finite = np.isfinite(score)
    score[~finite] = -np.inf
    is_best = score == np.repeat(np.maximum.reduceat(score, parts.starts), parts.sizes)
    places = np.flatnonzero(is_best & finite)
    if not len(places):
        return best
    rows = parts.rows[places]
    groups = np.searchsorted(parts.starts, places, side="right") - 1
    starts = number_keys(start_times[rows], descending=True)
    first_of_group = np.flatnonzero(np.diff(groups, prepend=-1))
    newest = np.minimum.reduceat(starts, first_of_group)
    counts = np.diff(first_of_group, append=len(groups))
    is_newest = starts == np.repeat(newest, counts)
    for group, row in zip(groups[is_newest].tolist(), rows[is_newest].tolist(), strict=True):
        best[group].append(row)
    return best


def _quantiles(n: Numbers) -> Numbers:
    different, places = np.unique(n, return_inverse=True)
    quantiles = [
        t_quantile(_CONFIDENCE, int(each) - 1) if each > 1 else np.nan for each in different.tolist()
    ]
    return np.array(quantiles)[places]
