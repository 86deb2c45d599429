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


class Parts(NamedTuple):
    """Rows group by group. starts: where each group begins. sizes: how many rows it has, one at least."""

    rows: Rows
    starts: NDArray[np.intp]
    sizes: NDArray[np.intp]

    def some(self, groups: list[int]) -> Parts:
        """These groups only, in this order."""
        starts, sizes = self.starts[groups].tolist(), self.sizes[groups]
        rows = [self.rows[start : start + size] for start, size in zip(starts, sizes.tolist(), strict=True)]
        return Parts(np.concatenate(rows) if rows else self.rows[:0], np.cumsum(sizes) - sizes, sizes)

    def groups_at(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """The groups that the rows at these places belong to."""
        return np.searchsorted(self.starts, places, side="right") - 1


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


def statistics_of(values: Numbers, parts: Parts) -> Statistics:
    """Of a metric, whose values are those of the rows of the groups."""
    starts, sizes = parts.starts, parts.sizes
    lacking = np.flatnonzero(~np.isfinite(values))
    missing = np.bincount(parts.groups_at(lacking), minlength=len(starts)).astype(np.float64)
    n = sizes - missing
    finite = values.copy()
    with np.errstate(all="ignore"):  # a sum beyond what a float can be has no mean
        finite[lacking] = np.inf
        lowest = np.minimum.reduceat(finite, starts)
        finite[lacking] = -np.inf
        highest = np.maximum.reduceat(finite, starts)
        finite[lacking] = 0.0
        mean = np.clip(np.add.reduceat(finite, starts) / n, lowest, highest)
        away = finite - np.repeat(mean, sizes)
        away[lacking] = 0.0
        mean = np.clip(mean + np.add.reduceat(away, starts) / n, lowest, highest)
        away *= away
        sd = np.sqrt(np.add.reduceat(away, starts) / np.where(n > 1, n - 1, np.nan))
        half = _quantiles(n) * sd / np.sqrt(n)
        columns = [mean, sd, lowest, highest, mean - half, mean + half]
    for column in columns:
        column[~np.isfinite(column)] = MISSING
    return Statistics(n, missing, *columns)


def summaries_of(
    numbers: Numbers, start_times: Numbers, parts: Parts, direction: Direction, id_of: Callable[[int], str]
) -> list[MetricSummary]:
    """The summaries of a metric. id_of: the id of the run of a row."""
    values = numbers.take(parts.rows)
    statistics = statistics_of(values, parts)
    n, missing, *others = statistics
    columns = [_or_none(each) for each in others]
    best_rows = _best_rows(values, statistics, start_times, parts, direction)
    best = [min(map(id_of, rows), default=None) for rows in best_rows]
    counts = (each.astype(np.int64).tolist() for each in (n, missing))
    return list(map(MetricSummary, *counts, *columns, best))


def _or_none(numbers: Numbers) -> list[float | None]:
    return [None if number != number else number for number in numbers.tolist()]  # noqa: PLR0124  # NaN


def _best_rows(
    values: Numbers, statistics: Statistics, start_times: Numbers, parts: Parts, direction: Direction
) -> list[list[int]]:
    """Of each group, the newest of the rows with the best value: several where they started at once."""
    newest_rows: list[list[int]] = [[] for _ in parts.starts]
    match direction:
        case Direction.MAX:
            best = statistics.max
        case Direction.MIN:
            best = statistics.min
        case Direction.CLOSEST_TO_ZERO:
            values = np.abs(values)
            best = np.fmin.reduceat(values, parts.starts)
            best[np.isinf(best)] = MISSING
        case _:
            return newest_rows
    places = np.flatnonzero(values == np.repeat(best, parts.sizes))  # NaN is equal to nothing
    if not len(places):
        return newest_rows
    rows, groups = parts.rows[places], parts.groups_at(places)
    starts = number_keys(start_times[rows], descending=True)
    first_of_group = np.flatnonzero(np.diff(groups, prepend=-1))
    newest = np.minimum.reduceat(starts, first_of_group)
    counts = np.diff(first_of_group, append=len(groups))
    is_newest = starts == np.repeat(newest, counts)
    for group, row in zip(groups[is_newest].tolist(), rows[is_newest].tolist(), strict=True):
        newest_rows[group].append(row)
    return newest_rows


def _quantiles(n: Numbers) -> Numbers:
    return np.array([t_quantile(_CONFIDENCE, int(each) - 1) if each > 1 else np.nan for each in n.tolist()])
