"""A table as sections of a snapshot, and back: its rows without gaps, each column at once. Pure.

A column that all rows have is its values; of any other one the rows stand beside them. A text is written once
for each column that has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.index.cells import Cells
from service.index.columns import NumberColumn, TextColumn
from service.index.names import NamedValues
from service.index.recorded import RecordedColumn, Written
from service.index.table import RunTable
from service.tracking.recorded import Dataset

Section = tuple[str, bytes | memoryview]
Rows = NDArray[np.integer[Any]]

_Value = tuple[list[int], tuple[str, ...], tuple[str, ...]]  # of Written

# Values that are encoded at once: no other thread runs meanwhile.
_AT_ONCE: Final = 5_000


def sections_of(table: RunTable, since: float) -> Iterator[Section]:
    """The sections of a table, which is not to change meanwhile.

    since: the seconds that an epoch of ours is away from the clock of the table: times of asking are written
    as seconds since 1970.
    """
    rows, columns = table.occupied(), table.columns
    yield from _parts("ids", table.ids.dictionary.of((rows + 1).tolist()))
    yield _array("asked", columns.asked.array()[rows] + since)
    for name, times in columns.times.items():
        yield _array(f"times/{name}", times.numbers()[rows])
    for name, column in columns.texts.items():
        yield from _text_column(f"texts/{name}", column, rows)
    yield from _named("metrics", columns.metrics, rows)
    yield from _named("params", columns.params, rows)
    yield from _named("tags", columns.tags, rows)
    yield from _recorded("recorded", columns.recorded, rows)


def _named(
    prefix: str, named: NamedValues[NumberColumn] | NamedValues[TextColumn], rows: Rows
) -> Iterator[Section]:
    """Named values: which names there are, which of them each row has, and each name's column."""
    names = list(named.columns)
    place = {name: at for at, name in enumerate(names)}
    of, shapes = named.shapes.used(rows)
    yield from _parts(f"{prefix}/names", names)
    yield f"{prefix}/shapes", msgspec.msgpack.encode([[place[name] for name in one] for one in shapes])
    yield _array(f"{prefix}/shape", of)
    for at, column in enumerate(named.columns.values()):
        key = f"{prefix}/{at}"
        if isinstance(column, NumberColumn):
            present, values = _present(column.cells, rows)
            yield _array(f"{key}/rows", present)
            yield _array(f"{key}/values", values)
        elif isinstance(column, TextColumn):
            yield from _text_column(key, column, rows)


def _recorded(prefix: str, column: RecordedColumn, rows: Rows) -> Iterator[Section]:
    written = column.used(rows)
    yield _array(f"{prefix}/rows", written.rows)
    yield _array(f"{prefix}/places", written.places)
    yield from _parts(f"{prefix}/values", written.values)
    yield from _parts(f"{prefix}/datasets", written.datasets)


def _text_column(key: str, column: TextColumn, rows: Rows) -> Iterator[Section]:
    present, codes = _present(column.cells, rows)
    used, places = np.unique(codes, return_inverse=True)
    yield _array(f"{key}/rows", present)
    yield _array(f"{key}/places", places.astype(np.int32))
    yield from _parts(f"{key}/texts", column.dictionary.of(used.tolist()))


def _present(cells: Cells[Any], rows: Rows) -> tuple[Rows, NDArray[Any]]:
    """Where in these rows there is a value, and the values; no place stands for all of them."""
    values = cells.array()[rows]
    present = np.flatnonzero(~cells.missing_in(values)).astype(np.int32)
    if len(present) == len(rows):
        return np.zeros(0, np.int32), values
    return present, values[present]


def _array(key: str, array: NDArray[Any]) -> Section:
    return key, np.ascontiguousarray(array).data


def _parts(key: str, values: Sequence[object]) -> Iterator[Section]:
    for at in range(0, len(values), _AT_ONCE):
        yield f"{key}/{at}", msgspec.msgpack.encode(values[at : at + _AT_ONCE])


def table_of(sections: Mapping[str, bytearray], since: float) -> RunTable:
    """The table that these sections were made of, if its clock is as many seconds from ours as `since` says.

    Any error but MemoryError says that they were made of none.
    """
    return _Reader(sections, since).table


class _Reader:
    """Reads sections into a new table."""

    def __init__(self, sections: Mapping[str, bytearray], since: float) -> None:
        self._sections = sections
        names = self._texts("texts/run_name/texts")
        self._names = dict(zip(names, names, strict=True))  # a tag has them, too: equal texts are one object
        self.table = RunTable()
        columns = self.table.columns
        ids = self._texts("ids")
        self.table.ids.fill(ids)
        self._all = np.arange(len(ids), dtype=np.int32)
        columns.asked.fill(self._all, self._numbers("asked") - since)
        for name, times in columns.times.items():
            times.cells.fill(self._all, self._numbers(f"times/{name}"))
        for name, column in columns.texts.items():
            self._text_column(f"texts/{name}", column)
        self._named("metrics", columns.metrics)
        self._named("params", columns.params)
        self._named("tags", columns.tags)
        self._recorded("recorded", columns.recorded)
        self.table.filled()

    def _named(self, prefix: str, named: NamedValues[NumberColumn] | NamedValues[TextColumn]) -> None:
        names = self._texts(f"{prefix}/names")
        listed = msgspec.msgpack.decode(self._sections[f"{prefix}/shapes"], type=list[list[int]])
        shapes = [tuple([names[at] for at in one]) for one in listed]
        columns = named.fill(names, shapes, self._all, self._codes(f"{prefix}/shape"))
        for at, column in enumerate(columns):
            key = f"{prefix}/{at}"
            if isinstance(column, NumberColumn):
                column.cells.fill(self._rows(key), self._numbers(f"{key}/values"))
            elif isinstance(column, TextColumn):
                self._text_column(key, column)

    def _recorded(self, prefix: str, column: RecordedColumn) -> None:
        rows, places = self._codes(f"{prefix}/rows"), self._codes(f"{prefix}/places")
        values = self._parts(f"{prefix}/values", _Value)
        column.fill(Written(rows, places, values, self._parts(f"{prefix}/datasets", Dataset)))

    def _text_column(self, key: str, column: TextColumn) -> None:
        places = self._codes(f"{key}/places")
        texts = [self._names.get(text, text) for text in self._texts(f"{key}/texts")]
        column.dictionary.fill(texts, np.bincount(places, minlength=len(texts)).tolist())
        column.cells.fill(self._rows(key), places + np.int32(1))

    def _rows(self, key: str) -> Rows:
        rows = self._codes(f"{key}/rows")
        return rows if len(rows) else self._all

    def _codes(self, key: str) -> Rows:
        return np.frombuffer(self._sections[key], np.int32)

    def _numbers(self, key: str) -> NDArray[np.float64]:
        return np.frombuffer(self._sections[key], np.float64)

    def _texts(self, key: str) -> list[str]:
        return self._parts(key, str)

    def _parts(self, key: str, type_: Any) -> list[Any]:
        values: list[Any] = []
        while (part := self._sections.get(f"{key}/{len(values)}")) is not None:
            values += msgspec.msgpack.decode(part, type=list[type_])
        return values
