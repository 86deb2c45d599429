"""Fields by the names that a caller may write, MLflow's own among them. Pure."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from service.tracking.search.fields import ATTRIBUTES, Field, FieldKind
from service.tracking.search.lexing import FilterError, Kind, Token, unquote

# mlflow/utils/search_utils.py, SearchUtils._VALID_IDENTIFIERS
_KINDS: Final = {
    **dict.fromkeys(("metric", "metrics"), FieldKind.METRIC),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), FieldKind.PARAM),
    **dict.fromkeys(("tag", "tags"), FieldKind.TAG),
    **dict.fromkeys(("attr", "attribute", "attributes", "run"), FieldKind.ATTRIBUTE),
}
_DATASETS: Final = frozenset({"dataset", "datasets"})
# The same file, SearchUtils.translate_key_alias: it knows "Created" and "Run Name".
_ALIASES: Final = {"created": "start_time"}
_KEYWORDS: Final = frozenset({"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "ASC", "DESC"})

_QUOTES: Final = frozenset('"`')

A_FIELD: Final = "a field, such as metrics.x, params.x, tags.x or status"


def field_of(token: Token) -> Field:
    """The field that a token names; FilterError where it names none."""
    match token.kind:
        case Kind.FIELD:
            kind, _, key = token.written.partition(".")
            return _field(token, kind_of(token, kind.strip("`")), unquote(key) if key[0] in _QUOTES else key)
        case Kind.DOUBLE | Kind.BACKTICK:
            return _field(token, FieldKind.ATTRIBUTE, unquote(token.written))
        case Kind.WORD if token.written.upper() not in _KEYWORDS:
            kind, dot, key = token.written.partition(".")
            return _field(token, kind_of(token, kind), key) if dot else _attribute(token, kind)
        case _:
            raise FilterError(token.position, A_FIELD, token.shown)


def kind_of(token: Token, written: str) -> FieldKind:
    """The kind of field that stands before the dot; FilterError where it is none."""
    if kind := _KINDS.get(written):
        return kind
    if written in _DATASETS:
        expected = "a field of a run: datasets cannot be searched by; try the tag that names the dataset"
        raise FilterError(token.position, expected, token.shown)
    expected = "metrics., params., tags. or attributes. before a key, or a key with a dot in quotes behind it"
    raise FilterError(token.position, expected, token.shown)


def _field(token: Token, kind: FieldKind, key: str) -> Field:
    if not key:
        raise FilterError(token.position, f"a key after {kind}.", token.shown)
    return _attribute(token, key) if kind is FieldKind.ATTRIBUTE else Field(kind, key)


def _attribute(token: Token, written: str) -> Field:
    key = written.lower().replace(" ", "_")
    key = _ALIASES.get(key, key)
    if key in ATTRIBUTES:
        return Field(FieldKind.ATTRIBUTE, key)
    close = get_close_matches(key, sorted(ATTRIBUTES), n=1) if len(key) < len("experiment_id") * 2 else []
    hint = f"; did you mean {close[0]}?" if close else ""
    expected = f"metrics.…, params.…, tags.… or one of {', '.join(sorted(ATTRIBUTES))}{hint}"
    raise FilterError(token.position, expected, token.shown)
