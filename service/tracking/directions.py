"""Which way a metric is better, decided by its name.

The rules ship in config/metrics.toml, whose head says how they are written; names.py says how names are read.
The first rule that fits a name decides; a metric that no rule fits is better when higher. Three kinds of rule
look further, since the words of a name do not all count the same: a ratio is judged by the figure that it
names first (`return_over_max_drawdown`), an adjusted figure by the one that it names last
(`risk_adjusted_return`), and a negated figure by the opposite of what it negates (`neg_log_loss`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from service.text_files import read_text
from service.tracking.names import Name, Pattern, Span, words_of


class Direction(StrEnum):
    """Which value of a metric is the best one; with NONE no value is."""

    MAX = "max"
    MIN = "min"
    CLOSEST_TO_ZERO = "closest_to_zero"
    NONE = "none"


class ReadAs(StrEnum):
    """What a rule says of a name in place of a direction: which of the other words to judge it by."""

    AS_FIRST = "as_first"
    AS_LAST = "as_last"
    OPPOSITE = "opposite"


class Rule(NamedTuple):
    """Metrics whose name fits the pattern are better in this direction, or are to be read so."""

    pattern: str
    better: Direction | ReadAs


class Decision(NamedTuple):
    """Which way a metric is better, and the pattern of the rule that says so; None where no rule fits.

    Where one rule sends to another, both are named: `neg_* > *_log_loss_*`.
    """

    direction: Direction
    rule: str | None


class _Fit(NamedTuple):
    number: int
    span: Span


_UNKNOWN = Decision(Direction.MAX, None)
_TURNED = {Direction.MAX: Direction.MIN, Direction.MIN: Direction.MAX}
_FIRST: dict[ReadAs, Callable[[_Fit], tuple[int, int, int]]] = {
    ReadAs.AS_FIRST: lambda fit: (fit.span.start, -fit.span.end, fit.number),
    ReadAs.AS_LAST: lambda fit: (-fit.span.end, fit.span.start, fit.number),
}


class Directions:
    """The direction of every metric name, by the first rule that fits it.

    context: words that say where a figure is from and not what it is (`val`, `fold`, `mean`). They, and
    numbers, may stand before and behind what a pattern says. ValueError where a rule or such a word is wrong.
    """

    def __init__(self, rules: Sequence[Rule], context: Collection[str] = ()) -> None:
        self._patterns = [Pattern(rule.pattern) for rule in rules]
        self._better = [rule.better for rule in rules]
        if wrong := [word for word in context if words_of(word) != [word]]:
            raise ValueError(f"context: {wrong[0]!r} is not one word in small letters")
        self._context = frozenset(context)
        self._by_run: dict[str, list[int]] = {}
        self._always: list[int] = []
        for number, (pattern, better) in enumerate(zip(self._patterns, self._better, strict=True)):
            if isinstance(better, ReadAs) and len(pattern.runs) != 1:
                raise ValueError(f"pattern {pattern.text!r}: {better} needs words in one place, beside *")
            at = self._by_run.setdefault(pattern.runs[0], []) if pattern.runs else self._always
            at.append(number)
        self._figures = {
            number
            for number, (pattern, better) in enumerate(zip(self._patterns, self._better, strict=True))
            if pattern.runs and isinstance(better, Direction)
        }
        self._runs = {run for pattern in self._patterns for run in pattern.runs}
        self._longest = max(map(len, self._runs), default=0)
        self._remembered = lru_cache(maxsize=16_384)(lambda name: self._decide(words_of(name)))

    def __call__(self, name: str) -> Direction:
        """The direction of the metric of this name."""
        return self._remembered(name)[0]

    def decide(self, name: str) -> Decision:
        """The same, with the rule that says so."""
        return self._remembered(name)

    def _decide(self, words: Sequence[str]) -> Decision:
        name = Name(words, self._context)
        for number, span in sorted(self._fits(name)):
            better = self._better[number]
            if isinstance(better, Direction):
                return Decision(better, self._patterns[number].text)
            if decision := self._read(better, name.without(span)):
                rules = [self._patterns[number].text, *([decision.rule] if decision.rule else ())]
                return Decision(decision.direction, " > ".join(rules))
        return _UNKNOWN

    def _read(self, read_as: ReadAs, rest: Sequence[str]) -> Decision | None:
        """What the rest of the name says, read so; None where it says nothing."""
        if not rest:
            return None
        if read_as is ReadAs.OPPOSITE:
            direction, rule = self._decide(rest)
            return Decision(_TURNED.get(direction, direction), rule)
        fits = [fit for fit in self._fits(Name(rest, self._context)) if fit.number in self._figures]
        if not fits:
            return None
        number = min(fits, key=_FIRST[read_as]).number
        return Decision(Direction(self._better[number]), self._patterns[number].text)

    def _fits(self, name: Name) -> list[_Fit]:
        found = name.find(self._runs, self._longest)
        numbers = [*self._always, *(number for run in found for number in self._by_run.get(run, ()))]
        spans = ((number, self._patterns[number].span(name, found)) for number in numbers)
        return [_Fit(number, span) for number, span in spans if span is not None]


def load_directions(path: Path) -> Directions:
    """The rules of a TOML file; ValueError, with the place, where it is not what it should be."""
    try:
        document = tomllib.loads(read_text(path))
        _only(document, {"context", "rules"}, "the file")
        rules = [rule for entry in document["rules"] for rule in _rules(entry)]
        return Directions(rules, _texts(document.get("context", []), "context"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except KeyError as error:
        raise ValueError(f"{path}: a rule needs a pattern and a direction; {error} is missing") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _rules(entry: Any) -> list[Rule]:
    """What one [[rules]] of the file says: a pattern or several, or words that may stand anywhere."""
    if not isinstance(entry, dict):
        raise TypeError(f"a rule is a table, and {entry!r} is none")
    _only(entry, {"pattern", "words", "better"}, "a rule")
    if "words" in entry and "pattern" not in entry:
        patterns = [f"*_{'_'.join(words.split())}_*" for words in _texts(entry["words"], "words")]
    elif "words" in entry:
        raise ValueError(f"a rule has a pattern or words, and not both: {entry['pattern']!r}")
    else:
        patterns = [pattern] if isinstance(pattern := entry["pattern"], str) else _texts(pattern, "pattern")
    better = _better(entry["better"])
    return [Rule(pattern, better) for pattern in patterns]


def _better(value: object) -> Direction | ReadAs:
    known: dict[str, Direction | ReadAs] = {each.value: each for each in (*Direction, *ReadAs)}
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"better is one of {', '.join(known)}, and not {value!r}")
    return known[value]


def _texts(value: Any, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError(f"{name} is a list of texts, and not {value!r}")
    return value


def _only(table: dict[str, Any], known: Collection[str], where: str) -> None:
    if unknown := sorted(table.keys() - known):
        raise ValueError(f"{where} has {', '.join(unknown)}, which nothing reads")
