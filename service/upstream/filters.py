"""MLflow's filter expressions, written so that a value can only ever narrow the result. Pure.

The grammar has AND, '…' and "…", and no escaping: a quote inside its own quotes cannot be written, and the
tokenizer reads a backslash before a quote as not ending the string, so a value that ends in a backslash can
swallow the clause behind it (mlflow/utils/search_utils.py, over sqlparse).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service.tracking.runs import is_run_id

_KEY = re.compile(r"[\w.]+", re.ASCII)
_UNSAFE = str.maketrans({"'": "_", '"': "_", "\\": "_"})


class Filter(NamedTuple):
    """A filter expression; where it is not exact, it also lets runs pass whose tags only look alike."""

    text: str
    exact: bool


def by_tags(tags: Mapping[str, str]) -> Filter:
    """Runs that bear each of these tags with exactly this value."""
    clauses = [_clause(key, value) for key, value in tags.items()]
    return Filter(" AND ".join(clause.text for clause in clauses), all(clause.exact for clause in clauses))


def by_ids(run_ids: Sequence[str]) -> str:
    """Runs of these ids, each of which must be one that `is_run_id` accepts."""
    if not all(is_run_id(run_id) for run_id in run_ids):
        raise ValueError("a run id that MLflow does not allow")
    return f"attributes.run_id IN ({', '.join(repr(run_id) for run_id in run_ids)})"


def _clause(key: str, value: str) -> Filter:
    if not _KEY.fullmatch(key):
        raise ValueError(f"a tag name that needs quoting: {key!r}")
    if not value.endswith("\\"):
        for quote in ("'", '"'):
            if quote not in value:
                return Filter(f"tags.{key} = {quote}{value}{quote}", exact=True)
    # `_` stands for any one character: the runs that are meant are among those found.
    return Filter(f"tags.{key} LIKE '{value.translate(_UNSAFE)}'", exact=False)
