"""Sorting rows by keys, of which only those of one page are put in order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.index.cells import Numbers, is_missing
from service.index.ranks import LAST

Keys = NDArray[np.int64]
Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]

NAN: Final = LAST - 1

_ALL: Final = slice(None)
_SAMPLE: Final = 1_024


def number_keys(numbers: Numbers, *, descending: bool) -> Keys:
    """Integers in the order of the numbers: then NaN, and last what is missing, in both directions.

    The bits of a positive float64 are in its order as an integer; those of a negative one in reverse.
    """
    bits = (numbers + 0.0).view(np.int64)  # -0.0 becomes 0.0
    keys = bits ^ ((bits >> 63) & LAST)
    if descending:
        np.invert(keys, out=keys)
    nan = np.isnan(numbers)
    if nan.any():
        keys[nan] = NAN
        keys[is_missing(numbers)] = LAST
    return keys


def numbers_of_keys(keys: Keys) -> Numbers:
    """The numbers of ascending keys again; NaN for those of NaN and of what is missing."""
    return (keys ^ ((keys >> 63) & LAST)).view(np.float64)


def rank_keys(ranks: Keys, *, descending: bool) -> Keys:
    """The same of the ranks of texts."""
    return np.where(ranks == LAST, LAST, -ranks) if descending else ranks


class Sides(NamedTuple):
    """Which rows come before a key, and which have it."""

    before: Mask
    equal: Mask


class KeyOf:
    """The keys of rows, by which they are sorted."""

    def __init__(self, keys: Callable[[Rows | slice], Keys]) -> None:
        self._keys = keys

    def __call__(self, rows: Rows) -> Keys:
        return self._keys(rows)

    def sides(self, rows: Rows | slice, key: int) -> Sides:
        """On which side of a key rows stand."""
        keys = self._keys(rows)
        return Sides(keys < key, keys == key)


class NumberKeyOf(KeyOf):
    """The same for rows that are sorted by a number, of which only those of one page need a key."""

    def __init__(self, numbers: Numbers, *, descending: bool) -> None:
        super().__init__(lambda rows: number_keys(numbers[rows], descending=descending))
        self._numbers = numbers
        self._descending = descending

    def sides(self, rows: Rows | slice, key: int) -> Sides:
        if key >= NAN:
            return super().sides(rows, key)
        number = numbers_of_keys(np.array([~key if self._descending else key], np.int64))[0]
        numbers = self._numbers[rows]
        before = numbers > number if self._descending else numbers < number
        return Sides(before, numbers == number)


def first(mask: Mask, keys: Sequence[KeyOf], last_key: Callable[[int], str], most: int) -> list[int]:
    """The first rows of a mask by the keys, then by last_key: at most so many, in order."""
    rows = _first(_near(mask, keys[0], most), keys, last_key, most)
    columns = [key(rows).tolist() for key in keys]
    order = sorted(zip(*columns, map(last_key, rows.tolist()), rows.tolist(), strict=True))
    return [each[-1] for each in order[:most]]


def _near(mask: Mask, key: KeyOf, most: int) -> Rows:
    """A part of the mask's rows that has at least the first so many; all of them where that is no small part.

    A sample says where they end, so that the many others are only compared.
    """
    step = max(1, len(mask) // _SAMPLE)
    sample = np.flatnonzero(mask[::step]) * step
    at = 8 + 2 * most // step
    if len(sample) > 4 * at:
        sides = key.sides(_ALL, int(np.partition(key(sample), at)[at]))
        near = np.flatnonzero((sides.before | sides.equal) & mask)
        if len(near) >= most:
            return near
    return np.flatnonzero(mask)


def _first(rows: Rows, keys: Sequence[KeyOf], last_key: Callable[[int], str], most: int) -> Rows:
    """The first of some rows, in any order."""
    if len(rows) <= most:
        return rows
    if not keys:
        return np.array(sorted(rows.tolist(), key=last_key)[:most], np.intp)
    values = keys[0](rows)
    border = np.partition(values, most - 1)[most - 1]
    before = rows[values < border]
    ties = _first(rows[values == border], keys[1:], last_key, most - len(before))
    return np.concatenate((before, ties))


def after(
    mask: Mask, keys: Sequence[KeyOf], last_key: Callable[[int], str], position: Sequence[int], last: str
) -> Mask:
    """Which rows of a mask come after a position: its keys, and its last_key."""
    sides = keys[0].sides(_ALL, position[0])
    behind = ~(sides.before | sides.equal) & mask
    ties = np.flatnonzero(sides.equal & mask)
    behind[_after(ties, keys[1:], last_key, position[1:], last)] = True
    return behind


def _after(
    rows: Rows, keys: Sequence[KeyOf], last_key: Callable[[int], str], position: Sequence[int], last: str
) -> Rows:
    """The same of some rows."""
    if not keys:
        return np.array([row for row in rows.tolist() if last_key(row) > last], np.intp)
    sides = keys[0].sides(rows, position[0])
    behind = rows[~(sides.before | sides.equal)]
    ties = rows[sides.equal]
    if not len(ties):
        return behind
    return np.concatenate((behind, _after(ties, keys[1:], last_key, position[1:], last)))
