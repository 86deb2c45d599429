"""How many rows have each value of a field. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.index.masks import View
from service.index.ordering import NAN, Keys, Rows, number_keys
from service.index.ranks import LAST
from service.tracking.search.expressions import Scalar
from service.tracking.search.fields import Field
from service.tracking.search.queries import FacetValue

MOST_VALUES: Final = 1_000


class Values(NamedTuple):
    """The different values of a field over some rows, in ascending order, and which of them each row has.

    keys: of each value, ascending. samples: a row that has the value. of_row: the place of its value, by row.
    Rows that lack the field have one value, None, the last; a metric that is NaN counts as lacking.
    """

    keys: Keys
    samples: Rows
    of_row: NDArray[np.intp]


def values_of(view: View, field: Field, rows: Rows) -> Values:
    """The different values of a field over rows. Its texts' ranks have to be known."""
    if field.is_number:
        keys = number_keys(view.numbers(field)[rows], descending=False)
        keys[keys == NAN] = LAST
        different, samples, of_row = np.unique(keys, return_index=True, return_inverse=True)
        return Values(different, rows[samples], of_row)
    column, ranks = view.column(field), view.ranks(field)
    if column is None or ranks is None:
        return Values(np.full(min(1, len(rows)), LAST), rows[:1], np.zeros(len(rows), np.intp))
    by_code = ranks.by_code()
    places = by_code[column.codes()[rows]] >> 1  # ranks are even
    highest = 2 * len(by_code)
    places[places > highest] = highest >> 1
    sample = np.full(len(by_code) + 1, -1, np.intp)
    sample[places] = rows
    there = np.flatnonzero(sample >= 0)
    dense = np.zeros(len(sample), np.intp)
    dense[there] = np.arange(len(there))
    return Values(np.where(there == highest >> 1, LAST, there * 2), sample[there], dense[places])


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


def values_at(view: View, field: Field, rows: list[int]) -> list[Scalar | None]:
    """The values of a field of rows; None where a row lacks it, NaN where a metric is."""
    if field.is_number:
        return view.numbers(field)[rows].tolist()
    column = view.column(field)
    return [None] * len(rows) if column is None else list(column.texts.of(column.codes()[rows].tolist()))
