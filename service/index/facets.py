"""Which values of a field rows have, and how many have each. Pure."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.index.cells import Codes
from service.index.masks import View
from service.index.ordering import Keys, Rows, number_keys, numbers_of_keys
from service.index.ranks import LAST
from service.tracking.search.expressions import Scalar
from service.tracking.search.fields import Field
from service.tracking.search.queries import FacetValue

MOST_VALUES: Final = 1_000


class Values(NamedTuple):
    """The different values of a field over some rows, in ascending order, and which of them each row has.

    keys: of each value. counts: how many rows have each. of_row: its place, by row, in as few bytes as places
    need. Rows that lack the field have one value, None, the last; a metric that is no finite number counts as
    lacking, as it cannot be told from a missing one in JSON.
    """

    keys: Keys
    counts: NDArray[np.intp]
    of_row: NDArray[Any]


def values_of(view: View, field: Field, rows: Rows) -> Values:
    """The different values of a field over rows, of which there are some.

    The ranks of a field of texts have to be known.
    """
    if field.is_number:
        keys, of_row = np.unique(_number_keys(view, field, rows), return_inverse=True)
        return Values(keys, np.bincount(of_row), of_row)
    column, ranks = view.column(field), view.ranks(field)
    if column is None or ranks is None:
        return Values(np.array([LAST]), np.array([len(rows)]), np.zeros(len(rows), np.uint8))
    codes = column.codes().take(rows)
    there, counts = _counted(codes, len(column.texts))
    keys, place_of = np.unique(ranks.by_code()[there], return_inverse=True)  # equal texts have one rank
    places = np.empty(len(column.texts), np.min_scalar_type(len(keys)))
    places[there] = place_of
    return Values(keys, np.bincount(place_of, counts).astype(np.intp), places.take(codes))


def _number_keys(view: View, field: Field, rows: Rows) -> Keys:
    numbers = view.numbers(field)[rows]
    keys = number_keys(numbers, descending=False)
    keys[~np.isfinite(numbers)] = LAST
    return keys


def _counted(codes: Codes, below: int) -> tuple[Rows, NDArray[np.intp]]:
    """The different codes, ascending, and how many there are of each."""
    counts = np.bincount(codes, minlength=below)
    there = np.flatnonzero(counts)
    return there, counts[there]


def dense(numbers: NDArray[np.int64], below: int) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """The different numbers, ascending, and the place of each among them. All are from 0 on, and below."""
    if below > 65_536 + 4 * len(numbers):
        different, places = np.unique(numbers, return_inverse=True)
        return different, places
    is_there = np.zeros(below, np.bool_)
    is_there[numbers] = True
    different = np.flatnonzero(is_there)
    place = np.empty(below, np.intp)
    place[different] = np.arange(len(different))
    return different, place[numbers]


def facet(view: View, field: Field, rows: Rows) -> tuple[FacetValue, ...]:
    """The most frequent values of a field, at most MOST_VALUES, ties by value; None counts the rows without.

    A metric that is no finite number counts as one that is not there.
    """
    values: list[Scalar | None]
    if field.is_number:
        keys, counts = np.unique(_number_keys(view, field, rows), return_counts=True)
        order = np.argsort(-counts, kind="stable")[:MOST_VALUES]
        numbers = numbers_of_keys(keys[order]).tolist()
        values = [None if key == LAST else number for key, number in zip(keys[order], numbers, strict=True)]
    else:
        column, ranks = view.column(field), view.ranks(field)
        if column is None or ranks is None:
            return (FacetValue(None, len(rows)),) if len(rows) else ()
        codes, counts = _counted(column.codes()[rows], len(column.texts))
        by_code = ranks.by_code()[codes]
        if not column.texts.is_unique:
            _, first_of, places = np.unique(by_code, return_index=True, return_inverse=True)
            counts = np.bincount(places, counts).astype(np.intp)
            codes, by_code = codes[first_of], by_code[first_of]
        order = np.lexsort((by_code, -counts))[:MOST_VALUES]
        values = list(column.texts.of(codes[order].tolist()))
    return tuple(map(FacetValue, values, counts[order].tolist()))
