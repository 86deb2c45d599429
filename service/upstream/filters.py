"""MLflow's filter expressions, written so that a value can only ever narrow the result. Pure.

The grammar has AND, '…' and "…", and no escaping: a quote inside its own quotes cannot be written, and the
tokenizer reads a backslash before a quote as not ending the string, so a value that ends in a backslash can
swallow the clause behind it (mlflow/utils/search_utils.py, over sqlparse). FastTrackML reads it otherwise: it
splits at " and " inside quotes, too, and takes all quotes off both ends of a value
(pkg/api/mlflow/service/run/service.go).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service.tracking.runs import is_run_id

_KEY = re.compile(r"[\w.]+", re.ASCII)
_PLAIN = re.compile(r"[^\s'\"\\]*")  # has no quote to mistake, and no word of the grammar between spaces
_NEVER = re.compile("[\0\ud800-\udfff]")
_QUOTES = ("'", '"')
_PATTERN = str.maketrans({chr(code): "_" for code in range(128) if not chr(code).isalnum()})


class Filter(NamedTuple):
    """A filter expression. Where it is not exact, it also matches runs whose tags only look alike."""

    text: str
    exact: bool

    def until(self, start_time: int) -> Filter:
        """The same for runs that started then or earlier. MLflow finds none that has no start."""
        time = f"attributes.start_time <= {start_time}"
        return Filter(f"{self.text} AND {time}" if self.text else time, self.exact)


def by_tags(tags: Mapping[str, str]) -> Filter:
    """A filter for runs that have each of these tags with exactly this value, if the grammar can say so."""
    return _all([_equal(key, value) or _like(key, value) for key, value in tags.items()])


def by_patterns(tags: Mapping[str, str]) -> Filter:
    """A filter for the same runs and for look-alikes: values that are not plain become patterns."""
    equal = {key: _equal(key, value) for key, value in tags.items() if is_plain(value)}
    return _all([equal.get(key) or _like(key, value) for key, value in tags.items()])


def is_plain(value: str) -> bool:
    """Whether every server with this grammar reads the quoted value as MLflow does."""
    return _PLAIN.fullmatch(value) is not None


def can_be_a_tag(value: str) -> bool:
    """Whether a run can have such a tag: PostgreSQL stores no NUL, and UTF-8 no half of a surrogate pair."""
    return _NEVER.search(value) is None


def by_ids(run_ids: Sequence[str], field: str = "attributes.run_id") -> str:
    """A filter for what has these run ids; ValueError for an id that `is_run_id` does not accept."""
    if not all(is_run_id(run_id) for run_id in run_ids):
        raise ValueError("a run id that MLflow does not allow")
    return f"{field} IN ({', '.join(repr(run_id) for run_id in run_ids)})"


def by_digest(digest: str) -> str:
    """A filter for the runs that recorded a dataset of this digest, and for look-alikes of odd ones."""
    value = f"= '{digest}'" if is_plain(digest) else f"LIKE '{digest.translate(_PATTERN)}'"
    return f"dataset.digest {value}"


def _all(clauses: Sequence[Filter]) -> Filter:
    return Filter(" AND ".join(clause.text for clause in clauses), all(clause.exact for clause in clauses))


def _equal(key: str, value: str) -> Filter | None:
    """The value in quotes that it does not contain; None where no quotes are safe on every server."""
    if value.endswith("\\") or value.startswith(_QUOTES) or value.endswith(_QUOTES):
        return None
    quote = next((quote for quote in _QUOTES if quote not in value), None)
    return None if quote is None else Filter(f"tags.{_checked(key)} = {quote}{value}{quote}", exact=True)


def _like(key: str, value: str) -> Filter:
    # `_` matches any one character, so the runs with this value are among the matches. Letters beyond ASCII
    # stay, for MySQL compares bytes.
    return Filter(f"tags.{_checked(key)} LIKE '{value.translate(_PATTERN)}'", exact=False)


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"a tag name that needs quoting: {key!r}")
    return key
