"""Searching, slow and obviously right: what every other evaluation of a filter or an order must equal."""

import math
import re
from collections.abc import Iterable, Sequence

from service.tracking.runs import Run
from service.tracking.search.expressions import And, Comparison, Expression, Not, Operator, Or, Scalar
from service.tracking.search.fields import AsNumber, FieldKind, Operand
from service.tracking.search.queries import Order

# A decimal number as SQL and JSON write it: no white space, no underscores, no "inf".
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def value_of(run: Run, operand: Operand) -> Scalar | None:
    """A run's value: None where it lacks the operand, NaN for a metric that is there and is no number."""
    if isinstance(operand, AsNumber):
        return _number(value_of(run, operand.field))
    key = operand.key
    match operand.kind:
        case FieldKind.ATTRIBUTE:
            return _attribute(run, key)
        case FieldKind.METRIC:
            if key not in run.metrics:
                return None
            value = run.metrics[key]
            return math.nan if value is None else value
        case FieldKind.PARAM:
            return run.params.get(key)
        case FieldKind.TAG:
            return run.tags.get(key)


def _number(text: Scalar | None) -> float | None:
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        return None
    return float(text) if math.isfinite(float(text)) else None


def _attribute(run: Run, key: str) -> Scalar | None:
    if key == "duration":
        if run.start_time is None or run.end_time is None:
            return None
        return float(run.end_time - run.start_time)
    value = getattr(run, key)
    return float(value) if isinstance(value, int) else value


def matches(run: Run, expression: Expression | None) -> bool:
    """Whether a run satisfies a filter."""
    match expression:
        case None:
            return True
        case And(parts):
            return all(matches(run, part) for part in parts)
        case Or(parts):
            return any(matches(run, part) for part in parts)
        case Not(inner):
            return not matches(run, inner)
        case Comparison():
            return _compare(value_of(run, expression.operand), expression)


def _compare(value: Scalar | None, comparison: Comparison) -> bool:
    operator, other = comparison.operator, comparison.value
    if value is None:
        return operator is Operator.IS_NULL
    if operator is Operator.IS_NULL or operator is Operator.IS_NOT_NULL:
        return operator is Operator.IS_NOT_NULL
    if isinstance(value, float) and math.isnan(value):
        return operator in {Operator.NE, Operator.NOT_IN}
    if isinstance(other, tuple):
        return (value in other) is (operator is Operator.IN)
    if isinstance(value, str) and isinstance(other, str):
        return _compare_texts(value, operator, other)
    assert isinstance(value, float)
    assert isinstance(other, float)
    return _in_order(operator, value < other, value == other)


def _compare_texts(value: str, operator: Operator, other: str) -> bool:
    match operator:
        case Operator.LIKE:
            return like(value, other)
        case Operator.ILIKE:
            return like(value.lower(), other.lower())
        case _:
            return _in_order(operator, value < other, value == other)


def _in_order(operator: Operator, is_less: bool, is_equal: bool) -> bool:
    match operator:
        case Operator.EQ:
            return is_equal
        case Operator.NE:
            return not is_equal
        case Operator.LT:
            return is_less
        case Operator.LE:
            return is_less or is_equal
        case Operator.GT:
            return not is_less and not is_equal
        case Operator.GE:
            return not is_less
    raise ValueError(operator)


def like(text: str, pattern: str) -> bool:
    """Whether a text fits a pattern of SQL: % is any characters, _ is one, all others are themselves."""
    reached = {0}  # how much of the pattern has been used, in every way there is
    for character in text:
        reached = _skip(pattern, reached)
        reached = {
            at + (pattern[at] != "%") for at in reached if pattern[at : at + 1] in {"%", "_", character}
        }
    return len(pattern) in _skip(pattern, reached)


def _skip(pattern: str, reached: set[int]) -> set[int]:
    """The same, with each % also taken for no character at all."""
    skipped = set(reached)
    for at in sorted(reached):
        end = at
        while pattern[end : end + 1] == "%":
            end += 1
            skipped.add(end)
    return skipped


def in_order(runs: Iterable[Run], order: Sequence[Order]) -> list[Run]:
    """The runs sorted: numbers, NaN, missing by each key; then the newest start first; then by run id."""
    found = sorted(runs, key=lambda run: run.run_id)
    found.sort(key=lambda run: (run.start_time is None, -(run.start_time or 0)))
    for key in reversed(order):
        found = _sorted_by(found, key)
    return found


def _sorted_by(runs: Sequence[Run], key: Order) -> list[Run]:
    values = [(value_of(run, key.operand), run) for run in runs]
    missing = [run for value, run in values if value is None]
    nan = [run for value, run in values if isinstance(value, float) and math.isnan(value)]
    there = [(value, run) for value, run in values if value is not None and value == value]  # noqa: PLR0124
    # A sort that is reversed keeps the order of equals, too.
    there.sort(key=lambda pair: pair[0], reverse=key.descending)
    return [*(run for _, run in there), *nan, *missing]


def search(runs: Iterable[Run], expression: Expression | None, order: Sequence[Order]) -> list[Run]:
    """The runs that match, in order. Deleted ones are no hits."""
    return in_order((run for run in runs if not run.is_deleted and matches(run, expression)), order)
