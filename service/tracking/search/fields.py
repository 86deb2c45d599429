"""What of a run can be compared, sorted by, counted and shown. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec


class FieldKind(StrEnum):
    """Where a field of a run stands. The value is the word before the dot."""

    METRIC = "metrics"
    PARAM = "params"
    TAG = "tags"
    ATTRIBUTE = "attributes"


# Attributes by their type. Times are Unix epoch milliseconds; duration is end_time - start_time, in
# milliseconds, which a run that is active lacks.
TEXT_ATTRIBUTES: Final = frozenset(
    {"run_id", "run_name", "status", "user_id", "artifact_uri", "experiment_id"}
)
NUMBER_ATTRIBUTES: Final = frozenset({"start_time", "end_time", "duration"})
ATTRIBUTES: Final = TEXT_ATTRIBUTES | NUMBER_ATTRIBUTES

_BARE = re.compile(r"[A-Za-z_][\w./\-]*", re.ASCII)


class Field(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A field of a run: a metric, a parameter, a tag or an attribute, by its key."""

    kind: FieldKind
    key: str

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers; all others are texts."""
        return self.kind is FieldKind.METRIC or (
            self.kind is FieldKind.ATTRIBUTE and self.key in NUMBER_ATTRIBUTES
        )

    @property
    def name(self) -> str:
        """What it is called in an answer: as in a filter, but for quotes, and for `attributes.`."""
        return self.key if self.kind is FieldKind.ATTRIBUTE else f"{self.kind}.{self.key}"

    def __str__(self) -> str:
        """As it is written in a filter, an order or a list of fields."""
        if _BARE.fullmatch(self.key):
            return f"{self.kind}.{self.key}"
        quote = '"' if "`" in self.key else "`"
        return f"{self.kind}.{quote}{self.key.replace(quote, quote * 2)}{quote}"


class AsNumber(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """number(field): a text field read as a finite decimal number; missing where it is none."""

    field: Field

    @property
    def is_number(self) -> bool:
        """It is always one."""
        return True

    def __str__(self) -> str:
        return f"number({self.field})"


Operand = Field | AsNumber
