"""Names of metrics as words, and patterns that fit them. Pure.

People write one name in many ways: `max_drawdown`, `maxDrawdown`, `Max. Drawdown [%]`, `Max_Draw_Down`. These
are the same letters with borders in different places. So a name is split at everything that is no letter and
no digit, before a capital, and where letters meet digits; and a pattern's words are compared without the
borders between them: `log_loss` fits `logloss`, `LogLoss` and `log loss`. A pattern begins and ends at a
border of the name, so `loss` fits neither `closs` nor `lossless`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

# A run of capitals (`RMSE`, and `RMSE` of `RMSEScore`), a word with or without its capital, or a number.
_WORDS = re.compile(r"[A-Z]+(?![^\W\dA-Z_])|[A-Z]?[^\W\dA-Z_]+|\d+")
# Where words were taken out of a name: those before and behind it are no neighbours.
_GAP = "|"
_PATTERN_WORD = re.compile(r"[a-z0-9]+")
# No figure is named in so many words. Deciding takes the square of their number; MLflow allows 250 letters.
_MOST_WORDS = 32


class Span(NamedTuple):
    """Words of a name, from the first to before the end."""

    start: int
    end: int


class Name:
    """The words of a metric's name, in small letters.

    head: how many words at its beginning only say where it is from; tail: from which word on the rest does.
    """

    __slots__ = ("head", "tail", "words")

    def __init__(self, words: Sequence[str], context: Collection[str]) -> None:
        self.words = words
        self.head = _leading(words, context)
        self.tail = len(words) - _leading(reversed(words), context)

    def without(self, span: Span) -> list[str]:
        """The other words."""
        before, behind = self.words[: span.start], self.words[span.end :]
        return [*before, _GAP, *behind] if before and behind else [*before, *behind]

    def find(self, runs: Collection[str], longest: int) -> dict[str, list[Span]]:
        """Where those runs of letters stand, each from a border to a border; none has more than `longest`."""
        found: dict[str, list[Span]] = {}
        words = self.words
        for start in range(len(words)):
            letters = ""
            for end in range(start, len(words)):
                letters += words[end]
                if len(letters) > longest:
                    break
                if letters in runs:
                    found.setdefault(letters, []).append(Span(start, end + 1))
        return found


def words_of(name: str) -> list[str]:
    """The words of a name, in small letters; of a name of very many words the first ones."""
    return [word.lower() for word in _WORDS.findall(name)[:_MOST_WORDS]]


class Pattern:
    """Words joined by `_`, and `*` for any number of whole words, none included.

    Where a pattern has no `*` at its beginning or end, the name may have more words there only if they are
    context. ValueError where the text is no pattern.
    """

    __slots__ = ("_from_start", "_to_end", "runs", "text")

    def __init__(self, text: str) -> None:
        words = text.split("_")
        for word in words:
            if word != "*" and not _PATTERN_WORD.fullmatch(word):
                raise ValueError(f"pattern {text!r}: {word!r} is neither a word (a-z, 0-9) nor *")
        self.text = text
        self.runs = [run.replace("_", "") for run in text.split("*") if run.strip("_")]
        self._from_start = words[0] != "*"
        self._to_end = words[-1] != "*"

    def span(self, name: Name, found: Mapping[str, Sequence[Span]]) -> Span | None:
        """The words from the first run to the end of the last one; None where the pattern does not fit.

        found is where the name has the runs of this pattern.
        """
        if not self.runs:
            return Span(0, len(name.words))
        chosen: list[Span] = []
        last = len(self.runs) - 1
        for number, run in enumerate(self.runs):
            earliest = chosen[-1].end if chosen else 0
            latest = name.head if self._from_start and not chosen else len(name.words)
            until = name.tail if self._to_end and number == last else 0
            places = [
                place
                for place in found.get(run, ())
                if earliest <= place.start <= latest and place.end >= until
            ]
            if not places:
                return None
            chosen.append(min(places, key=_end))
        return Span(chosen[0].start, chosen[-1].end)


def _end(span: Span) -> int:
    return span.end


def _leading(words: Iterable[str], context: Collection[str]) -> int:
    count = 0
    for word in words:
        if not (context and (word in context or word.isdigit() or word == _GAP)):
            break
        count += 1
    return count
