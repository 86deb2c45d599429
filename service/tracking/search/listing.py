"""Orders and lists of fields, read from text. Pure.

A list is one text with commas, or several; whatever is wrong is a FilterError, whose position is that in the
text where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from service.tracking.search.fields import ATTRIBUTES, Field, FieldKind
from service.tracking.search.lexing import FilterError, Kind, Token, shorten, tokens_of
from service.tracking.search.naming import kind_of
from service.tracking.search.parsing import Cursor
from service.tracking.search.queries import GroupOrder, MetricSummary, Order, Selection

MAX_KEYS: Final = 5  # of an order
MAX_FIELDS: Final = 200  # of one list of fields

_STATISTICS: Final = tuple(name for name in MetricSummary.__struct_fields__ if name != "best_run_id")
_OF_GROUPS: Final = ("runs", "first_start_time", "last_start_time", "key")
_A_GROUP_ORDER: Final = (
    f"{', '.join(_OF_GROUPS)}, or metrics.x.mean with one of {', '.join(_STATISTICS)}; ASC or DESC behind it"
)
_GROUP_ORDER: Final = re.compile(
    r"\s*+((?P<metric>\S.*)\.)?(?P<name>\w++)(\s++(?P<direction>asc|desc))?+\s*+",
    re.DOTALL | re.IGNORECASE,
)


class Choice(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Which fields of a run are wanted. named: each that was named, in that order, without those of a *."""

    selection: Selection = Selection()
    attributes: frozenset[str] = ATTRIBUTES
    named: tuple[Field, ...] = ()


def parse_order(order: str | Sequence[str]) -> tuple[Order, ...]:
    """The keys of an order: `field`, `field asc` or `field desc` each; () for an empty one."""
    keys: list[Order] = []
    for cursor in _items(order):
        token = cursor.next
        operand = cursor.operand()
        descending = _direction(cursor, ", ASC, DESC or the end")
        if any(key.operand == operand for key in keys):
            raise FilterError(token.position, f"each field once, and {operand} is there already", token.shown)
        if len(keys) == MAX_KEYS:
            raise FilterError(token.position, f"at most {MAX_KEYS} fields to sort by", token.shown)
        keys.append(Order(operand, descending))
    return tuple(keys)


def parse_fields(fields: str | Sequence[str]) -> Choice:
    """The fields that are asked for: `kind.key`, `kind.*` or `*` each. All, where nothing is asked for."""
    named: dict[Field, None] = {}
    every: set[FieldKind] = set()
    is_empty = True
    for cursor in _items(fields):
        is_empty = False
        token = cursor.next
        if cursor.takes(Kind.STAR):
            every |= _kinds(token)
        else:
            named[cursor.field()] = None
        if len(named) > MAX_FIELDS:
            raise FilterError(token.position, f"at most {MAX_FIELDS} fields, or a *", token.shown)
        cursor.separator(", or the end")
    if is_empty:
        return Choice()

    def keys(kind: FieldKind) -> frozenset[str] | None:
        return None if kind in every else frozenset(field.key for field in named if field.kind is kind)

    attributes = keys(FieldKind.ATTRIBUTE)
    selection = Selection(keys(FieldKind.METRIC), keys(FieldKind.PARAM), keys(FieldKind.TAG))
    return Choice(selection, ATTRIBUTES if attributes is None else attributes, tuple(named))


def parse_names(fields: str | Sequence[str], most: int) -> tuple[Field, ...]:
    """Fields to count values of, or to group by: each once, at most so many."""
    named: dict[Field, None] = {}
    for cursor in _items(fields):
        token = cursor.next
        field = cursor.field()
        if field in named:
            raise FilterError(token.position, f"each field once, and {field} is there already", token.shown)
        if len(named) == most:
            raise FilterError(token.position, f"at most {most} fields", token.shown)
        named[field] = None
        cursor.separator(", or the end")
    return tuple(named)


def parse_group_order(order: str) -> GroupOrder:
    """What groups are sorted by: `metrics.x.mean`, with any statistic, `runs` or one of the like.

    The statistic is the last part, for a metric's name may have dots.
    """
    match = _GROUP_ORDER.fullmatch(order)
    if match is None:
        raise FilterError(0, _A_GROUP_ORDER, shorten(order))
    metric, name, direction = match["metric"], match["name"].lower(), match["direction"] or ""
    descending = direction.lower() == "desc"
    if metric is None and name in _OF_GROUPS:
        return GroupOrder(name, None, descending)
    if metric is None or name not in _STATISTICS:
        raise FilterError(match.start("name"), _A_GROUP_ORDER, shorten(match["name"]))
    cursor = ListCursor(tokens_of(order[: match.end("metric")]))
    field = cursor.field()
    cursor.end(_A_GROUP_ORDER)
    if field.kind is not FieldKind.METRIC:
        raise FilterError(match.start("metric"), _A_GROUP_ORDER, shorten(metric))
    return GroupOrder(name, field.key, descending)


class ListCursor(Cursor):
    """The tokens of a list."""

    def field(self) -> Field:
        """A field that is not read as a number."""
        token = self.next
        operand = self.operand()
        if not isinstance(operand, Field):
            raise FilterError(token.position, "a field, without number(…)", token.shown)
        return operand

    def separator(self, expected: str) -> None:
        """Pass a comma, where more follows; else make sure that this is the end."""
        if not self.takes(Kind.COMMA):
            self.end(expected)
        elif self.next.kind is Kind.END:
            raise self.error("a field after the comma")


def _items(given: str | Sequence[str]) -> Iterator[ListCursor]:
    """A cursor at the start of each item: whoever gets it passes the item, and the separator behind it."""
    for text in (given,) if isinstance(given, str) else given:
        cursor = ListCursor(tokens_of(text))
        while cursor.next.kind is not Kind.END:
            yield cursor


def _direction(cursor: ListCursor, expected: str) -> bool:
    """Whether DESC stands next, or ASC or neither; it is passed, and the separator behind it."""
    descending = cursor.takes_word("DESC")
    if not descending:
        cursor.takes_word("ASC")
    cursor.separator(expected)
    return descending


def _kinds(token: Token) -> set[FieldKind]:
    kind = token.written.removesuffix("*").removesuffix(".")
    return {kind_of(token, kind)} if kind else set(FieldKind)
