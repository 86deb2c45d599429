"""Groups of rows by the values of fields, a page of them. Pure."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.index.cells import MISSING, Numbers
from service.index.facets import Values, dense, values_of
from service.index.keys import key_of_value, number_key, values_at
from service.index.masks import View
from service.index.ordering import KeyOf, Keys, NumberKeyOf, Rows, after, first, rank_keys
from service.index.ranks import LAST
from service.index.summaries import Parts, statistics_of, summaries_of
from service.tracking.search.cuts import CutText
from service.tracking.search.expressions import Scalar
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.queries import (
    START_TIME,
    Group,
    Grouping,
    GroupOrder,
    GroupPosition,
    MetricSummary,
    Order,
    Placed,
)

STATISTICS: Final = frozenset({"n", "missing", "mean", "sd", "min", "max", "ci_low", "ci_high"})


class GroupHits(NamedTuple):
    """What a GroupPage holds beside the status of the index."""

    groups: tuple[Group, ...]
    total: int
    next: GroupPosition | None


class _Groups(NamedTuple):
    """All groups, in ascending order. keys: for each field, the key of each group's value.

    sizes: how many rows each has. rows: of all of them, ascending. of_row: the group of each row.
    """

    keys: list[Keys]
    sizes: NDArray[np.intp]
    rows: Rows
    of_row: NDArray[Any]

    def parts(self, some: list[int]) -> Parts:
        """The rows of some groups, group by group."""
        narrow = np.min_scalar_type(len(some))  # numbers of 16 bits are sorted several times as fast
        place = np.full(len(self.sizes), len(some), narrow)
        place[some] = np.arange(len(some))
        places = place.take(self.of_row)
        chosen = np.flatnonzero(places < len(some))
        order = np.argsort(places.take(chosen), kind="stable")
        sizes = self.sizes[some]
        return Parts(self.rows.take(chosen), order, np.cumsum(sizes) - sizes, sizes)


def groups_of(view: View, grouping: Grouping, rows: Rows) -> GroupHits:
    """A page of the groups of rows. ValueError where the order is by no statistic that there is."""
    if not len(rows):
        return GroupHits((), 0, None)
    groups = _all_groups([values_of(view, field, rows) for field in grouping.by], rows)
    statistic = _statistic(view, grouping.order, groups)
    descending = grouping.order.descending
    keys: list[KeyOf] = []
    if statistic is not None:
        keys.append(NumberKeyOf(statistic, descending=descending))
    key_descends = descending and statistic is None
    keys += [_component(column, descending=key_descends) for column in groups.keys]
    chosen = np.ones(len(groups.sizes), np.bool_)
    if grouping.after is not None:
        position = [
            _key(view, field, value, descending=key_descends)
            for field, value in zip(grouping.by, grouping.after.key, strict=True)
        ]
        if statistic is not None:
            value = grouping.after.value
            number = float(value) if isinstance(value, (int, float)) else None
            position.insert(0, number_key(number, descending=descending))
        chosen = after(chosen, keys, _no_key, position, "")
    page = first(chosen, keys, _no_key, grouping.page_size + 1)
    shown = page[: grouping.page_size]
    answer = _details(view, grouping, groups, shown)
    following = None
    if len(page) > len(shown):
        key = answer[-1].key
        value = key if statistic is None else _number(statistic[shown[-1]])
        following = GroupPosition(key, value)
    return GroupHits(answer, len(groups.sizes), following)


def _no_key(_: int) -> str:
    return ""  # no two groups have the same key


def _key(view: View, field: Field, value: Placed, *, descending: bool) -> int:
    """The key of a value among those of _component, whose numbers descend as ranks do."""
    if isinstance(value, str | CutText):
        return key_of_value(view, Order(field, descending), value)
    key = key_of_value(view, Order(field), value)
    return -key if descending and value is not None else key


def _component(column: Keys, *, descending: bool) -> KeyOf:
    keys = rank_keys(column, descending=descending)
    return KeyOf(lambda rows: keys[rows])


def _all_groups(fields: list[Values], rows: Rows) -> _Groups:
    keys, sizes, of_row = fields[0]
    if len(fields) == 1:
        return _Groups([keys], sizes, rows, of_row)
    places = [np.arange(len(keys))]
    for values in fields[1:]:
        below = len(places[0]) * len(values.keys)
        pairs, of_row = dense(of_row.astype(np.int64) * len(values.keys) + values.of_row, below)
        before, own = np.divmod(pairs, len(values.keys))
        places = [*(each[before] for each in places), own]
    of_groups = [values.keys[each] for values, each in zip(fields, places, strict=True)]
    return _Groups(of_groups, np.bincount(of_row), rows, of_row)


def _statistic(view: View, order: GroupOrder, groups: _Groups) -> Numbers | None:
    """What groups are sorted by, MISSING where a group has none; None where they are sorted by their keys."""
    if order.metric is not None:
        if order.statistic not in STATISTICS:
            raise ValueError(f"groups cannot be sorted by {order.statistic!r} of a metric")
        parts = groups.parts(list(range(len(groups.sizes))))
        values = parts.values(view.numbers(Field(FieldKind.METRIC, order.metric)))
        statistic: Numbers = getattr(statistics_of(values, parts), order.statistic)
        return statistic
    match order.statistic:
        case "key":
            return None
        case "runs":
            return groups.sizes.astype(np.float64)
        case "first_start_time" | "last_start_time":
            parts = groups.parts(list(range(len(groups.sizes))))
            which = np.fmin if order.statistic == "first_start_time" else np.fmax
            return _extreme(which, parts.values(view.numbers(START_TIME)), parts)
    raise ValueError(f"groups cannot be sorted by {order.statistic!r}")


def _extreme(which: np.ufunc, times: Numbers, parts: Parts) -> Numbers:
    extremes: Numbers = which.reduceat(times, parts.starts)
    extremes[np.isnan(extremes)] = MISSING
    return extremes


def _details(view: View, grouping: Grouping, groups: _Groups, shown: list[int]) -> tuple[Group, ...]:
    if not shown:
        return ()
    parts = groups.parts(shown)
    samples = parts.rows_at(parts.starts).tolist()
    values = []
    for field, keys in zip(grouping.by, groups.keys, strict=True):
        lacking = (keys[shown] == LAST).tolist()
        own = values_at(view, field, samples)
        values.append([None if lacks else value for value, lacks in zip(own, lacking, strict=True)])
    metrics: list[dict[str, MetricSummary]] = [{} for _ in shown]
    start_times, ids_of = view.numbers(START_TIME), view.table.ids.values
    for name, direction in grouping.metrics:
        numbers = view.numbers(Field(FieldKind.METRIC, name))
        summaries = summaries_of(numbers, start_times, parts, direction, ids_of)
        for each, summary in zip(metrics, summaries, strict=True):
            each[name] = summary
    statuses = _statuses(view, parts)
    times = parts.values(start_times)
    first_times, last_times = _extreme(np.fmin, times, parts), _extreme(np.fmax, times, parts)
    return tuple(
        Group(key, size, status, _time(begin), _time(end), own)
        for key, size, status, begin, end, own in zip(
            zip(*values, strict=True),
            parts.sizes.tolist(),
            statuses,
            first_times.tolist(),
            last_times.tolist(),
            metrics,
            strict=True,
        )
    )


def _statuses(view: View, parts: Parts) -> list[dict[str, int]]:
    column = view.table.status
    groups, width = len(parts.starts), len(column.texts)
    cells = np.repeat(np.arange(0, groups * width, width), parts.sizes)
    cells += parts.values(column.codes())
    counts = np.bincount(cells, minlength=groups * width).reshape(groups, width)
    statuses = [str(status) for status in column.texts.of(range(width))]
    return [
        {status: count for status, count in zip(statuses, own, strict=True) if count}
        for own in counts.tolist()
    ]


def _number(number: np.float64) -> Scalar | None:
    return None if np.isnan(number) else float(number)


def _time(time: float) -> int | None:
    return None if time != time else int(time)  # noqa: PLR0124  # NaN
