"""LIKE and ILIKE: patterns of texts in which % stands for any characters and _ for one. Pure.

Each piece between two % is looked for once, from the left: what a later piece needs never makes an earlier
one be looked for again, so no pattern takes more than its length times the text's.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Test = Callable[[str], bool]

_WILD = re.compile("[%_]")


def longest_piece(pattern: str) -> str:
    """The longest text that stands in whatever fits the pattern; "" where any text may fit."""
    return max(_WILD.split(pattern), key=len)


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
