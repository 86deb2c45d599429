"""The fields that rows have, in turns between which others are answered.

What changes between two turns is seen in the columns that are looked at later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from service.checkpoint import checkpoint
from service.index.cells import is_missing
from service.index.columns import NumberColumn, TextColumn
from service.index.masks import View, number_of
from service.index.ordering import Rows
from service.index.tallies import (
    NumberTally,
    TextTally,
    tallies_of_few_numbers,
    tallies_of_few_texts,
    tallies_of_numbers,
    tally_of_texts,
)
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.queries import FieldSearch, FieldSummary

C = TypeVar("C", NumberColumn, TextColumn)
Mask = NDArray[np.bool_]

_IN_A_TURN: Final = 250_000  # values that are looked at in a turn: about 2 ms
_COLUMN: Final = 200  # values that take as long as a column does beside its own
_FEW_TEXTS: Final = 256  # that are read as numbers anew each time
_SAMPLE: Final = 8  # texts, of which most often one shows that not all are numbers
_TIMES: Final = ("start_time", "end_time", "duration")
_TEXTS: Final = ("run_name", "status", "user_id", "experiment_id")


class FieldHits(NamedTuple):
    """What a FieldPage holds beside the status of the index."""

    fields: tuple[FieldSummary, ...]
    counts: Mapping[FieldKind, int]
    total: int


class _Texts(NamedTuple):
    """A column that may be one of numbers, and the codes of its different texts in the rows."""

    column: TextColumn
    codes: NDArray[Any]


Found = tuple[FieldSummary, _Texts | None]


async def fields_of(view: View, asked: FieldSearch, mask: Mask) -> FieldHits:
    """The fields of the rows of a mask: of each kind those that most rows have, and what their values are."""
    rows = np.flatnonzero(mask)
    counts: dict[FieldKind, int] = {}
    fields: list[FieldSummary] = []
    for kind in asked.kinds:
        found = await _of_kind(view, kind, asked.contains, mask, rows) if len(rows) else []
        counts[kind] = len(found)
        found.sort(key=_most_runs_first)
        for summary, texts in found[: asked.limit]:
            fields.append(summary if texts is None else await _read_as_number(view, summary, texts))
    return FieldHits(tuple(fields), counts, len(rows))


def _most_runs_first(found: Found) -> tuple[int, str]:
    return -found[0].runs, found[0].field.key


async def _of_kind(view: View, kind: FieldKind, contains: str, mask: Mask, rows: Rows) -> list[Found]:
    """All fields of a kind that some of the rows have, in any order."""
    table = view.table
    match kind:
        case FieldKind.ATTRIBUTE:
            return [
                (summary, None)
                for summary in _attributes(view, rows)
                if summary.runs and contains in summary.field.name.lower()
            ]
        case FieldKind.METRIC:
            return await _numbers(_named(kind, table.metrics.columns, contains), mask, rows)
        case FieldKind.PARAM:
            return await _texts(_named(kind, table.params.columns, contains), mask, rows)
        case FieldKind.TAG:
            return await _texts(_named(kind, table.tags.columns, contains), mask, rows)


def _named(kind: FieldKind, columns: Mapping[str, C], contains: str) -> list[tuple[Field, C]]:
    fields = ((Field(kind, key), column) for key, column in columns.items())
    return [each for each in fields if not contains or contains in each[0].name.lower()]


def _attributes(view: View, rows: Rows) -> Iterable[FieldSummary]:
    run_id, artifact_uri, *others = (
        Field(FieldKind.ATTRIBUTE, key) for key in ("run_id", "artifact_uri", *_TEXTS, *_TIMES)
    )
    yield FieldSummary(run_id, len(rows), distinct=len(rows))
    yield FieldSummary(artifact_uri, len(rows))
    for field in others:
        column = view.column(field) if not field.is_number else None
        if column is None:
            [numbers] = tallies_of_numbers([view.numbers(field)[rows]])
            yield FieldSummary(field, numbers.rows, low=numbers.low, high=numbers.high)
        else:
            texts = tally_of_texts(column.codes()[rows])
            yield FieldSummary(field, texts.rows, distinct=len(texts.codes))


async def _numbers(named: Sequence[tuple[Field, NumberColumn]], mask: Mask, rows: Rows) -> list[Found]:
    found: list[Found] = []
    for many, few in _turns(named, len(rows)):
        tallies: list[NumberTally] = []
        if many:
            tallies += tallies_of_numbers([column.numbers()[rows] for _, column in many])
        if few:
            tallies += tallies_of_few_numbers([values for _, _, values in few], mask)
        fields = [*(field for field, _ in many), *(field for field, _, _ in few)]
        found += [
            (FieldSummary(field, tally.rows, low=tally.low, high=tally.high), None)
            for field, tally in zip(fields, tallies, strict=True)
            if tally.rows
        ]
        await checkpoint()
    return found


async def _texts(named: Sequence[tuple[Field, TextColumn]], mask: Mask, rows: Rows) -> list[Found]:
    found: list[Found] = []
    for many, few in _turns(named, len(rows)):
        tallies: list[TextTally] = [tally_of_texts(column.codes()[rows]) for _, column in many]
        if few:
            tallies += tallies_of_few_texts([values for _, _, values in few], mask)
        columns = [*many, *((field, column) for field, column, _ in few)]
        found += [
            (FieldSummary(field, tally.rows, distinct=len(tally.codes)), _Texts(column, tally.codes))
            for (field, column), tally in zip(columns, tallies, strict=True)
            if tally.rows
        ]
        await checkpoint()
    return found


def _turns(
    named: Sequence[tuple[Field, C]], rows: int
) -> Iterator[tuple[list[tuple[Field, C]], list[tuple[Field, C, Mapping[int, Any]]]]]:
    """The columns of one turn after another, apart by whether many rows have a value or few, with those of
    the few. They are of the moment when they are asked for."""
    many: list[tuple[Field, C]] = []
    few: list[tuple[Field, C, Mapping[int, Any]]] = []
    values = 0
    for field, column in named:
        own = column.cells.few
        if own is None:
            many.append((field, column))
        elif own:  # the last value of a column may have left between two turns
            few.append((field, column, own))
        values += _COLUMN + (rows if own is None else len(own))
        if values >= _IN_A_TURN:
            yield many, few
            many, few, values = [], [], 0
    if many or few:
        yield many, few


async def _read_as_number(view: View, summary: FieldSummary, texts: _Texts) -> FieldSummary:
    """The same, with whether all its texts are numbers, and between which ones they are then."""
    column, codes = texts
    there = [text for text in column.texts.of(codes[:_SAMPLE].tolist()) if text is not None]
    if any(is_missing(_as_numbers(there))):
        return replace(summary, is_numeric=False)
    if len(codes) <= _FEW_TEXTS:
        there = [text for text in column.texts.of(codes.tolist()) if text is not None]
        numbers = _as_numbers(there)
    else:
        derived = view.as_numbers(column)
        await derived.catch_up()
        numbers = derived.by_code()[codes]
        gone = is_missing(numbers)
        if gone.any():  # a text that has left meanwhile is none that is no number
            numbers = numbers[~gone]
            if any(text is not None for text in column.texts.of(codes[gone].tolist())):
                return replace(summary, is_numeric=False)
    if is_missing(numbers).any():
        return replace(summary, is_numeric=False)
    low, high = (float(np.min(numbers)), float(np.max(numbers))) if len(numbers) else (None, None)
    return replace(summary, is_numeric=True, low=low, high=high)


def _as_numbers(texts: Sequence[str]) -> NDArray[np.float64]:
    return np.fromiter(map(number_of, texts), np.float64, len(texts))
