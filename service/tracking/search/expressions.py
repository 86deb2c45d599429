"""A filter as a tree, pure. parsing.py reads it from text; the index and MLflow evaluate it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from service.tracking.search.fields import Operand


class Operator(StrEnum):
    """How an operand is compared. The value is how it is written."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "IN"
    NOT_IN = "NOT IN"
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


# A float for a number, also for epoch milliseconds; an int for those that come from a run and go to MLflow.
Scalar = float | str


class Comparison(msgspec.Struct, frozen=True, gc=False, cache_hash=True, tag=True):
    """One comparison. value: a tuple for IN and NOT IN, None for IS NULL and IS NOT NULL, else one scalar.

    All values have the type of the operand. A run that lacks the operand satisfies IS NULL only; a metric
    that is NaN is there, and satisfies !=, NOT IN and IS NOT NULL only. Texts are compared by code points.
    LIKE and ILIKE: % stands for any characters, _ for one; ILIKE ignores the case.
    """

    operand: Operand
    operator: Operator
    value: Scalar | tuple[Scalar, ...] | None = None


class And(msgspec.Struct, frozen=True, gc=False, cache_hash=True, tag=True):
    """All of two or more."""

    of: tuple[Expression, ...]


class Or(msgspec.Struct, frozen=True, gc=False, cache_hash=True, tag=True):
    """Any of two or more."""

    of: tuple[Expression, ...]


class Not(msgspec.Struct, frozen=True, gc=False, cache_hash=True, tag=True):
    """The plain complement: the runs that the expression does not match, whatever they lack."""

    of: Expression


Expression = Comparison | And | Or | Not
