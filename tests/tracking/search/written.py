"""Filters as text: the other way round than the parser."""

import math

from service.tracking.search.expressions import And, Comparison, Expression, Not, Or, Scalar

LARGEST = "1.7976931348623157e308"  # as infinity is written


def write(expression: Expression) -> str:
    """A text that must be read as this tree. Each part of AND and OR that is not a comparison has ( )."""
    match expression:
        case And(parts):
            return " AND ".join(map(_part, parts))
        case Or(parts):
            return " OR ".join(map(_part, parts))
        case Not(inner):
            return f"NOT {_part(inner)}"
        case Comparison(operand, operator, None):
            return f"{operand} {operator}"
        case Comparison(operand, operator, tuple() as values):
            return f"{operand} {operator} ({', '.join(map(scalar, values))})"
        case Comparison(operand, operator, value):
            assert isinstance(value, float | str)
            return f"{operand} {operator} {scalar(value)}"


def _part(expression: Expression) -> str:
    return write(expression) if isinstance(expression, Comparison) else f"({write(expression)})"


def scalar(value: Scalar) -> str:
    """A value as it is written: infinity as the largest double, a text in '…'."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value) if math.isfinite(value) else LARGEST if value > 0 else f"-{LARGEST}"
