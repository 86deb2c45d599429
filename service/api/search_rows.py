"""What a search shows of a run: as an object, as one value a column, or as a line of CSV. Pure."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from service.api import schemas
from service.tracking.runs import Run
from service.tracking.search.fields import ATTRIBUTES, Field, FieldKind
from service.tracking.search.listing import Choice
from service.tracking.search.queries import Selection

Value = float | str | None

RUN_ID: Final = Field(FieldKind.ATTRIBUTE, "run_id")

_whole_run = schemas.projection(schemas.RunDetail, "experiment_id")
_OF_DETAIL: Final = (*filter(ATTRIBUTES.__contains__, schemas.RunDetail.model_fields), "experiment_id")
_ALL_ATTRIBUTES: Final = (*_OF_DETAIL, *sorted(ATTRIBUTES - set(_OF_DETAIL)))
_KINDS: Final = (FieldKind.PARAM, FieldKind.METRIC, FieldKind.TAG)
_WHOLE: Final = Choice(attributes=frozenset(_OF_DETAIL))
_INFINITE: Final = (math.inf, -math.inf)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def row_of(choice: Choice | None) -> Callable[[Run], object]:
    """What makes the object of a run: its detail and its experiment, or what was chosen of them."""
    if choice is None:
        return _whole_run
    attributes = [name for name in _ALL_ATTRIBUTES if name in choice.attributes]
    parts = {str(kind): keys for kind in _KINDS if (keys := _keys(choice.selection, kind)) != frozenset()}

    def row(run: Run) -> Mapping[str, Any]:
        chosen: dict[str, Any] = {name: _attribute(run, name) for name in attributes}
        for part, keys in parts.items():
            values = getattr(run, part)
            chosen[part] = values if keys is None else {key: values[key] for key in keys if key in values}
        return chosen

    return row


def columns_of(choice: Choice | None, names: Collection[Field]) -> tuple[Field, ...]:
    """The fields that are shown: those that were named, then all others by kind and name.

    names: what `names_in` finds in the runs.
    """
    choice = choice or _WHOLE
    attributes = [name for name in _ALL_ATTRIBUTES if name in choice.attributes]
    fields = dict.fromkeys(choice.named)
    fields |= dict.fromkeys(Field(FieldKind.ATTRIBUTE, name) for name in attributes)
    for kind in _KINDS:
        keys = sorted(field.key for field in names if field.kind is kind)
        fields |= dict.fromkeys(Field(kind, key) for key in keys)
    return tuple(fields)


def names_in(choice: Choice | None, runs: Iterable[Run]) -> set[Field]:
    """The fields that some of these runs have, of the kinds of which all are shown (`metrics.*`)."""
    every = [kind for kind in _KINDS if _keys((choice or _WHOLE).selection, kind) is None]
    if not every:
        return set()
    names: dict[FieldKind, set[str]] = {kind: set() for kind in every}
    for run in runs:
        for kind in every:
            names[kind].update(getattr(run, kind))
    return {Field(kind, name) for kind in every for name in names[kind]}


def needs_names(choice: Choice | None) -> bool:
    """Whether the columns depend on the runs."""
    return any(_keys((choice or _WHOLE).selection, kind) is None for kind in _KINDS)


def reader_of(field: Field) -> Callable[[Run], Any]:
    """What reads a field's value of a run; None where the run lacks it."""
    key = field.key
    match field.kind:
        case FieldKind.ATTRIBUTE:
            return lambda run: _attribute(run, key)
        case FieldKind.METRIC:
            return lambda run: run.metrics.get(key)
        case FieldKind.PARAM:
            return lambda run: run.params.get(key)
        case FieldKind.TAG:
            return lambda run: run.tags.get(key)


def not_finite_in(field: Field, values: Sequence[Any], runs: Sequence[Run]) -> list[int]:
    """The places of the runs that have logged this metric, but no finite value of it.

    values: what `reader_of` reads of the runs. JSON has null for these and for what a run lacks.
    """
    if field.kind is not FieldKind.METRIC:
        return []
    return [
        place
        for place, value in enumerate(values)
        if (value is None and field.key in runs[place].metrics) or value in _INFINITE
    ]


def lines_of(fields: Sequence[Field], runs: Iterable[Run]) -> bytes:
    """The runs as lines of CSV (RFC 4180), with these fields in UTF-8."""
    readers = [_cell_of(field) for field in fields]
    text = io.StringIO()
    csv.writer(text).writerows([read(run) for read in readers] for run in runs)
    return text.getvalue().encode()


def head_of(fields: Sequence[Field]) -> bytes:
    """The line of CSV that names these fields."""
    text = io.StringIO()
    csv.writer(text).writerow([_guarded(field.name) for field in fields])
    return text.getvalue().encode()


def _keys(selection: Selection, kind: FieldKind) -> frozenset[str] | None:
    keys: frozenset[str] | None = getattr(selection, kind)
    return keys


def _attribute(run: Run, name: str) -> Any:
    if name == "duration":
        if run.start_time is None or run.end_time is None:
            return None
        return run.end_time - run.start_time
    return getattr(run, name)


def _cell_of(field: Field) -> Callable[[Run], Any]:
    if field.kind is FieldKind.METRIC:
        return lambda run: _metric(run, field.key)
    read = reader_of(field)
    return read if field.is_number else lambda run: _guarded(read(run))


def _metric(run: Run, name: str) -> float | str | None:
    """A metric as Python, R and JavaScript read it back; what is missing is an empty cell."""
    if name not in run.metrics:
        return None
    value = run.metrics[name]
    if value is None:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _guarded(text: str | None) -> str | None:
    """A text that no spreadsheet takes for a formula; a number stays as it is.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    if not text or not text.startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return f"'{text}" if text.startswith(("\t", "\r")) else text
