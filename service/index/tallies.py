"""How many of some rows have a value in a column, and which values those are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.index.cells import Codes, Numbers, is_missing
from service.index.texts import NO_TEXT

Few = Sequence[Mapping[int, Any]]  # columns of which few rows have a value: those by row, at least one each
Counts = NDArray[np.intp]

_BELOW_CODES: Final = 2**32  # of a column


class NumberTally(NamedTuple):
    """A column of numbers over some rows. low, high: of the finite values, None where there is none."""

    rows: int
    low: float | None
    high: float | None


class TextTally(NamedTuple):
    """A column of texts over some rows. codes: of the different texts, ascending."""

    rows: int
    codes: NDArray[Any]


class ChosenRows:
    """The rows of a mask, and room for their values in some columns, which is used again and again."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self.mask = mask
        self.count = int(np.count_nonzero(mask))
        self._rows = None if self.count == len(mask) else np.flatnonzero(mask)
        self._numbers: Numbers = np.empty(0)
        self._codes: NDArray[np.intp] = np.empty(0, np.intp)

    def numbers_of(self, columns: Sequence[Numbers]) -> Numbers:
        """Their values, a row for each column; they are there until the next call."""
        if len(self._numbers) < len(columns) * self.count:
            self._numbers = np.empty(len(columns) * self.count)
        block = self._numbers[: len(columns) * self.count].reshape(len(columns), self.count)
        for own, column in zip(block, columns, strict=True):
            self._copy(column, own)
        return block

    def codes_of(self, column: Codes) -> NDArray[np.intp]:
        """The same of one column of texts."""
        if not len(self._codes):
            self._codes = np.empty(self.count, np.intp)
        self._copy(column, self._codes)
        return self._codes

    def _copy(self, column: NDArray[Any], to: NDArray[Any]) -> None:
        to[:] = column[: self.count] if self._rows is None else column[self._rows]


def tallies_of_numbers(columns: Sequence[Numbers], rows: ChosenRows) -> list[NumberTally]:
    """Of columns, given the values of all rows."""
    block = rows.numbers_of(columns)
    there = rows.count - np.count_nonzero(is_missing(block), axis=1)
    low: Numbers = np.fmin.reduce(block, axis=1, keepdims=True)[:, 0]
    high: Numbers = np.fmax.reduce(block, axis=1, keepdims=True)[:, 0]
    for at in np.flatnonzero(np.isinf(low) | np.isinf(high)).tolist():
        finite = block[at][np.isfinite(block[at])]
        low[at], high[at] = (np.min(finite), np.max(finite)) if len(finite) else (np.nan, np.nan)
    return _tallies(there, low, high)


def tallies_of_few_numbers(columns: Few, rows: ChosenRows) -> list[NumberTally]:
    """The same of columns of which few rows have a value."""
    starts, inside, values = _joined(columns, rows.mask, np.float64)
    values[~inside | np.isinf(values)] = np.nan
    there = np.add.reduceat(inside, starts, dtype=np.intp)
    return _tallies(there, np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts))


def tally_of_texts(column: Codes, rows: ChosenRows) -> TextTally:
    """Of a column, given the codes of all rows."""
    counts = np.bincount(rows.codes_of(column), minlength=1)
    without = counts[NO_TEXT].item()
    counts[NO_TEXT] = 0
    return TextTally(rows.count - without, np.flatnonzero(counts))


def tallies_of_few_texts(columns: Few, rows: ChosenRows) -> list[TextTally]:
    """The same of columns of which few rows have a value."""
    starts, inside, codes = _joined(columns, rows.mask, np.int64)
    there = np.add.reduceat(inside, starts, dtype=np.intp)
    column = np.repeat(np.arange(len(columns)), np.diff(starts, append=len(codes)))
    different = np.unique((column * _BELOW_CODES + codes)[inside])
    ends = np.searchsorted(different, np.arange(1, len(columns)) * _BELOW_CODES)
    own = np.split(different % _BELOW_CODES, ends)
    return list(map(TextTally, there.tolist(), own))


def _joined(
    columns: Few, mask: NDArray[np.bool_], dtype: type
) -> tuple[Counts, NDArray[np.bool_], NDArray[Any]]:
    """The values of all columns one after another: where each column starts, which are of the rows, and what
    they are."""
    sizes = np.fromiter(map(len, columns), np.intp, len(columns))
    count = int(np.sum(sizes).item())
    rows = np.fromiter(chain.from_iterable(columns), np.intp, count)
    values: NDArray[Any] = np.fromiter(
        chain.from_iterable(column.values() for column in columns), dtype, count
    )
    beyond = np.append(mask, np.False_)  # rows that have come since
    return np.cumsum(sizes) - sizes, beyond.take(rows, mode="clip"), values


def _tallies(there: Counts, low: Numbers, high: Numbers) -> list[NumberTally]:
    return list(map(NumberTally, there.tolist(), _or_none(low), _or_none(high)))


def _or_none(numbers: Numbers) -> list[float | None]:
    return [None if number != number else number for number in numbers.tolist()]  # noqa: PLR0124  # NaN
