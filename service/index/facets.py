"""Which values of a field rows have, and how many have each. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.index.keys import values_at
from service.index.masks import View
from service.index.ordering import NAN, Keys, Rows, number_keys
from service.index.ranks import LAST
from service.tracking.search.fields import Field
from service.tracking.search.queries import FacetValue

MOST_VALUES: Final = 1_000


class Values(NamedTuple):
    """The different values of a field over some rows, in ascending order, and which of them each row has.

    keys: of each value. samples: a row that has it. of_row: its place, by row. Rows that lack the field have
    one value, None, the last; a metric that is NaN counts as lacking.
    """

    keys: Keys
    samples: Rows
    of_row: NDArray[np.intp]


def values_of(view: View, field: Field, rows: Rows) -> Values:
    """The different values of a field over rows. The ranks of a field of texts have to be known."""
    if field.is_number:
        keys = number_keys(view.numbers(field)[rows], descending=False)
        keys[keys == NAN] = LAST
        different, samples, of_row = np.unique(keys, return_index=True, return_inverse=True)
        return Values(different, rows[samples], of_row)
    column, ranks = view.column(field), view.ranks(field)
    if column is None or ranks is None:
        return Values(np.full(min(1, len(rows)), LAST), rows[:1], np.zeros(len(rows), np.intp))
    places = (ranks.by_code() >> 1)[column.codes()[rows]]  # ranks are even
    lacking = len(column.texts)
    there, of_row = dense(np.minimum(places, lacking), lacking + 1)
    samples = np.empty(len(there), np.intp)
    samples[of_row] = rows
    return Values(np.where(there == lacking, LAST, there * 2), samples, of_row)


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

    A metric that is NaN counts as one that is not there.
    """
    keys, samples, of_row = values_of(view, field, rows)
    counts = np.bincount(of_row, minlength=len(keys))
    order = np.argsort(-counts, kind="stable")[:MOST_VALUES]
    values = values_at(view, field, samples[order].tolist())
    lacking = (keys[order] == LAST).tolist()
    return tuple(
        FacetValue(None if lacks else value, count)
        for value, lacks, count in zip(values, lacking, counts[order].tolist(), strict=True)
    )
