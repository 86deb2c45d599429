"""Groups of rows by the values of fields, a page of them. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from service.index.cells import MISSING, Numbers
from service.index.facets import Values, dense, values_of
from service.index.keys import key_of_value, number_key, values_at
from service.index.masks import View
from service.index.ordering import KeyOf, Keys, NumberKeyOf, Rows, after, first, rank_keys
from service.index.ranks import LAST
from service.index.summaries import Parts, statistics_of, summaries_of
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
)

STATISTICS: Final = frozenset({"n", "missing", "mean", "sd", "min", "max", "ci_low", "ci_high"})

_NARROW: Final = 65_536  # numbers of 16 bits are sorted several times as fast


class GroupHits(NamedTuple):
    """What a GroupPage holds beside the status of the index."""

    groups: tuple[Group, ...]
    total: int
    next: GroupPosition | None


class _Groups(NamedTuple):
    """All groups. keys: for each field, the key of each group's value, ascending. samples: a row of each."""

    parts: Parts
    keys: list[Keys]
    samples: Rows


def groups_of(view: View, grouping: Grouping, rows: Rows) -> GroupHits:
    """A page of the groups of rows. ValueError where the order is by no statistic that there is."""
    if not len(rows):
        return GroupHits((), 0, None)
    groups = _all_groups([values_of(view, field, rows) for field in grouping.by], rows)
    statistic = _statistic(view, grouping.order, groups.parts)
    descending = grouping.order.descending
    keys: list[KeyOf] = []
    if statistic is not None:
        keys.append(NumberKeyOf(statistic, descending=descending))
    key_descends = descending and statistic is None
    keys += [_component(column, descending=key_descends) for column in groups.keys]
    chosen = np.ones(len(groups.samples), np.bool_)
    if grouping.after is not None:
        ascending = [
            key_of_value(view, Order(field), value)
            for field, value in zip(grouping.by, grouping.after.key, strict=True)
        ]
        position: list[int] = rank_keys(np.array(ascending, np.int64), descending=key_descends).tolist()
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
    return GroupHits(answer, len(groups.samples), following)


def _no_key(_: int) -> str:
    return ""  # no two groups have the same key


def _component(column: Keys, *, descending: bool) -> KeyOf:
    keys = rank_keys(column, descending=descending)
    return KeyOf(lambda rows: keys[rows])


def _all_groups(fields: list[Values], rows: Rows) -> _Groups:
    number, below = fields[0].of_row, len(fields[0].keys)
    for values in fields[1:]:
        pair = number.astype(np.int64) * len(values.keys) + values.of_row
        different, number = dense(pair, below * len(values.keys))
        below = len(different)
    narrow = number.astype(np.uint16, copy=False) if below <= _NARROW else number
    order = np.argsort(narrow, kind="stable")
    sizes = np.bincount(number, minlength=below)
    starts = np.cumsum(sizes) - sizes
    firsts = order[starts]
    parts = Parts(rows.take(order), starts, sizes)
    return _Groups(parts, [each.keys[each.of_row[firsts]] for each in fields], rows[firsts])


def _statistic(view: View, order: GroupOrder, parts: Parts) -> Numbers | None:
    """What groups are sorted by, MISSING where a group has none; None where they are sorted by their keys."""
    if order.metric is not None:
        if order.statistic not in STATISTICS:
            raise ValueError(f"groups cannot be sorted by {order.statistic!r} of a metric")
        numbers = view.numbers(Field(FieldKind.METRIC, order.metric))
        statistic: Numbers = getattr(statistics_of(numbers.take(parts.rows), parts), order.statistic)
        return statistic
    match order.statistic:
        case "key":
            return None
        case "runs":
            return parts.sizes.astype(np.float64)
        case "first_start_time":
            return _extreme(np.fmin, view.numbers(START_TIME).take(parts.rows), parts)
        case "last_start_time":
            return _extreme(np.fmax, view.numbers(START_TIME).take(parts.rows), parts)
    raise ValueError(f"groups cannot be sorted by {order.statistic!r}")


def _extreme(which: np.ufunc, times: Numbers, parts: Parts) -> Numbers:
    extremes: Numbers = which.reduceat(times, parts.starts)
    extremes[np.isnan(extremes)] = MISSING
    return extremes


def _details(view: View, grouping: Grouping, groups: _Groups, shown: list[int]) -> tuple[Group, ...]:
    if not shown:
        return ()
    parts = groups.parts.some(shown)
    samples = groups.samples[shown].tolist()
    values = []
    for field, keys in zip(grouping.by, groups.keys, strict=True):
        lacking = (keys[shown] == LAST).tolist()
        own = values_at(view, field, samples)
        values.append([None if lacks else value for value, lacks in zip(own, lacking, strict=True)])
    metrics: list[dict[str, MetricSummary]] = [{} for _ in shown]
    start_times, id_of = view.numbers(START_TIME), view.table.ids.value
    for name, direction in grouping.metrics:
        numbers = view.numbers(Field(FieldKind.METRIC, name))
        summaries = summaries_of(numbers, start_times, parts, direction, id_of)
        for each, summary in zip(metrics, summaries, strict=True):
            each[name] = summary
    statuses = _statuses(view, parts)
    times = start_times.take(parts.rows)
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
    cells += column.codes().take(parts.rows)
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
