"""What the text of a parameter means: MLflow keeps all of them as texts. Pure.

`0.10` and `1e-1` are one number, `True` and `true` one truth value, `{"b":1,"a":2}` and `{"a": 2, "b": 1.0}`
one object. Everything else means what it says, letter by letter.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Final

# A decimal number as `number(params.x)` in a filter reads it.
_DECIMAL: Final = re.compile(r"[+-]?([0-9]++(\.[0-9]*+)?|\.[0-9]++)([eE][+-]?[0-9]++)?")
_EXACT: Final = 2.0**53  # from here on doubles skip whole numbers
_WORDS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), "true"),
    **dict.fromkeys(("false", "False", "FALSE"), "false"),
    **dict.fromkeys(("null", "None"), "null"),
}


def number_of(text: str) -> float | None:
    """The finite decimal number that a text is, None where it is none (`inf`, `nan` and `0x10` are none)."""
    text = text.strip()
    if not _DECIMAL.fullmatch(text):
        return None
    number = float(text) + 0.0  # -0 is 0
    return number if math.isfinite(number) else None


def canonical(text: str) -> str:
    """A text that all texts of the same meaning share, and no others. It is its own canonical text.

    Numbers are the same as doubles, but whole numbers from 2**53 on are compared digit by digit (seeds, ids).
    The order of an object's keys and the space between values do not count; the order of a list does.
    """
    stripped = text.strip()
    if word := _WORDS.get(stripped):
        return word
    number = number_of(stripped)
    if number is not None:
        return str(_exact(stripped, number))
    if stripped[:1] in {"{", "["}:
        try:
            value = json.loads(stripped, parse_int=_number, parse_float=_number)
            return json.dumps(value, sort_keys=True, separators=(",", ":"))
        except (ValueError, RecursionError):  # it only begins like JSON, or is nested too deep to be read
            return text
    return text


def _exact(text: str, number: float) -> float | int:
    return number if abs(number) < _EXACT else int(Decimal(text))


def _number(text: str) -> float | int:
    """A number within JSON; ValueError where no double is as large."""
    number = number_of(text)
    if number is None:
        raise ValueError(text)
    return _exact(text, number)
