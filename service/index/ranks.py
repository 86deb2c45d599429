"""The order of a column's texts by code points, so that rows are sorted by numbers."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.checkpoint import checkpoint
from service.index.derived import Changes
from service.index.texts import Texts
from service.tracking.search.cuts import CutText

LAST: Final = np.iinfo(np.int64).max  # the key of what is missing

_FEW: Final = 500  # texts that are put in place one by one
_PART: Final = 1_000  # texts that are looked at or sorted in a turn
_LONG: Final = 100  # long texts that are looked at in a turn: about 1 ms


class Ranks:
    """The rank of each text of a column; equal texts have one.

    Ranks are even, so that a text which is not there has a place between two of them.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._changes = Changes(texts)
        self._sorted: NDArray[np.object_] = np.empty(0, object)  # the texts
        self._order: NDArray[np.int64] = np.empty(0, np.int64)  # their codes
        self._ranks: NDArray[np.int64] = np.full(1, LAST)
        self._lock = asyncio.Lock()

    @property
    def size(self) -> int:
        """Bytes of memory that it takes."""
        return self._order.nbytes + self._sorted.nbytes + self._ranks.nbytes

    async def catch_up(self) -> None:
        """Put all texts in place that have come since the last time, in turns."""
        async with self._lock:
            while codes := self._changes.take(len(self._texts)):
                if len(codes) <= _FEW:
                    self._place(codes, self._sorted_by_text(codes))
                    await checkpoint()
                else:
                    everything = range(1, len(self._texts))
                    self._place(everything, await self._in_order(everything))

    def by_code(self) -> NDArray[np.int64]:
        """The rank of each code. Few texts may have come since the last turn; they get their place now."""
        while codes := self._changes.take(_FEW):
            self._place(codes, self._sorted_by_text(codes))
        return self._ranks

    def rank_of(self, text: str) -> int:
        """The rank of a text, or a number between two ranks where there is no such text."""
        at = bisect_left(self._sorted, text)
        return 2 * at if at < len(self._sorted) and self._sorted[at] == text else 2 * at - 1

    def rank_beside(self, cut: CutText, *, descending: bool) -> int:
        """A number between two ranks: before all texts that begin as one that was cut, in this direction."""
        start = cut.start
        if not descending:
            return 2 * bisect_left(self._sorted, start) - 1
        at = bisect_left(self._sorted, True, key=lambda text: text > start and not text.startswith(start))
        return 2 * at - 1

    async def whole(self, cut: CutText) -> str | None:
        """The text that was cut, None where there is no such text. Many are looked at in turns."""
        texts = self._sorted
        for at in range(bisect_left(texts, cut.start), len(texts)):
            text: str = texts[at]
            if cut.is_of(text):
                return text
            if not text.startswith(cut.start):
                break
            if at % _LONG == 0:
                await checkpoint()
        return None

    def _sorted_by_text(self, codes: Iterable[int]) -> list[int]:
        """Those of the codes that have a text, each once."""
        text = self._texts.text
        present = [code for code in set(codes) if text(code) is not None]
        return sorted(present, key=lambda code: text(code) or "")

    async def _in_order(self, codes: range) -> list[int]:
        """All codes that have a text, sorted by it, in parts that lie one after the other."""
        sample = sorted(text for text in self._texts.of(codes[:: max(1, len(codes) // 4_000)]) if text)
        parts = len(codes) // _PART + 1
        borders = [sample[len(sample) * part // parts] for part in range(1, parts)] if sample else []
        buckets: list[list[int]] = [[] for _ in range(len(borders) + 1)]
        for start in range(0, len(codes), _PART):
            some = codes[start : start + _PART]
            for text, code in zip(self._texts.of(some), some, strict=True):
                if text is not None:
                    buckets[bisect_right(borders, text)].append(code)
            await checkpoint()
        in_order: list[int] = []
        for bucket in buckets:
            in_order += self._sorted_by_text(bucket)
            await checkpoint()
        return in_order

    def _place(self, codes: Sequence[int], in_order: list[int]) -> None:
        """Give codes their places: those that have a text stand in order, the others lose theirs."""
        gone = np.zeros(len(self._texts), np.bool_)
        gone[codes] = True
        stay = ~gone[self._order]
        order, texts = self._order[stay], self._sorted[stay]
        new_texts = np.empty(len(in_order), object)
        new_texts[:] = self._texts.of(in_order)
        new_order = np.array(in_order, np.int64)
        if len(texts):
            places = [bisect_left(texts, text) for text in new_texts]
            new_texts, new_order = np.insert(texts, places, new_texts), np.insert(order, places, new_order)
        self._sorted, self._order = new_texts, new_order
        ranks = np.arange(len(self._order), dtype=np.int64)
        if not self._texts.is_unique and len(ranks):
            ranks[1:][self._sorted[1:] == self._sorted[:-1]] = 0
            ranks = np.maximum.accumulate(ranks)
        self._ranks = np.full(len(self._texts), LAST)
        self._ranks[self._order] = 2 * ranks
