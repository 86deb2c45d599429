"""Which way a metric is better, decided by its name.

A rule's pattern is a list of words joined by `_`; `*` stands for any number of whole words, none included.
A name is split into words at `_`, `.`, `/`, `-` and space, and compared without regard to case: `*_loss_*`
is in `val_loss` and `train/loss` but not in `lossless` or `closs_rate`. The first rule that fits decides;
a metric that no rule fits is better when higher. The rules ship in config/metrics.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_SEPARATORS = re.compile(r"[_./\- ]+")
_WORD = re.compile(r"[a-z0-9]+")


class Direction(StrEnum):
    """Which value of a metric is the best one."""

    MAX = "max"
    MIN = "min"
    CLOSEST_TO_ZERO = "closest_to_zero"


class Rule(NamedTuple):
    """Metrics whose name fits the pattern are better in this direction."""

    pattern: str
    direction: Direction


class Directions:
    """The direction of every metric name, by the first rule that fits it."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        compiled = [(_compile(rule.pattern), rule.direction) for rule in rules]

        @lru_cache(maxsize=16_384)
        def decide(name: str) -> Direction:
            words = "_".join(_SEPARATORS.split(name.lower())) + "_"
            return next((to for fits, to in compiled if fits.fullmatch(words)), Direction.MAX)

        self._decide = decide

    def __call__(self, name: str) -> Direction:
        """The direction of the metric of this name."""
        return self._decide(name)


def load_directions(path: Path) -> Directions:
    """The rules of a TOML file; ValueError, with the place, where it is not what it should be."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        return Directions([Rule(rule["pattern"], Direction(rule["better"])) for rule in document["rules"]])
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except KeyError as error:
        raise ValueError(f"{path}: a rule needs a pattern and a direction; {error} is missing") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _compile(pattern: str) -> re.Pattern[str]:
    parts = []
    for word in pattern.split("_"):
        if word == "*":
            parts.append("(?:[^_]*_)*")
        elif _WORD.fullmatch(word):
            parts.append(f"{word}_")
        else:
            raise ValueError(f"pattern {pattern!r}: {word!r} is neither a word (a-z, 0-9) nor *")
    return re.compile("".join(parts))
