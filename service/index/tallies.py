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


def tallies_of_numbers(columns: Sequence[Numbers]) -> list[NumberTally]:
    """Of columns, given their values in the rows."""
    block = np.stack(columns)
    rows = block.shape[1] - np.count_nonzero(is_missing(block), axis=1)
    low, high = np.fmin.reduce(block, axis=1), np.fmax.reduce(block, axis=1)
    for at in np.flatnonzero(np.isinf(low) | np.isinf(high)).tolist():
        finite = block[at][np.isfinite(block[at])]
        low[at], high[at] = (np.min(finite), np.max(finite)) if len(finite) else (np.nan, np.nan)
    return _tallies(rows, low, high)


def tallies_of_few_numbers(columns: Few, mask: NDArray[np.bool_]) -> list[NumberTally]:
    """The same of columns of which few rows have a value. mask: which rows."""
    starts, inside, values = _joined(columns, mask, np.float64)
    values[~inside | np.isinf(values)] = np.nan
    rows = np.add.reduceat(inside, starts, dtype=np.intp)
    return _tallies(rows, np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts))


def tally_of_texts(codes: Codes) -> TextTally:
    """Of a column, given its codes in the rows."""
    counts = np.bincount(codes)
    there = np.flatnonzero(counts)
    without = counts[NO_TEXT].item() if len(there) and there[0] == NO_TEXT else 0
    return TextTally(len(codes) - without, there[1:] if without else there)


def tallies_of_few_texts(columns: Few, mask: NDArray[np.bool_]) -> list[TextTally]:
    """The same of columns of which few rows have a value. mask: which rows."""
    starts, inside, codes = _joined(columns, mask, np.int64)
    rows = np.add.reduceat(inside, starts, dtype=np.intp)
    column = np.repeat(np.arange(len(columns)), np.diff(starts, append=len(codes)))
    different = np.unique((column * _BELOW_CODES + codes)[inside])
    ends = np.searchsorted(different, np.arange(1, len(columns)) * _BELOW_CODES)
    own = np.split(different % _BELOW_CODES, ends)
    return list(map(TextTally, rows.tolist(), own))


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


def _tallies(rows: Counts, low: Numbers, high: Numbers) -> list[NumberTally]:
    return list(map(NumberTally, rows.tolist(), _or_none(low), _or_none(high)))


def _or_none(numbers: Numbers) -> list[float | None]:
    return [None if number != number else number for number in numbers.tolist()]  # noqa: PLR0124  # NaN
