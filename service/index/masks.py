"""Filters over all rows of a table at once."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from service.index.cells import MISSING, Numbers, among, is_missing
from service.index.columns import RunIds, TextColumn, UriColumn
from service.index.derived import TURN_OF_JOINED, Derived, Kept, PerText, each
from service.index.joined import Joined
from service.index.ranks import Ranks
from service.index.table import RunTable
from service.index.texts import NO_TEXT, Texts
from service.tracking.search.expressions import And, Comparison, Expression, Not, Operator, Or
from service.tracking.search.fields import AsNumber, Field, FieldKind, Operand
from service.tracking.search.matching import decimal

Mask = NDArray[np.bool_]
D = TypeVar("D", bound=Derived)

_COMPARE: Final[dict[Operator, Callable[[Any, Any], Any]]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
}
_EQUAL: Final = {Operator.EQ, Operator.IN}
_UNEQUAL: Final = {Operator.NE, Operator.NOT_IN}


class View:
    """A table as one search sees it: its columns, and what is derived from their texts.

    What the search needs is held until it is done, whatever else is asked for meanwhile.
    """

    def __init__(self, table: RunTable, kept: Kept) -> None:
        self.table = table
        self._kept = kept
        self._held: dict[Any, Any] = {}
        self._numbers: dict[Operand, tuple[int, Numbers]] = {}  # with the table's changes then

    def column(self, field: Field) -> TextColumn | RunIds | UriColumn | None:
        """The column of a field of texts."""
        return self.table.text_column(field)

    def numbers(self, operand: Operand) -> Numbers:
        """What is compared as a number, of all rows. A search needs some of them twice."""
        changes, numbers = self._numbers.get(operand, (-1, None))
        if numbers is None or changes != self.table.changes:
            numbers = self._numbers_of(operand)
            self._numbers[operand] = self.table.changes, numbers
        return numbers

    def ranks(self, field: Field) -> Ranks | None:
        """The ranks of a field's texts; None where no run has it."""
        column = self.column(field)
        if column is None:
            return None
        return self._held_as((id(column.texts), "ranks"), lambda: Ranks(column.texts))

    def mask(self, expression: Expression) -> Mask:
        """Which rows match. A row without a run may, too."""
        match expression:
            case And(of):
                return reduce(np.logical_and, map(self.mask, of))
            case Or(of):
                return reduce(np.logical_or, map(self.mask, of))
            case Not(of):
                return ~self.mask(of)
            case Comparison():
                return self._compare(expression)

    def derived(self, expression: Expression) -> Iterator[Derived]:
        """What has to be derived from texts before a filter is evaluated."""
        match expression:
            case And(of) | Or(of):
                for one in of:
                    yield from self.derived(one)
            case Not(of):
                yield from self.derived(of)
            case Comparison(operand):
                if isinstance(operand, AsNumber):
                    yield from self.derived_of(operand)
                elif not operand.is_number:
                    column = self.column(operand)
                    if column is not None and _looks_at_texts(column, expression.operator):
                        yield self._satisfied(column, expression)

    def derived_of(self, operand: Operand) -> Iterator[Derived]:
        """What has to be derived from texts before rows are sorted by an operand."""
        if isinstance(operand, AsNumber):
            column = self.column(operand.field)
            if column is not None:
                yield self.as_numbers(column)
        elif not operand.is_number:
            ranks = self.ranks(operand)
            if ranks is not None:
                yield ranks

    def as_numbers(self, column: TextColumn | RunIds | UriColumn) -> PerText:
        """The texts of a column read as numbers, which have to catch up."""
        return self._held_as(
            (id(column.texts), "number"),
            lambda: PerText(column.texts, each(column.texts, number_of, MISSING), MISSING, np.float64),
        )

    def _numbers_of(self, operand: Operand) -> Numbers:
        if isinstance(operand, AsNumber):
            column = self.column(operand.field)
            if column is None:
                return np.full(self.table.rows, MISSING)
            numbers: Numbers = self.as_numbers(column).by_code().take(column.codes())
            return numbers
        if operand.kind is FieldKind.METRIC:
            metric = self.table.metrics.column(operand.key)
            return np.full(self.table.rows, MISSING) if metric is None else metric.numbers()
        return self.table.numbers(operand.key)

    def _compare(self, comparison: Comparison) -> Mask:
        operand = comparison.operand
        if isinstance(operand, AsNumber):
            return self._compare_as_number(operand.field, comparison)
        if operand.is_number:
            return _compare_numbers(self.numbers(operand), comparison)
        column = self.column(operand)
        if column is None:
            return np.full(self.table.rows, comparison.operator is Operator.IS_NULL)
        texts = column.texts
        if _looks_at_texts(column, comparison.operator):
            by_code: Mask = self._satisfied(column, comparison).by_code()
        elif comparison.operator in (Operator.IS_NULL, Operator.IS_NOT_NULL):
            lacking: Mask = column.codes() == NO_TEXT
            return lacking if comparison.operator is Operator.IS_NULL else ~lacking
        else:
            some = [code for value in _values(comparison) if (code := texts.find(str(value))) > 0]
            if isinstance(column, RunIds):
                equal = column.among(some)
            else:
                equal = among(column.codes(), some, len(texts))
            return equal if comparison.operator in _EQUAL else ~equal & (column.codes() != NO_TEXT)
        return by_code.take(column.codes())

    def _compare_as_number(self, field: Field, comparison: Comparison) -> Mask:
        """Each text is compared once, and not each row."""
        column = self.column(field)
        if column is None:
            return np.full(self.table.rows, comparison.operator is Operator.IS_NULL)
        by_text = _compare_numbers(self.as_numbers(column).by_code(), comparison)
        return by_text.take(column.codes())

    def _satisfied(self, column: TextColumn | RunIds | UriColumn, comparison: Comparison) -> PerText:
        return self._held_as(
            (id(column.texts), comparison),
            lambda: self._tested(column.texts, comparison),
        )

    def _tested(self, texts: Texts, comparison: Comparison) -> PerText:
        """Which texts satisfy a comparison."""
        if comparison.operator not in (Operator.LIKE, Operator.ILIKE):
            return PerText(texts, each(texts, _test_of(comparison), nothing=False), False, np.bool_)
        kept, pattern = self._kept, str(comparison.value)
        ignores_case = comparison.operator is Operator.ILIKE

        def fitting(codes: Sequence[int]) -> Mask:
            joined = kept.get((id(texts), "joined"), lambda: Joined(texts))
            return joined.like(codes, pattern, ignores_case=ignores_case)

        return PerText(texts, fitting, False, np.bool_, TURN_OF_JOINED)

    def _held_as(self, key: tuple[int, object], new: Callable[[], D]) -> D:
        derived: D | None = self._held.get(key)
        if derived is None:
            derived = self._held[key] = self._kept.get(key, new)
        return derived


def number_of(text: str) -> float:
    """A text read as a finite decimal number, cells.MISSING where it is none."""
    number = decimal(text)
    return float(MISSING) if number is None else number


def _compare_numbers(numbers: Numbers, comparison: Comparison) -> Mask:
    value = comparison.value
    match comparison.operator:
        case Operator.IS_NULL:
            return is_missing(numbers)
        case Operator.IS_NOT_NULL:
            return ~is_missing(numbers)
        case Operator.IN:
            return _among(numbers, _values(comparison))
        case Operator.NOT_IN:
            return ~_among(numbers, _values(comparison)) & ~is_missing(numbers)
        case Operator.NE:
            others: Mask = numbers != value
            return others & ~is_missing(numbers)
    mask: Mask = _COMPARE[comparison.operator](numbers, value)
    return mask


def _among(numbers: Numbers, values: tuple[float, ...]) -> Mask:
    """Which numbers are among the values: np.isin would sort the numbers."""
    ascending = np.sort(np.array(values, np.float64))
    among: Mask = ascending.take(np.searchsorted(ascending, numbers), mode="clip") == numbers
    return among


def _looks_at_texts(column: TextColumn | RunIds | UriColumn, op: Operator) -> bool:
    """Whether each text has to be looked at; an equal one is found by its code otherwise."""
    if op in (Operator.IS_NULL, Operator.IS_NOT_NULL):
        return not column.texts.is_unique
    return not (op in _EQUAL | _UNEQUAL and column.texts.is_unique)


def _values(comparison: Comparison) -> tuple[Any, ...]:
    value = comparison.value
    return value if isinstance(value, tuple) else (value,)


def _test_of(comparison: Comparison) -> Callable[[str], bool]:
    """What says whether a text satisfies a comparison."""
    value = comparison.value
    match comparison.operator:
        case Operator.IN:
            return frozenset(_values(comparison)).__contains__
        case Operator.NOT_IN:
            among = frozenset(_values(comparison))
            return lambda text: text not in among
        case Operator.IS_NULL | Operator.IS_NOT_NULL as op:
            return lambda _: op is Operator.IS_NOT_NULL
    compare = _COMPARE[comparison.operator]
    return lambda text: compare(text, value)
