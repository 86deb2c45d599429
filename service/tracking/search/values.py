"""Values that a filter compares with, read from tokens. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from service.tracking.search.expressions import Operator, Scalar
from service.tracking.search.fields import AsNumber, Field, FieldKind, Operand
from service.tracking.search.lexing import FilterError, Kind, Token, shorten, unquote

# MLflow's SQL store keeps infinity as the largest double there is.
_LARGEST: Final = 1.7976931348623157e308
_TIMES: Final = frozenset({"start_time", "end_time"})
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?([0-9]++(\.[0-9]*+)?|\.[0-9]++)([eE][+-]?[0-9]++)?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_FINITE: Final = frozenset({"INF", "INFINITY", "NAN"})
_A_TIME: Final = "epoch milliseconds, 'YYYY-MM-DD' or 'YYYY-MM-DDThh:mm:ssZ'"


def reader_of(operand: Operand, operator: Operator) -> Callable[[Token], Scalar]:
    """What reads a token as a value of the operand's type; FilterError where it has another one.

    operator: for advice.
    """
    if is_time(operand):
        return _time
    read = _number if operand.is_number else _text
    return lambda token: read(token, operand, operator)


def is_time(operand: Operand) -> bool:
    """Whether its values are points in time."""
    return isinstance(operand, Field) and operand.kind is FieldKind.ATTRIBUTE and operand.key in _TIMES


def _number(token: Token, operand: Operand, operator: Operator) -> float:
    if token.kind is Kind.NUMBER:
        return _finite(token)
    advice = ""
    if token.kind in {Kind.TEXT, Kind.DOUBLE}:
        content = unquote(token.written)
        if _DECIMAL.fullmatch(content):
            advice = f": write {operand} {operator} {shorten(content)}, without quotes"
    elif token.is_word(*_NOT_FINITE):
        advice = ": inf and nan are none"
    raise FilterError(token.position, f"a number{advice}", token.shown)


def _text(token: Token, operand: Operand, operator: Operator) -> str:
    if token.kind in {Kind.TEXT, Kind.DOUBLE}:
        return unquote(token.written)
    advice = ""
    if token.kind is Kind.NUMBER:
        advice = f": write {operand} {operator} '{token.shown}'"
        if isinstance(operand, Field) and operand.kind is not FieldKind.ATTRIBUTE:
            advice += f", or {AsNumber(operand)} {operator} {token.shown} to compare numbers"
    elif token.kind in {Kind.WORD, Kind.BACKTICK}:
        advice = ": a text stands in '…'"
    raise FilterError(token.position, f"a text in quotes{advice}", token.shown)


def _time(token: Token) -> float:
    if token.kind is Kind.NUMBER:
        return _finite(token)
    if token.kind in {Kind.TEXT, Kind.DOUBLE} and _TIME.fullmatch(content := unquote(token.written)):
        try:
            time = datetime.fromisoformat(content)
        except ValueError:
            raise FilterError(token.position, "a date that the calendar has", token.shown) from None
        return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) / timedelta(milliseconds=1)
    raise FilterError(token.position, f"a time: {_A_TIME}", token.shown)


def _finite(token: Token) -> float:
    number = float(token.written)
    if math.isinf(number):
        raise FilterError(token.position, "a number of at most 1.8e308", token.shown)
    return math.copysign(math.inf, number) if abs(number) == _LARGEST else number
