"""Which filters of a search MLflow's own grammar can say, and how they are written there. Pure.

The grammar has AND alone, and no escaping (see filters.py). What is said here finds exactly what the index
finds; whatever MLflow, its databases or another server may read otherwise is not said at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from service.tracking.runs import is_run_id
from service.tracking.search.expressions import And, Comparison, Expression, Operator, Scalar
from service.tracking.search.fields import Field, FieldKind, Operand
from service.upstream.filters import can_be_a_tag

_EQUALITY: Final = frozenset({Operator.EQ, Operator.NE})
_PATTERNS: Final = frozenset({Operator.LIKE, Operator.ILIKE})
_NUMBERS: Final = _EQUALITY | {Operator.LT, Operator.LE, Operator.GT, Operator.GE}
_LISTS: Final = frozenset({Operator.IN, Operator.NOT_IN})
_NULLS: Final = frozenset(
    {Operator.IS_NULL, Operator.IS_NOT_NULL}
)  # servers that do not know them refuse them

_NEVER_ATTRIBUTES: Final = frozenset({"duration", "experiment_id"})
_TIMES: Final = frozenset({"start_time", "end_time"})
_INT64: Final = range(-(2**63), 2**63)  # databases fail on a time beyond it
_LARGEST: Final = "1.7976931348623157e308"  # as which MLflow's SQL store keeps infinity

_BARE: Final = re.compile(r"[A-Za-z]\w*", re.ASCII)
_KEY: Final = re.compile(r"[^`\0]+")
_WORD_AND: Final = re.compile(r"\sand\s", re.IGNORECASE)
_QUOTES: Final = ("'", '"')


def conditions_of(expression: Expression | None) -> tuple[Comparison, ...] | None:
    """The comparisons of a filter, all of which MLflow can say; None where it cannot say the filter."""
    match expression:
        case None:
            return ()
        case Comparison():
            comparisons: Sequence[Expression] = (expression,)
        case And(parts):
            comparisons = parts
        case _:
            return None
    conditions = tuple(part for part in comparisons if isinstance(part, Comparison) and _write(part))
    return conditions if len(conditions) == len(comparisons) else None


def filter_text(conditions: Sequence[Comparison]) -> str:
    """The filter of these conditions in MLflow's grammar; ValueError for one that it cannot say."""
    return " AND ".join(map(_checked, conditions))


def _checked(condition: Comparison) -> str:
    if written := _write(condition):
        return written
    raise ValueError(f"MLflow's grammar cannot say {condition}")


def _write(comparison: Comparison) -> str | None:
    name = _name(comparison.operand)
    value = _value(comparison)
    if name is None or value is None:
        return None
    return f"{name} {comparison.operator} {value}".rstrip()


def _name(operand: Operand) -> str | None:
    if not isinstance(operand, Field) or not _KEY.fullmatch(operand.key) or not can_be_a_tag(operand.key):
        return None
    if operand.kind is FieldKind.ATTRIBUTE:
        return None if operand.key in _NEVER_ATTRIBUTES else f"attributes.{operand.key}"
    key = operand.key if all(map(_BARE.fullmatch, operand.key.split("."))) else f"`{operand.key}`"
    return f"{operand.kind}.{key}"


def _value(comparison: Comparison) -> str | None:
    """The value as it is written, "" where the operator needs none; None where it cannot be said."""
    operand, operator, value = comparison.operand, comparison.operator, comparison.value
    if not isinstance(operand, Field):
        return None
    if isinstance(value, int | float):
        write = _time if operand.kind is FieldKind.ATTRIBUTE else _number
        return write(value) if operator in _NUMBERS else None
    if operator in _NULLS:
        return "" if operand.kind in {FieldKind.PARAM, FieldKind.TAG} else None
    if isinstance(value, str):
        return _text(value, operator)
    has_lists = operand == Field(FieldKind.ATTRIBUTE, "run_id") and operator in _LISTS
    return _ids(value) if has_lists and value else None


def _time(value: float) -> str | None:
    """MLflow compares whole numbers exactly, so that none goes through a double here."""
    is_whole = isinstance(value, int) or value.is_integer()
    return str(int(value)) if is_whole and int(value) in _INT64 else None


def _number(value: float) -> str | None:
    value = float(value)
    if math.isinf(value):
        return _LARGEST if value > 0 else f"-{_LARGEST}"
    return repr(value).replace("e+", "e")


def _text(value: str, operator: Operator) -> str | None:
    if operator in _PATTERNS:
        # PostgreSQL has \ as an escape, SQL Server has [ for sets, and SQLite knows the case of ASCII alone.
        is_same_everywhere = "\\" not in value and "[" not in value
        return (
            _quoted(value) if is_same_everywhere and (operator is Operator.LIKE or value.isascii()) else None
        )
    return _quoted(value) if operator in _EQUALITY else None


def _quoted(value: str) -> str | None:
    """The text in the quotes that it lacks; None where a server could read it as anything else."""
    has_quotes = any(quote in value for quote in _QUOTES)
    if (
        value.startswith(_QUOTES)
        or value.endswith(("\\", *_QUOTES))
        or (has_quotes and _WORD_AND.search(value))  # FastTrackML splits there, inside quotes, too
        or not can_be_a_tag(value)
    ):
        return None
    quote = next((quote for quote in _QUOTES if quote not in value), None)
    return None if quote is None else f"{quote}{value}{quote}"


def _ids(values: tuple[Scalar, ...]) -> str | None:
    ids = [value for value in values if isinstance(value, str) and is_run_id(value)]
    return f"({', '.join(map(repr, ids))})" if len(ids) == len(values) else None
