"""Searches and groups over a table, in turns that let others be answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from service.checkpoint import checkpoint
from service.index.derived import Derived, Kept
from service.index.facets import facet
from service.index.field_lists import FieldHits, fields_of
from service.index.grouping import GroupHits, groups_of
from service.index.keys import NEWEST, key_of, key_of_value, position_of, whole_values
from service.index.masks import Mask, View
from service.index.ordering import after, first
from service.index.table import RunTable
from service.tracking.runs import Run
from service.tracking.search.expressions import Expression
from service.tracking.search.fields import Operand
from service.tracking.search.queries import FacetValue, FieldSearch, Grouping, Position, RunSearch, Selection

KEPT_BYTES: Final = 32 * 1024 * 1024

_IN_A_TURN: Final = 100  # runs that are put together at once: about 1.5 ms


class Hits(NamedTuple):
    """What a SearchPage holds beside the status of the index."""

    runs: tuple[Run, ...]
    total: int
    next: Position | None
    facets: tuple[tuple[FacetValue, ...], ...]


class Engine:
    """Answers over a table. kept_bytes: how much may be kept of what was derived from texts.

    The status of the index is for the caller to add.
    """

    def __init__(self, table: RunTable, kept_bytes: int = KEPT_BYTES) -> None:
        self._table = table
        self._kept = Kept(kept_bytes)

    @property
    def bytes_used(self) -> int:
        """Bytes of memory beside the table's."""
        return self._kept.size

    async def search(self, search: RunSearch) -> Hits:
        """A page of the runs that match. A facet has at most facets.MOST_VALUES values."""
        operands = [order.operand for order in search.order]
        view = await self._view(search.filter, (*operands, *search.facets))
        position: Position | None = search.after
        if position is not None:
            values = await whole_values(view, operands, position.values)
            position = msgspec.structs.replace(position, values=values)
        mask = self._mask(view, search.experiment_ids, search.filter)
        total = int(np.count_nonzero(mask))
        facets: tuple[tuple[FacetValue, ...], ...] = ()
        if search.facets:
            rows = np.flatnonzero(mask)
            facets = tuple(facet(view, field, rows) for field in search.facets)
        orders = search.order if NEWEST in search.order else (*search.order, NEWEST)
        keys = [key_of(view, order) for order in orders]
        run_id = self._table.ids.value
        if position is not None:
            values = (*position.values, position.start_time)[: len(orders)]
            place = [key_of_value(view, *pair) for pair in zip(orders, values, strict=True)]
            mask = after(mask, keys, run_id, place, position.run_id)
        page = first(mask, keys, run_id, search.page_size + 1)
        shown = page[: search.page_size]
        following = position_of(view, search.order, shown[-1]) if len(page) > len(shown) else None
        return Hits(await self._runs_at(shown, search.selection), total, following, facets)

    async def groups(self, grouping: Grouping) -> GroupHits:
        """A page of the groups of the runs that match."""
        view = await self._view(grouping.filter, grouping.by)
        if grouping.after is not None:
            key = await whole_values(view, grouping.by, grouping.after.key)
            last = msgspec.structs.replace(grouping.after, key=key)
            grouping = msgspec.structs.replace(grouping, after=last)
        mask = self._mask(view, grouping.experiment_ids, grouping.filter)
        return groups_of(view, grouping, np.flatnonzero(mask))

    async def fields(self, asked: FieldSearch) -> FieldHits:
        """The fields of the runs that match."""
        view = await self._view(asked.filter, ())
        hits = await fields_of(view, asked, self._mask(view, asked.experiment_ids, asked.filter))
        self._kept.forget_the_oldest()
        return hits

    async def _view(self, expression: Expression | None, operands: Iterable[Operand]) -> View:
        """The table, when all has been derived that a filter and the keys of orders need."""
        view = View(self._table, self._kept)
        derived: list[Derived] = [] if expression is None else list(view.derived(expression))
        for operand in operands:
            derived += view.derived_of(operand)
        for each in derived:
            await each.catch_up()
        self._kept.forget_the_oldest()
        return view

    async def _runs_at(self, rows: Sequence[int], selection: Selection) -> tuple[Run, ...]:
        """The runs of rows, so many in a turn. One that is deleted between two turns is left out."""
        table = self._table
        if len(rows) <= _IN_A_TURN:
            return table.runs_at(rows, selection)
        ids = [table.ids.value(row) for row in rows]
        runs: list[Run] = []
        for start in range(0, len(ids), _IN_A_TURN):
            await checkpoint()
            some = [table.ids.row(run_id) for run_id in ids[start : start + _IN_A_TURN]]
            runs += table.runs_at([row for row in some if row >= 0], selection)
        return tuple(runs)

    def _mask(self, view: View, experiment_ids: tuple[str, ...], expression: Expression | None) -> Mask:
        mask = self._table.of_experiments(experiment_ids)
        if expression is not None:
            mask &= view.mask(expression)
        return mask
