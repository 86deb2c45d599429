"""How runs are looked for by a tag: a comparison that every server reads alike, and what is kept of the hits.

Pure. A quote or a backslash in a value cannot be written safely in MLflow's grammar, and FastTrackML splits a
filter at " and " inside quotes. So a value that is not plain becomes a pattern in which any character may
stand for the odd ones, and of the hits only those are kept that bear the very value.
"""

from __future__ import annotations

import re
from typing import Final

from service.tracking.lineage.refs import TAGS, RefKind, TagTarget
from service.tracking.runs import Run
from service.tracking.search.expressions import Comparison, Operator
from service.tracking.search.fields import Field, FieldKind

_PLAIN = re.compile(r"[^\s'\"\\]*")
_PATTERN: Final = str.maketrans({chr(code): "_" for code in range(128) if not chr(code).isalnum()})
_COMMIT = re.compile(r"[0-9a-f]{4,64}", re.ASCII | re.IGNORECASE)
_SHORTEST: Final = 7  # characters that a short commit has by default


def comparisons_of(target: TagTarget) -> list[tuple[str, Comparison]]:
    """The tags to look in, each with a comparison that finds at least the runs that `bears` is true of."""
    return [(tag, _comparison(target, tag)) for tag in TAGS[target.kind]]


def bears(run: Run, tag: str, target: TagTarget) -> bool:
    """Whether the run has the tag with this value; of two commits, one may be the beginning of the other."""
    value = run.tags.get(tag)
    if value is None or value == target.value:
        return value is not None
    if not _is_commit(target):
        return False
    tagged, asked = value.lower(), target.value.lower()
    return tagged.startswith(asked) or (len(tagged) >= _SHORTEST and asked.startswith(tagged))


def _comparison(target: TagTarget, tag: str) -> Comparison:
    field, value = Field(FieldKind.TAG, tag), target.value
    if _is_commit(target):
        return Comparison(field, Operator.ILIKE, f"{value[:_SHORTEST]}%")
    if _PLAIN.fullmatch(value):
        return Comparison(field, Operator.EQ, value)
    return Comparison(field, Operator.LIKE, value.translate(_PATTERN))


def _is_commit(target: TagTarget) -> bool:
    return target.kind is RefKind.COMMIT and _COMMIT.fullmatch(target.value) is not None
