"""Whether one run satisfies a filter: for runs that no index holds. Pure."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any, Final

from service.tracking.runs import Run
from service.tracking.search.expressions import And, Comparison, Expression, Not, Operator, Or, Scalar
from service.tracking.search.fields import AsNumber, FieldKind, Operand
from service.tracking.search.patterns import like

_COMPARE: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.IN: lambda value, values: value in values,
    Operator.NOT_IN: lambda value, values: value not in values,
    Operator.LIKE: lambda value, pattern: like(pattern)(value),
    Operator.ILIKE: lambda value, pattern: like(pattern, ignores_case=True)(value),
}
# As SQL and JSON write it: no white space, no underscores, no "inf".
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def matches(run: Run, expression: Expression) -> bool:
    """Whether the run satisfies the filter, as the index would say."""
    match expression:
        case And(parts):
            return all(matches(run, part) for part in parts)
        case Or(parts):
            return any(matches(run, part) for part in parts)
        case Not(inner):
            return not matches(run, inner)
        case Comparison():
            return _satisfies(_value(run, expression.operand), expression)


def decimal(text: str) -> float | None:
    """A text as the finite decimal number that it is; None where it is none."""
    number = float(text) if _DECIMAL.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def _satisfies(value: Scalar | None, comparison: Comparison) -> bool:
    if value is None:
        return comparison.operator is Operator.IS_NULL
    if comparison.operator in (Operator.IS_NULL, Operator.IS_NOT_NULL):
        return comparison.operator is Operator.IS_NOT_NULL
    return _COMPARE[comparison.operator](value, comparison.value)


def _value(run: Run, operand: Operand) -> Scalar | None:
    """None where the run lacks the operand, NaN for a metric that is there and is no number."""
    if isinstance(operand, AsNumber):
        text = _value(run, operand.field)
        return decimal(text) if isinstance(text, str) else None
    key = operand.key
    match operand.kind:
        case FieldKind.METRIC:
            number = run.metrics.get(key)
            return math.nan if number is None and key in run.metrics else number
        case FieldKind.PARAM:
            return run.params.get(key)
        case FieldKind.TAG:
            return run.tags.get(key)
        case FieldKind.ATTRIBUTE:
            return _attribute(run, key)


def _attribute(run: Run, key: str) -> Scalar | None:
    if key == "duration":
        known = run.start_time is not None and run.end_time is not None
        return float((run.end_time or 0) - (run.start_time or 0)) if known else None
    value: str | int | None = getattr(run, key)
    return float(value) if isinstance(value, int) else value
