"""What metrics are like over groups of rows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from service.index.cells import MISSING, Numbers
from service.index.ordering import Rows, number_keys
from service.tracking.directions import Direction
from service.tracking.search.queries import MetricSummary
from service.tracking.statistics import t_quantile

V = TypeVar("V", bound=np.generic)

_CONFIDENCE: Final = 0.975  # of each side of a 95 % interval
_NONE: Final[NDArray[np.intp]] = np.empty(0, np.intp)


class Parts(NamedTuple):
    """Rows group by group.

    rows: ascending. order: their places, group by group. starts: where each group begins in that. sizes: how
    many rows it has, one at least.
    """

    rows: Rows
    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    sizes: NDArray[np.intp]

    def values(self, column: NDArray[V]) -> NDArray[V]:
        """The values of the rows, group by group.

        Two steps take half as long as one that reads a whole column once for each group.
        """
        return column.take(self.rows).take(self.order)

    def rows_at(self, places: NDArray[np.intp]) -> Rows:
        """The rows at these places, counted group by group."""
        return self.rows.take(self.order.take(places))

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
    numbers: Numbers,
    start_times: Numbers,
    parts: Parts,
    direction: Direction,
    ids_of: Callable[[Rows], Sequence[str]],
) -> list[MetricSummary]:
    """The summaries of a metric. ids_of: the ids of the runs of rows."""
    values = parts.values(numbers)
    statistics = statistics_of(values, parts)
    n, missing, *others = statistics
    columns = [_or_none(each) for each in others]
    best: list[str | None] = [None] * len(parts.starts)
    groups, rows = _best_rows(values, statistics, start_times, parts, direction)
    for group, run_id in zip(groups.tolist(), ids_of(rows), strict=True):
        before = best[group]
        best[group] = run_id if before is None else min(before, run_id)
    counts = (each.astype(np.int64).tolist() for each in (n, missing))
    return list(map(MetricSummary, *counts, *columns, best))


def _or_none(numbers: Numbers) -> list[float | None]:
    return [None if number != number else number for number in numbers.tolist()]  # noqa: PLR0124  # NaN


def _best_rows(
    values: Numbers, statistics: Statistics, start_times: Numbers, parts: Parts, direction: Direction
) -> tuple[NDArray[np.intp], Rows]:
    """Of each group, the newest of the rows with the best value: several where they started at once.

    The groups, ascending, and the rows.
    """
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
            return _NONE, _NONE
    places = np.flatnonzero(values == np.repeat(best, parts.sizes))  # NaN is equal to nothing
    rows, groups = parts.rows_at(places), parts.groups_at(places)
    is_another = groups[1:] != groups[:-1]
    if is_another.all():
        return groups, rows
    starts = number_keys(start_times[rows], descending=True)
    first_of_group = np.append(0, np.flatnonzero(is_another) + 1)
    newest = np.minimum.reduceat(starts, first_of_group)
    is_newest = starts == np.repeat(newest, np.diff(first_of_group, append=len(groups)))
    return groups[is_newest], rows[is_newest]


def _quantiles(n: Numbers) -> Numbers:
    return np.array([t_quantile(_CONFIDENCE, int(each) - 1) if each > 1 else np.nan for each in n.tolist()])
