"""Parameters as what they stand for: MLflow keeps each as a text. Pure."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


def number_of(text: str) -> float | None:
    """The finite number that a text is, as Python and JSON write numbers; None where it is none."""
    if _NUMBER.fullmatch(text) is None:
        return None
    number = float(text)
    return number if math.isfinite(number) else None
