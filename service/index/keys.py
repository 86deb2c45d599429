"""The integers that rows are sorted by, from the values of an operand. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from service.index.cells import is_missing
from service.index.masks import View
from service.index.ordering import KeyOf, NumberKeyOf, number_keys, rank_keys
from service.index.ranks import LAST, Ranks
from service.tracking.search.cuts import CutText
from service.tracking.search.expressions import Scalar
from service.tracking.search.fields import AsNumber, Operand
from service.tracking.search.queries import START_TIME, Order, Placed, Position

NEWEST: Final = Order(START_TIME, descending=True)


def key_of(view: View, order: Order) -> KeyOf:
    """The keys of rows by an order. The ranks of a field of texts have to be known."""
    operand, descending = order.operand, order.descending
    if isinstance(operand, AsNumber) or operand.is_number:
        return NumberKeyOf(view.numbers(operand), descending=descending)
    column, ranks = view.column(operand), view.ranks(operand)
    if column is None or ranks is None:
        lacking = np.full(view.table.rows, LAST)
        return KeyOf(lambda rows: lacking[rows])
    codes, by_code = column.codes(), ranks.by_code()
    return KeyOf(lambda rows: rank_keys(by_code[codes[rows]], descending=descending))


def key_of_value(view: View, order: Order, value: Placed) -> int:
    """The key of a value, which no row needs to have any more.

    Of a text that was cut, a key before those of all texts that begin as it did.
    """
    if value is None:
        return LAST
    if not isinstance(value, str | CutText):
        return number_key(float(value), descending=order.descending)
    ranks = _ranks(view, order.operand)
    if ranks is None:
        return 0
    if isinstance(value, CutText):
        rank = ranks.rank_beside(value, descending=order.descending)
    else:
        rank = ranks.rank_of(value)
    return -rank if order.descending else rank


async def whole_values(
    view: View, operands: Iterable[Operand], values: tuple[Placed, ...]
) -> tuple[Placed, ...]:
    """The values with texts that were cut whole again, as far as there are such texts. Ranks are known."""
    found: list[Placed] = []
    for operand, value in zip(operands, values, strict=True):
        if isinstance(value, CutText) and (ranks := _ranks(view, operand)) is not None:
            found.append(await ranks.whole(value) or value)
        else:
            found.append(value)
    return tuple(found)


def _ranks(view: View, operand: Operand) -> Ranks | None:
    return None if isinstance(operand, AsNumber) else view.ranks(operand)


def number_key(value: float | None, *, descending: bool) -> int:
    """The key of a number; None is missing."""
    if value is None:
        return LAST
    return int(number_keys(np.array([value], np.float64), descending=descending)[0])


def values_at(view: View, operand: Operand, rows: list[int]) -> list[Scalar | None]:
    """The values of an operand of rows; None where a row lacks it, NaN where a metric is."""
    if isinstance(operand, AsNumber) or operand.is_number:
        numbers = view.numbers(operand)[rows]
        missing = is_missing(numbers).tolist()
        return [None if lacks else number for number, lacks in zip(numbers.tolist(), missing, strict=True)]
    column = view.column(operand)
    return [None] * len(rows) if column is None else list(column.texts.of(column.codes()[rows].tolist()))


def position_of(view: View, orders: tuple[Order, ...], row: int) -> Position:
    """The position behind a row."""
    values = tuple(values_at(view, order.operand, [row])[0] for order in orders)
    start_time = view.table.start_time(row)
    return Position(values, start_time, view.table.ids.value(row))
