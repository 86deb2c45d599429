"""LIKE and ILIKE: patterns of texts in which % stands for any characters and _ for one. Pure.

Each piece between two % is looked for once, from the left: what a later piece needs never makes an earlier
one be looked for again, so no pattern takes more than its length times the text's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

Test = Callable[[str], bool]
TestAll = Callable[[Sequence[str | None]], Sequence[bool] | NDArray[np.bool_]]

_BETWEEN = "\0"  # two texts that are searched at once
_WILD = re.compile("[%_]")


def like_all(pattern: str, *, ignores_case: bool = False) -> TestAll:
    """Which of several texts fit; None never does.

    The longest piece of the pattern is looked for in all of them at once, joined, and only those that have it
    are looked at.
    """
    fits = like(pattern, ignores_case=ignores_case)
    piece = max(_WILD.split(pattern.lower() if ignores_case else pattern), key=len)

    def each(texts: Sequence[str | None]) -> Sequence[bool]:
        return [text is not None and fits(text) for text in texts]

    def together(texts: Sequence[str | None]) -> Sequence[bool] | NDArray[np.bool_]:
        try:
            joined = _BETWEEN.join(cast("Sequence[str]", texts))
        except TypeError:  # None is among them, which is dearer to look for than to stumble over
            joined = _BETWEEN.join(text or "" for text in texts)
        if ignores_case:
            joined = joined.lower()
        found = np.zeros(len(texts), np.bool_)
        at = joined.find(piece)
        if at >= 0 and joined.count(_BETWEEN) != len(texts) - 1:
            return each(texts)
        row = start = 0
        while at >= 0:
            row += joined.count(_BETWEEN, start, at)
            text = texts[row]
            found[row] = text is not None and fits(text)
            start = joined.find(_BETWEEN, at)
            at = joined.find(piece, start) if start >= 0 else -1
        return found

    return together if piece and _BETWEEN not in piece else each


def like(pattern: str, *, ignores_case: bool = False) -> Test:
    """Whether a text fits the pattern as a whole."""
    if ignores_case:
        fits = like(pattern.lower())
        return lambda text: fits(text.lower())
    first, *rest = pattern.split("%")
    if not rest:
        return _whole(first)
    last = rest.pop()
    middle = [piece for piece in rest if piece]
    if "_" not in pattern:
        return _of_texts(first, middle, last)
    return _of_pieces(first, middle, last)


def _whole(pattern: str) -> Test:
    if "_" not in pattern:
        return pattern.__eq__
    piece = _expression(pattern)
    return lambda text: piece.fullmatch(text) is not None


def _of_texts(first: str, middle: list[str], last: str) -> Test:
    match first, middle, last:
        case "", [], "":
            return lambda _: True
        case "", [piece], "":
            return lambda text: piece in text
        case _, [], "":
            return lambda text: text.startswith(first)
        case "", [], _:
            return lambda text: text.endswith(last)

    def fits(text: str) -> bool:
        end = len(text) - len(last)
        at = len(first)
        if at > end or not text.startswith(first) or not text.endswith(last):
            return False
        for piece in middle:
            at = text.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return fits


def _of_pieces(first: str, middle: list[str], last: str) -> Test:
    start, pieces, finish = _expression(first), [_expression(piece) for piece in middle], _expression(last)

    def fits(text: str) -> bool:
        end = len(text) - len(last)
        at = len(first)
        if at > end or not start.match(text) or not finish.match(text, end):
            return False
        for piece in pieces:
            found = piece.search(text, at, end)
            if found is None:
                return False
            at = found.end()
        return True

    return fits


def _expression(piece: str) -> re.Pattern[str]:
    return re.compile(".".join(map(re.escape, piece.split("_"))), re.DOTALL)
