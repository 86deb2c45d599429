"""Filters, read from text by recursive descent. Pure.

    expression  = conjunction, { "OR", conjunction } ;
    conjunction = negation, { "AND", negation } ;
    negation    = "NOT", negation | "(", expression, ")" | comparison ;
    comparison  = operand, ( operator, value
                           | [ "NOT" ], "IN", "(", value, { ",", value }, ")"
                           | "IS", [ "NOT" ], "NULL" ) ;
    operand     = field | "number", "(", field, ")" ;

It is a superset of MLflow's grammar (mlflow/utils/search_utils.py) but for `dataset.…`, and for a quote
inside a text, which is doubled here and cannot be written there.
"""

from __future__ import annotations

from typing import Final

from service.tracking.search.expressions import And, Comparison, Expression, Not, Operator, Or, Scalar
from service.tracking.search.fields import AsNumber, FieldKind, Operand
from service.tracking.search.lexing import FilterError, Kind, Token, tokens_of
from service.tracking.search.naming import A_FIELD, field_of
from service.tracking.search.values import reader_of

MAX_COMPARISONS: Final = 50
MAX_VALUES: Final = 1_000  # of one IN
MAX_DEPTH: Final = 10  # of parentheses and NOT in each other

_SYMBOLS: Final = {
    operator.value: operator
    for operator in (Operator.EQ, Operator.NE, Operator.LT, Operator.LE, Operator.GT, Operator.GE)
}
_PATTERNS: Final = {"LIKE": Operator.LIKE, "ILIKE": Operator.ILIKE}
_AN_OPERATOR: Final = "an operator: =, !=, <, <=, >, >=, IN, NOT IN, LIKE, ILIKE, IS NULL or IS NOT NULL"
_MEANT: Final = {"<>": "!=", "==": "=", "=<": "<=", "=>": ">="}


def parse_filter(text: str) -> Expression | None:
    """The filter that a text is, None for an empty one. FilterError, and nothing else, where it is none."""
    tokens = tokens_of(text)
    if len(tokens) == 1:
        return None
    parser = FilterParser(tokens)
    expression = parser.expression()
    parser.end("AND, OR or the end")
    return expression


class Cursor:
    """Tokens, of which one after the other is taken. The last one is END."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> Token:
        """The token that would be taken."""
        return self._tokens[self._at]

    def take(self) -> Token:
        """The next token, which is then passed; END stays."""
        token = self.next
        self._at += token.kind is not Kind.END
        return token

    def takes_word(self, *words: str) -> bool:
        """Pass the next token if it is one of these words; whether it is."""
        is_word = self.next.is_word(*words)
        self._at += is_word
        return is_word

    def takes(self, kind: Kind) -> bool:
        """Pass the next token if it is of this kind; whether it is."""
        is_it = self.next.kind is kind and kind is not Kind.END
        self._at += is_it
        return is_it

    def need(self, kind: Kind, expected: str) -> Token:
        """The next token, which must be of this kind."""
        if self.next.kind is not kind:
            raise self.error(expected)
        return self.take()

    def end(self, expected: str) -> None:
        """Make sure that no token is left."""
        self.need(Kind.END, expected)

    def error(self, expected: str) -> FilterError:
        """What is wrong with the next token."""
        return FilterError(self.next.position, expected, self.next.shown)

    def operand(self) -> Operand:
        """A field, or a field as a number."""
        token = self.take()
        if not (token.is_word("NUMBER") and self.next.kind is Kind.OPEN):
            return field_of(token)
        self.take()
        inner = self.next
        field = field_of(self.take())
        if field.kind not in {FieldKind.PARAM, FieldKind.TAG}:
            raise FilterError(inner.position, "params.… or tags.… in number(…)", inner.shown)
        self.need(Kind.CLOSE, ") after the field")
        return AsNumber(field)


class FilterParser(Cursor):
    """The tokens of a filter, read as a tree."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self._depth = 0
        self._comparisons = 0

    def expression(self) -> Expression:
        """One conjunction or several with OR between them."""
        parts = [self._conjunction()]
        while self.takes_word("OR"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Or(_flat(Or, parts))

    def _conjunction(self) -> Expression:
        parts = [self._negation()]
        while self.takes_word("AND"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else And(_flat(And, parts))

    def _negation(self) -> Expression:
        token = self.next
        if token.is_word("NOT"):
            return Not(self._deeper(token))
        if token.kind is Kind.OPEN:
            return self._deeper(token)
        return self._comparison()

    def _deeper(self, token: Token) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            expected = f"at most {MAX_DEPTH} levels of parentheses and NOT"
            raise FilterError(token.position, expected, token.shown)
        self.take()
        if token.kind is Kind.OPEN:
            inner = self.expression()
            self.need(Kind.CLOSE, "AND, OR or )")
        else:
            inner = self._negation()
        self._depth -= 1
        return inner

    def _comparison(self) -> Expression:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise self.error(f"at most {MAX_COMPARISONS} comparisons")
        if self.next.kind not in {Kind.WORD, Kind.FIELD, Kind.DOUBLE, Kind.BACKTICK}:
            raise self.error(f"{A_FIELD}, NOT or (")
        operand = self.operand()
        operator = self._operator()
        match operator:
            case Operator.IS_NULL | Operator.IS_NOT_NULL:
                return Comparison(operand, operator)
            case Operator.IN | Operator.NOT_IN:
                return Comparison(operand, operator, self._values(operand, operator))
            case _:
                return Comparison(operand, operator, self._value(operand, operator))

    def _operator(self) -> Operator:
        token = self.take()
        if token.kind is Kind.OPERATOR and (symbol := _SYMBOLS.get(token.written)):
            return symbol
        if token.kind is Kind.WORD:
            word = token.written.upper()
            if pattern := _PATTERNS.get(word):
                return pattern
            if word == "IN":
                return Operator.IN
            if word == "NOT":
                return self._not_in()
            if word == "IS":
                return self._is_null()
        hint = f"; write {_MEANT[token.written]}" if token.written in _MEANT else ""
        raise FilterError(token.position, _AN_OPERATOR + hint, token.shown)

    def _not_in(self) -> Operator:
        if self.takes_word("IN"):
            return Operator.NOT_IN
        if self.next.is_word(*_PATTERNS):
            raise self.error(f"IN after NOT; write NOT before the field: NOT … {self.next.written}")
        raise self.error("IN after NOT")

    def _is_null(self) -> Operator:
        is_not = self.takes_word("NOT")
        if not self.takes_word("NULL"):
            raise self.error("NULL after NOT" if is_not else "NULL or NOT NULL after IS")
        return Operator.IS_NOT_NULL if is_not else Operator.IS_NULL

    def _value(self, operand: Operand, operator: Operator) -> Scalar:
        if operator.value in _PATTERNS and operand.is_number:
            raise self.error(self._no_pattern(operand, operator))
        return reader_of(operand, operator)(self.take())

    def _values(self, operand: Operand, operator: Operator) -> tuple[Scalar, ...]:
        self.need(Kind.OPEN, f"( after {operator}")
        read = reader_of(operand, Operator.EQ)
        values = [read(self.take())]
        while self.takes(Kind.COMMA):
            if len(values) == MAX_VALUES:
                raise self.error(f"at most {MAX_VALUES} values after {operator}")
            values.append(read(self.take()))
        self.need(Kind.CLOSE, ", or )")
        return tuple(values)

    @staticmethod
    def _no_pattern(operand: Operand, operator: Operator) -> str:
        if isinstance(operand, AsNumber):
            return f"a text before {operator}; write {operand.field} {operator} '…'"
        return f"a text before {operator}, and {operand} is a number; compare it with =, !=, <, <=, > or >="


def _flat(kind: type[And | Or], parts: list[Expression]) -> tuple[Expression, ...]:
    """The parts, with those of the same kind opened: (a AND b) AND c is a AND b AND c."""
    return tuple(each for part in parts for each in (part.of if isinstance(part, kind) else (part,)))
