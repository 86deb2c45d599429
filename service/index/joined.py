"""The texts of a column joined, so that a piece of a pattern is looked for in many of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from sys import getsizeof
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.index.texts import Texts
from service.tracking.search.patterns import like, longest_piece

_SIZE: Final = 1_024  # texts of a block
_BETWEEN: Final = "\0"  # two texts
_INSTEAD: Final = "\1"  # of that in a text


class _Block(NamedTuple):
    """text: of texts, joined. texts: how many they are."""

    text: str
    texts: int


class Joined:
    """The blocks of a column's texts that somebody has looked into, as long as the texts stay the same."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._blocks: dict[int, _Block] = {}
        self._seen = 0
        self._generation = texts.generation
        self.size = 0  # bytes of memory

    async def catch_up(self) -> None:
        """Forget the blocks of which a text has changed; they are joined anew when they are needed."""
        self._forget_changed()

    def like(self, codes: Sequence[int], pattern: str, *, ignores_case: bool) -> NDArray[np.bool_]:
        """Which of the texts of codes fit a pattern; a code without a text never does.

        Of a range of codes only the texts that have the longest piece of the pattern are looked at.
        """
        fits = like(pattern, ignores_case=ignores_case)
        piece = longest_piece(pattern.lower() if ignores_case else pattern)
        if not isinstance(codes, range) or not piece or _BETWEEN in piece:
            texts = self._texts.of(codes)
            return np.array([text is not None and fits(text) for text in texts], np.bool_)
        self._forget_changed()
        fitting = np.zeros(len(codes), np.bool_)
        for number in range(codes.start // _SIZE, (codes.stop - 1) // _SIZE + 1):
            start = number * _SIZE
            block = self._block(number)
            for place in _places(piece, block.text.lower() if ignores_case else block.text):
                text = self._texts.text(start + place)
                if text is not None and codes.start <= start + place < codes.stop:
                    fitting[start + place - codes.start] = fits(text)
        return fitting

    def _forget_changed(self) -> None:
        texts = self._texts
        if self._generation != texts.generation:
            self._generation = texts.generation
            for number in tuple(self._blocks):
                self._forget(number)
        else:
            for code in texts.changes[self._seen :]:
                self._forget(code // _SIZE)
        self._seen = len(texts.changes)

    def _forget(self, number: int) -> None:
        block = self._blocks.pop(number, None)
        if block is not None:
            self.size -= _bytes_of(block)

    def _block(self, number: int) -> _Block:
        start = number * _SIZE
        stop = min(start + _SIZE, len(self._texts))
        block = self._blocks.get(number)
        if block is None or block.texts != stop - start:
            self._forget(number)
            texts = [text or "" for text in self._texts.of(range(start, stop))]
            block = self._blocks[number] = _Block(_joined(texts), stop - start)
            self.size += _bytes_of(block)
        return block


def _joined(texts: list[str]) -> str:
    """The texts with a character between them that none of them has."""
    text = _BETWEEN.join(texts)
    if text.count(_BETWEEN) != len(texts) - 1:
        text = _BETWEEN.join(one.replace(_BETWEEN, _INSTEAD) for one in texts)
    return text


def _places(piece: str, text: str) -> Iterator[int]:
    """Which of the joined texts have the piece."""
    place, counted = 0, 0
    at = text.find(piece)
    while at >= 0:
        place += text.count(_BETWEEN, counted, at)
        yield place
        counted = text.find(_BETWEEN, at)
        at = text.find(piece, counted) if counted >= 0 else -1


def _bytes_of(block: _Block) -> int:
    return getsizeof(block) + getsizeof(block.text)
