"""What every statistic says of itself: its value or why there is none, how it was computed, and from what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

# Why a value cannot be had. Stable, for programs; the sentence beside it is for people.
MISSING_INPUT: Final = "missing_input"
UNIT_UNKNOWN: Final = "unit_unknown"
TOO_FEW_TRIALS: Final = "too_few_trials"
TOO_FEW_FOLDS: Final = "too_few_folds"
AXIS_UNKNOWN: Final = "axis_unknown"
FOLDS_OVERLAP: Final = "folds_overlap"
MIXED_DATA: Final = "mixed_dataset_version"
NOT_COMPUTABLE: Final = "not_computable"
TOO_MANY: Final = "too_many"


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Why there is no value: one of the codes above, and a sentence that says what to do."""

    code: str
    text: str


class Method(msgspec.Struct, frozen=True, gc=False):
    """How a value is computed. reference: author, year and title. conventions: ddof, alpha, kurtosis …"""

    name: str
    reference: str
    conventions: Mapping[str, str | float] = {}


class Input(msgspec.Struct, frozen=True, gc=False):
    """What a value is computed from. source: a metric's key, a tag, "query", "assumed" or "derived"."""

    name: str
    value: float | int | str | None
    unit: str
    source: str


class Computed(msgspec.Struct, frozen=True, gc=False):
    """A statistic. value: None where it cannot be had, and then `reason` says why.

    warnings: sentences on what makes the value doubtful.
    """

    value: float | None
    method: Method
    inputs: tuple[Input, ...] = ()
    reason: Reason | None = None
    warnings: tuple[str, ...] = ()
