"""Which names a run's metrics, parameters or tags have, kept once for all runs that have the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from sys import getsizeof
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from service.index.cells import Cells, Codes, Space

_BYTES = 400  # that a shape takes beside its two tuples, about


class Column(Protocol):
    """A column as the rows of a shape need it."""

    def add(self, row: int, value: Any) -> None:
        """Set the value of a row that has none."""
        ...

    def replace(self, row: int, value: Any) -> None:
        """Set the value of a row that has one."""
        ...

    def remove(self, row: int) -> None:
        """Take the value from a row that has one."""
        ...

    def value(self, row: int) -> Any:
        """The value of a row that has one."""
        ...

    def values(self, rows: NDArray[np.intp]) -> Sequence[Any]:
        """The values of rows that have one."""
        ...


C = TypeVar("C", bound=Column)


class Shape(Generic[C]):
    """Names in MLflow's order, and the columns that hold their values."""

    __slots__ = ("columns", "names", "number", "rows")

    def __init__(self, number: int, names: tuple[str, ...], columns: tuple[C, ...]) -> None:
        self.number = number
        self.names = names
        self.columns = columns
        self.rows = 0

    @property
    def bytes(self) -> int:
        """Bytes of memory that it takes, about."""
        return _BYTES + getsizeof(self.names) + getsizeof(self.columns)


class Shapes(Generic[C]):
    """The shapes of a kind of name, and which one each row has."""

    def __init__(self, space: Space, phase: float) -> None:
        self._space = space
        self._by_names: dict[tuple[str, ...], Shape[C]] = {}
        self._by_number: list[Shape[C] | None] = []
        self._free: list[int] = []
        self._cells: Cells[int] = Cells(space, np.int32(-1), phase)

    def find(self, names: tuple[str, ...]) -> Shape[C] | None:
        """The shape of these names, if a row has it."""
        return self._by_names.get(names)

    def new(self, names: tuple[str, ...], columns: tuple[C, ...]) -> Shape[C]:
        """A shape that no row has yet."""
        number = self._free.pop() if self._free else len(self._by_number)
        shape = Shape(number, names, columns)
        if number == len(self._by_number):
            self._by_number.append(shape)
        else:
            self._by_number[number] = shape
        self._by_names[names] = shape
        self._space.bytes += shape.bytes
        return shape

    def of(self, row: int) -> Shape[C]:
        """The shape of a row that has one."""
        return self._by_number[self._cells.value(row)]  # type: ignore[return-value] # it has one

    def at(self, rows: NDArray[np.intp]) -> list[Shape[C]]:
        """The shapes of rows that have one."""
        return [self._by_number[number] for number in self._cells.values(rows)]  # type: ignore[misc] # as above

    def used(self, rows: Codes) -> tuple[NDArray[np.int32], list[tuple[str, ...]]]:
        """The shapes of rows that have one: each row's place in a list of shapes, and the names of those."""
        numbers, places = np.unique(self._cells.array()[rows], return_inverse=True)
        shapes = [self._by_number[number] for number in numbers.tolist()]
        return places.astype(np.int32), [() if shape is None else shape.names for shape in shapes]

    def fill(self, rows: Codes, numbers: Codes) -> None:
        """Set the shapes of these rows, which ascend, where none has one; a shape is its number."""
        self._cells.fill(rows, numbers)
        counts = np.bincount(numbers, minlength=len(self._by_number)).tolist()
        for shape, count in zip(self._by_number, counts, strict=True):
            if shape is not None:
                shape.rows = count

    def add(self, row: int, shape: Shape[C]) -> None:
        """Set the shape of a row that has none."""
        self._cells.add(row, shape.number)
        shape.rows += 1

    def replace(self, row: int, shape: Shape[C]) -> None:
        """Set the shape of a row that has one."""
        old = self.of(row)
        shape.rows += 1
        self._cells.replace(row, shape.number)
        self._leave(old)

    def remove(self, row: int) -> None:
        """Take the shape from a row that has one."""
        old = self.of(row)
        self._cells.remove(row)
        self._leave(old)

    def _leave(self, shape: Shape[C]) -> None:
        shape.rows -= 1
        if not shape.rows:
            del self._by_names[shape.names]
            self._by_number[shape.number] = None
            self._free.append(shape.number)
            self._space.bytes -= shape.bytes
