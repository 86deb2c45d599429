"""What one column holds for each row, as an array or, where few rows have anything, as a dict. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

# R marks what is missing by a NaN of its own, too; so a float64 needs no mask beside it, and NaN, which a
# metric can be, is another one.
_MISSING_BITS: Final = 0x7FF8_0000_0000_07A2
MISSING: Final = np.array([_MISSING_BITS], np.int64).view(np.float64)[0]

# A dict takes as much memory for one row as an array for so many.
_SPARSE_BYTES: Final = 110
_INTEGER_BYTES: Final = 40  # with its place in a list
_DENSE_FROM: Final = 12
_SPARSE_BELOW: Final = 24

Value = TypeVar("Value", float, int)
Numbers = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]


def is_missing(numbers: Numbers) -> NDArray[np.bool_]:
    """Where a number is missing; NaN is not."""
    missing: NDArray[np.bool_] = numbers.view(np.int64) == _MISSING_BITS
    return missing


def among(codes: Codes, some: Sequence[int], most: int) -> NDArray[np.bool_]:
    """Which codes, all below `most`, are one of some. One is compared ten times as fast as several."""
    if len(some) == 1:
        equal: NDArray[np.bool_] = codes == some[0]
        return equal
    is_one = np.zeros(most, np.bool_)
    is_one[list(some)] = True
    return is_one.take(codes)


class Space:
    """What the columns of a table share: how many rows there are, free ones included, and the bytes taken."""

    __slots__ = ("_integers", "bytes", "rows")

    def __init__(self) -> None:
        self.rows = 0
        self.bytes = 0
        self._integers: list[int] = []

    def integers(self, start: int, stop: int) -> Sequence[int]:
        """The whole numbers from start, 0 or more, to before stop: each one object, whoever needs it."""
        more = range(len(self._integers), stop)
        self._integers += more
        self.bytes += _INTEGER_BYTES * len(more)
        return self._integers[start:stop]


class Cells(Generic[Value]):
    """The values of a column by row. missing: what the array holds where a row has none, a numpy scalar.

    phase: 0.0 to 1.0, other ones for other columns, so that not all columns of a table grow at once.
    """

    __slots__ = ("_array", "_missing", "_phase", "_some", "_space", "count")

    def __init__(self, space: Space, missing: Any, phase: float = 0.0) -> None:
        self._space = space
        self._missing = missing
        self._phase = phase
        self._array: NDArray[Any] | None = None
        self._some: dict[int, Value] = {}
        self.count = 0

    def add(self, row: int, value: Value) -> None:
        """Set the value of a row that has none."""
        self.count += 1
        if self._array is None:
            self._some[row] = value
            self._space.bytes += _SPARSE_BYTES
            if self.count * _DENSE_FROM >= self._space.rows:
                self._become_dense()
        else:
            if row >= len(self._array):
                self._grow(row, self._array)
            if self._array is None:
                self._some[row] = value
                self._space.bytes += _SPARSE_BYTES
            else:
                self._array[row] = value

    def replace(self, row: int, value: Value) -> None:
        """Set the value of a row that has one."""
        if self._array is None:
            self._some[row] = value
        else:
            self._array[row] = value

    def remove(self, row: int) -> None:
        """Take the value from a row that has one."""
        self.count -= 1
        if self._array is None:
            del self._some[row]
            self._space.bytes -= _SPARSE_BYTES
        else:
            self._array[row] = self._missing

    def fill(self, rows: Codes, values: NDArray[Any]) -> None:
        """Set the values of these rows, which ascend, of a column that has none."""
        self.count = len(rows)
        if self.count * _DENSE_FROM < self._space.rows:
            self._some = dict(zip(rows.tolist(), values.tolist(), strict=True))
            self._space.bytes += _SPARSE_BYTES * self.count
        elif self.count:
            self._array = np.full(self._capacity(int(rows[-1]) + 1), self._missing)
            self._array[rows] = values
            self._space.bytes += self._array.nbytes

    def value(self, row: int) -> Value:
        """The value of a row that has one."""
        if self._array is None:
            return self._some[row]
        value: Value = self._array.item(row)
        return value

    @property
    def few(self) -> Mapping[int, Value] | None:
        """The values by row, where few rows have one; None where `array` costs no more."""
        return self._some if self._array is None else None

    def values(self, rows: NDArray[np.intp]) -> list[Value]:
        """The values of rows that have one."""
        if self._array is None:
            return [self._some[row] for row in rows.tolist()]
        values: list[Value] = self._array.take(rows).tolist()
        return values

    def array(self) -> NDArray[Any]:
        """The values of all rows, not to be changed, nor kept while others may change the column."""
        rows = self._space.rows
        if self._array is not None and len(self._array) >= rows:
            return self._array[:rows]
        array = np.full(rows, self._missing)
        if self._array is not None:
            array[: len(self._array)] = self._array
        elif self._some:
            array[np.fromiter(self._some, np.intp, self.count)] = self._some_values()
        return array

    def missing_in(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Where such values as `array` has say that there is none."""
        if values.dtype == np.float64:
            return is_missing(values)
        missing: NDArray[np.bool_] = values == self._missing
        return missing

    def discard(self, beside: int) -> None:
        """Take it, and so many bytes beside it, from the table's: the column is not needed any more."""
        self._space.bytes -= beside
        self._space.bytes -= _SPARSE_BYTES * len(self._some)
        if self._array is not None:
            self._space.bytes -= self._array.nbytes

    def _some_values(self) -> NDArray[Any]:
        return np.fromiter(self._some.values(), self._missing.dtype, self.count)

    def _become_dense(self) -> None:
        array = np.full(self._capacity(max(self._some) + 1), self._missing)
        array[np.fromiter(self._some, np.intp, self.count)] = self._some_values()
        self._space.bytes += array.nbytes - _SPARSE_BYTES * self.count
        self._array, self._some = array, {}

    def _grow(self, row: int, old: NDArray[Any]) -> None:
        """Make room for a row; where few rows have a value by now, become a dict again."""
        self._space.bytes -= old.nbytes
        if (self.count - 1) * _SPARSE_BELOW < self._space.rows:
            rows = np.flatnonzero(~self.missing_in(old))
            self._some = dict(zip(rows.tolist(), old[rows].tolist(), strict=True))
            self._array = None
            self._space.bytes += _SPARSE_BYTES * len(self._some)
            return
        self._array = np.full(self._capacity(row + 1), self._missing)
        self._array[: len(old)] = old
        self._space.bytes += self._array.nbytes

    def _capacity(self, rows: int) -> int:
        return rows + 16 + int(rows * (0.03 + 0.05 * self._phase))


class CodeCells(Cells[int]):
    """The codes of a column by row, 0 where a row has none, in as few bytes as the highest one needs."""

    __slots__ = ("_most",)

    def __init__(self, space: Space, phase: float = 0.0) -> None:
        super().__init__(space, np.uint8(0), phase)
        self._most = 255

    def add(self, row: int, value: int) -> None:
        if value > self._most:
            self._widen(value)
        super().add(row, value)

    def replace(self, row: int, value: int) -> None:
        if value > self._most:
            self._widen(value)
        super().replace(row, value)

    def fill(self, rows: Codes, values: NDArray[Any]) -> None:
        if len(values):
            self._widen(int(np.max(values)))
        super().fill(rows, values)

    def _widen(self, value: int) -> None:
        """Make room for a value that is as high as this."""
        dtype = np.promote_types(np.min_scalar_type(value), self._missing.dtype)
        self._missing = dtype.type(0)
        self._most = int(np.iinfo(dtype).max)
        if self._array is not None:
            before = self._array.nbytes
            self._array = self._array.astype(dtype)
            self._space.bytes += self._array.nbytes - before
