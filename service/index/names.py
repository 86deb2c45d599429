"""Named values of the runs of a table: their metrics, their parameters, or their tags. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from service.index.cells import Codes, Space
from service.index.columns import NumberColumn, TextColumn
from service.index.shapes import Shape, Shapes

C = TypeVar("C", NumberColumn, TextColumn)

# Of fewer rows of one shape, single values are read; of more, columns.
_BY_COLUMN_FROM = 4


class NamedValues(Generic[C]):
    """A column for each name that a row has, and each row's names in order."""

    def __init__(self, space: Space, column: Callable[[Space, float], Any], phase: float) -> None:
        self._space = space
        self._column = column
        self._columns: dict[str, C] = {}
        self._shapes: Shapes[C] = Shapes(space, phase)
        self._phase = phase

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def columns(self) -> Mapping[str, C]:
        """The column of each name."""
        return self._columns

    @property
    def shapes(self) -> Shapes[C]:
        """Which names each row has."""
        return self._shapes

    def fill(
        self, names: Sequence[str], shapes: Sequence[tuple[str, ...]], rows: Codes, of: Codes
    ) -> list[C]:
        """Set each row's names, where none has any; of: the place of its shape. The names' empty columns."""
        columns = [self._new(name) for name in names]
        for shape in shapes:
            self._shape(shape)
        self._shapes.fill(rows, of)
        return columns

    def column(self, name: str) -> C | None:
        """The column of a name; None where no row has it."""
        return self._columns.get(name)

    def add(self, row: int, values: Mapping[str, Any]) -> None:
        """Set the values of a row that has none."""
        shape = self._shape(tuple(values))
        self._shapes.add(row, shape)
        for column, value in zip(shape.columns, values.values(), strict=True):
            column.add(row, value)

    def replace(self, row: int, values: Mapping[str, Any]) -> None:
        """Set the values of a row that has some."""
        old = self._shapes.of(row)
        shape = self._shape(tuple(values))
        if shape is old:
            for column, value in zip(shape.columns, values.values(), strict=True):
                column.replace(row, value)
            return
        had = dict(zip(old.names, old.columns, strict=True))
        for name, column, value in zip(shape.names, shape.columns, values.values(), strict=True):
            if had.pop(name, None) is None:
                column.add(row, value)
            else:
                column.replace(row, value)
        self._remove(row, had)
        self._shapes.replace(row, shape)

    def remove(self, row: int) -> None:
        """Take its values from a row."""
        shape = self._shapes.of(row)
        self._remove(row, dict(zip(shape.names, shape.columns, strict=True)))
        self._shapes.remove(row)

    def value(self, row: int) -> dict[str, Any]:
        """The values of a row by name."""
        shape = self._shapes.of(row)
        return {name: column.value(row) for name, column in zip(shape.names, shape.columns, strict=True)}

    def values(self, rows: NDArray[np.intp], names: frozenset[str] | None) -> list[dict[str, Any]]:
        """The values of rows by name, of these names only; None for all."""
        by_shape: dict[Shape[C], list[int]] = {}
        for at, shape in enumerate(self._shapes.at(rows)):
            by_shape.setdefault(shape, []).append(at)
        values: list[dict[str, Any]] = [{}] * len(rows)
        for shape, places in by_shape.items():
            shown, columns = _of_names(shape, names)
            own_rows = rows[places]
            if len(places) < _BY_COLUMN_FROM:
                for at, row in zip(places, own_rows.tolist(), strict=True):
                    values[at] = {
                        name: column.value(row) for name, column in zip(shown, columns, strict=True)
                    }
            elif shown:
                by_row = zip(*[column.values(own_rows) for column in columns], strict=True)
                for at, own in zip(places, map(dict, map(zip, repeat(shown), by_row)), strict=True):
                    values[at] = own
            else:
                for at in places:
                    values[at] = {}
        return values

    def _shape(self, names: tuple[str, ...]) -> Shape[C]:
        shape = self._shapes.find(names)
        if shape is not None:
            return shape
        columns = tuple(self._columns.get(name) or self._new(name) for name in names)
        return self._shapes.new(names, columns)

    def _new(self, name: str) -> C:
        phase = (len(self._columns) * 0.381966 + self._phase) % 1  # spread evenly, however many there are
        column: C = self._column(self._space, phase)
        self._columns[name] = column
        return column

    def _remove(self, row: int, columns: Mapping[str, C]) -> None:
        for name, column in columns.items():
            column.remove(row)
            if not column.cells.count:
                column.discard()
                del self._columns[name]


def _of_names(shape: Shape[C], names: frozenset[str] | None) -> tuple[Sequence[str], Sequence[C]]:
    if names is None:
        return shape.names, shape.columns
    chosen = [at for at, name in enumerate(shape.names) if name in names]
    return [shape.names[at] for at in chosen], [shape.columns[at] for at in chosen]
