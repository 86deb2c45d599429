"""Searches and groups over a table, in turns that let others be answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from service.index.derived import Derived, Kept
from service.index.facets import facet
from service.index.masks import View
from service.index.ordering import KeyOf, Keys, Rows, after, first, number_keys, rank_keys
from service.index.ranks import LAST
from service.index.table import RunTable
from service.tracking.runs import Run
from service.tracking.search.expressions import Scalar
from service.tracking.search.fields import Field
from service.tracking.search.queries import START_TIME, FacetValue, Order, Position, RunSearch

KEPT_BYTES: Final = 32 * 1024 * 1024
NEWEST: Final = Order(START_TIME, descending=True)


class Hits(NamedTuple):
    """What a SearchPage holds beside the status of the index."""

    runs: tuple[Run, ...]
    total: int
    next: Position | None
    facets: tuple[tuple[FacetValue, ...], ...]


class Engine:
    """Answers over a table. kept_bytes: how much may be kept of what was derived from texts."""

    def __init__(self, table: RunTable, kept_bytes: int = KEPT_BYTES) -> None:
        self._table = table
        self._kept = Kept(kept_bytes)

    @property
    def bytes_used(self) -> int:
        """Bytes of memory beside the table's."""
        return self._kept.size

    async def search(self, search: RunSearch) -> Hits:
        """A page of the runs that match; the status of the index is for the caller to add."""
        view = View(self._table, self._kept)
        await self._prepare(_derived(view, search))
        table = self._table
        mask = table.of_experiments(search.experiment_ids)
        if search.filter is not None:
            mask &= view.mask(search.filter)
        rows = np.flatnonzero(mask)
        total = len(rows)
        orders = search.order if NEWEST in search.order else (*search.order, NEWEST)
        keys = [_key(view, order) for order in orders]
        facets = tuple(facet(view, field, rows) for field in search.facets)
        if search.after is not None:
            values = (*search.after.values, search.after.start_time)[: len(orders)]
            position = [_key_of_value(view, *pair) for pair in zip(orders, values, strict=True)]
            rows = after(rows, keys, table.ids.value, position, search.after.run_id)
        page = first(rows, keys, table.ids.value, search.page_size + 1)
        shown = page[: search.page_size]
        following = _position(view, search.order, shown[-1]) if len(page) > len(shown) else None
        return Hits(table.runs_at(shown, search.selection), total, following, facets)

    async def _prepare(self, derived: Iterable[Derived]) -> None:
        for each in derived:
            await each.catch_up()
        self._kept.forget_the_oldest()


def _derived(view: View, search: RunSearch) -> list[Derived]:
    derived = [] if search.filter is None else list(view.derived(search.filter))
    for order in search.order:
        derived += view.derived_of(order.operand)
    for field in search.facets:
        derived += view.derived_of(field)
    return derived


def _key(view: View, order: Order) -> KeyOf:
    operand, descending = order.operand, order.descending
    if operand.is_number:
        numbers = view.numbers(operand)
        return lambda rows: number_keys(numbers[rows], descending=descending)
    assert isinstance(operand, Field)
    column, ranks = view.column(operand), view.ranks(operand)
    if column is None or ranks is None:
        return lambda rows: np.full(len(rows), LAST)
    codes, by_code = column.codes(), ranks.by_code()
    return lambda rows: rank_keys(by_code[codes[rows]], descending=descending)


def _key_of_value(view: View, order: Order, value: Scalar | None) -> int:
    """The key of a value of a position."""
    if value is None:
        return LAST
    if not isinstance(value, str):
        return int(number_keys(np.array([value], np.float64), descending=order.descending)[0])
    assert isinstance(order.operand, Field)
    ranks = view.ranks(order.operand)
    rank = 0 if ranks is None else ranks.rank_of(value)
    return -rank if order.descending else rank


def _position(view: View, orders: tuple[Order, ...], row: int) -> Position:
    values = tuple(_value(view, order, row) for order in orders)
    start_time = view.table.runs_at((row,))[0].start_time
    return Position(values, start_time, view.table.ids.value(row))


def _value(view: View, order: Order, row: int) -> Scalar | None:
    operand = order.operand
    if operand.is_number:
        from service.index.cells import is_missing
        number = view.numbers(operand)[row : row + 1]
        return None if is_missing(number)[0] else float(number[0])
    assert isinstance(operand, Field)
    column = view.column(operand)
    return None if column is None else column.texts.text(int(column.codes()[row]))
