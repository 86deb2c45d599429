"""The fields that rows have, in turns between which others are answered.

What changes between two turns is seen in the columns that are looked at later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from service.checkpoint import checkpoint
from service.index.cells import is_missing
from service.index.columns import NumberColumn, TextColumn
from service.index.masks import View
from service.index.tallies import (
    ChosenRows,
    NumberTally,
    TextTally,
    tallies_of_few_numbers,
    tallies_of_few_texts,
    tallies_of_numbers,
    tally_of_texts,
)
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.matching import decimal
from service.tracking.search.queries import FieldSearch, FieldSummary

C = TypeVar("C", NumberColumn, TextColumn)

_IN_A_TURN: Final = 250_000  # values that are looked at in a turn: about 2 ms
_COLUMN: Final = 500  # values that take as long as a column does beside its own
_ONE_OF_FEW: Final = 5  # and as a value of a column of which few rows have one
_FEW_TEXTS: Final = 256  # that are read as numbers anew each time
_READ_IN_A_TURN: Final = 4_000  # texts that are read as numbers in a turn: about 2 ms
_COLUMN_READ: Final = 5  # texts that take as long as a column does beside its own
_SAMPLE: Final = 8  # texts, of which most often one shows that not all are numbers
_TIMES: Final = ("start_time", "end_time", "duration")
_RUN_ID: Final = Field(FieldKind.ATTRIBUTE, "run_id")
_ARTIFACT_URI: Final = Field(FieldKind.ATTRIBUTE, "artifact_uri")


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


async def fields_of(view: View, asked: FieldSearch, mask: NDArray[np.bool_]) -> FieldHits:
    """The fields of the rows of a mask: of each kind those that most rows have, and what their values are."""
    rows = ChosenRows(mask)
    counts: dict[FieldKind, int] = {}
    fields: list[FieldSummary] = []
    for kind in asked.kinds:
        found = await _of_kind(view, kind, asked.contains, rows) if rows.count else []
        counts[kind] = len(found)
        found.sort(key=_most_runs_first)
        fields += await _read_as_numbers(view, found[: asked.limit])
    return FieldHits(tuple(fields), counts, rows.count)


def _most_runs_first(found: Found) -> tuple[int, str]:
    return -found[0].runs, found[0].field.key


async def _of_kind(view: View, kind: FieldKind, contains: str, rows: ChosenRows) -> list[Found]:
    """All fields of a kind that some of the rows have, in any order."""
    table = view.table
    match kind:
        case FieldKind.ATTRIBUTE:
            return await _attributes(view, rows, contains)
        case FieldKind.METRIC:
            return await _numbers(_named(kind, table.metrics.columns, contains), rows)
        case FieldKind.PARAM:
            return await _texts(_named(kind, table.params.columns, contains), rows)
        case FieldKind.TAG:
            return await _texts(_named(kind, table.tags.columns, contains), rows)


def _named(kind: FieldKind, columns: Mapping[str, C], contains: str) -> list[tuple[Field, C]]:
    fields = ((Field(kind, key), column) for key, column in columns.items())
    return [each for each in fields if not contains or contains in each[0].name.lower()]


async def _attributes(view: View, rows: ChosenRows, contains: str) -> list[Found]:
    own = [FieldSummary(_RUN_ID, rows.count, distinct=rows.count), FieldSummary(_ARTIFACT_URI, rows.count)]
    for key in _TIMES:
        field = Field(FieldKind.ATTRIBUTE, key)
        [numbers] = tallies_of_numbers([view.numbers(field)], rows)
        own.append(FieldSummary(field, numbers.rows, low=numbers.low, high=numbers.high))
        await checkpoint()
    for key, column in view.table.attributes.items():
        texts = tally_of_texts(column.codes(), rows)
        own.append(FieldSummary(Field(FieldKind.ATTRIBUTE, key), texts.rows, distinct=len(texts.codes)))
        await checkpoint()
    return [(each, None) for each in own if each.runs and contains in each.field.name.lower()]


async def _numbers(named: Sequence[tuple[Field, NumberColumn]], rows: ChosenRows) -> list[Found]:
    found: list[Found] = []
    for many, few in _turns(named, rows.count):
        tallies: list[NumberTally] = []
        if many:
            tallies += tallies_of_numbers([column.numbers() for _, column in many], rows)
        if few:
            tallies += tallies_of_few_numbers([values for _, _, values in few], rows)
        fields = [*(field for field, _ in many), *(field for field, _, _ in few)]
        found += [
            (FieldSummary(field, tally.rows, low=tally.low, high=tally.high), None)
            for field, tally in zip(fields, tallies, strict=True)
            if tally.rows
        ]
        await checkpoint()
    return found


async def _texts(named: Sequence[tuple[Field, TextColumn]], rows: ChosenRows) -> list[Found]:
    found: list[Found] = []
    for many, few in _turns(named, rows.count):
        tallies: list[TextTally] = [tally_of_texts(column.codes(), rows) for _, column in many]
        if few:
            tallies += tallies_of_few_texts([values for _, _, values in few], rows)
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
        values += _COLUMN + (rows if own is None else _ONE_OF_FEW * len(own))
        if values >= _IN_A_TURN:
            yield many, few
            many, few, values = [], [], 0
    if many or few:
        yield many, few


async def _read_as_numbers(view: View, found: Sequence[Found]) -> list[FieldSummary]:
    """The same fields, with whether all texts of each are numbers, and between which ones they are then."""
    fields: list[FieldSummary] = []
    read = 0
    for summary, texts in found:
        numbers = None if texts is None else await _numbers_of(view, texts)
        if texts is None:
            fields.append(summary)
        elif numbers is None:
            fields.append(replace(summary, is_numeric=False))
        else:
            low, high = (min(numbers), max(numbers)) if numbers else (None, None)
            fields.append(replace(summary, is_numeric=True, low=low, high=high))
        read += _COLUMN_READ + (0 if texts is None else len(texts.codes))
        if read >= _READ_IN_A_TURN:
            await checkpoint()
            read = 0
    return fields


async def _numbers_of(view: View, texts: _Texts) -> Sequence[float] | None:
    """Texts as numbers, or of many the least and the greatest; None where some text is none."""
    column, codes = texts
    if len(codes) <= _FEW_TEXTS:
        return _read(column, codes)
    if _read(column, codes[:_SAMPLE]) is None:
        return None
    derived = view.as_numbers(column)
    await derived.catch_up()
    numbers = derived.by_code()[codes]
    lacking = is_missing(numbers)
    if lacking.any():  # they are no numbers, or have left since
        if _read(column, codes[lacking]) is None:
            return None
        numbers = numbers[~lacking]
    return [] if not len(numbers) else [float(np.min(numbers)), float(np.max(numbers))]


def _read(column: TextColumn, codes: NDArray[Any]) -> list[float] | None:
    """The texts of codes as numbers, without those that have left; None where some text is none."""
    numbers: list[float] = []
    for text in column.texts.of(codes.tolist()):
        number = None if text is None else decimal(text)
        if number is not None:
            numbers.append(number)
        elif text is not None:
            return None
    return numbers
