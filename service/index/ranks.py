"""The order of a column's texts by code points, so that rows are sorted by numbers."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from service.checkpoint import checkpoint
from service.index.derived import Changes
from service.index.texts import Texts

LAST: Final = np.iinfo(np.int64).max  # the key of what is missing

_FEW: Final = 500  # texts that are put in place one by one
_PART: Final = 1_000  # texts that are looked at or sorted in a turn


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
                    self._place(codes, self._pairs(codes))
                    await checkpoint()
                else:
                    everything = range(1, len(self._texts))
                    self._place(everything, await self._in_order(everything))

    def by_code(self) -> NDArray[np.int64]:
        """The rank of each code. Few texts may have come since the last turn; they get their place now."""
        while codes := self._changes.take(_FEW):
            self._place(codes, self._pairs(codes))
        return self._ranks

    def rank_of(self, text: str) -> int:
        """The rank of a text, or a number between two ranks where there is no such text."""
        at = bisect_left(self._sorted, text)
        return 2 * at if at < len(self._sorted) and self._sorted[at] == text else 2 * at - 1

    def _pairs(self, codes: Sequence[int]) -> list[tuple[str, int]]:
        several = set(codes)
        pairs = [(text, code) for code in several if (text := self._texts.text(code)) is not None]
        return sorted(pairs, key=itemgetter(0))

    async def _in_order(self, codes: range) -> list[tuple[str, int]]:
        """All codes with their texts, sorted in parts that lie one after the other."""
        sample = sorted(text for text in self._texts.of(codes[:: max(1, len(codes) // 4_000)]) if text)
        parts = len(codes) // _PART + 1
        borders = [sample[len(sample) * part // parts] for part in range(1, parts)] if sample else []
        buckets: list[list[tuple[str, int]]] = [[] for _ in range(len(borders) + 1)]
        for start in range(0, len(codes), _PART):
            some = codes[start : start + _PART]
            for text, code in zip(self._texts.of(some), some, strict=True):
                if text is not None:
                    buckets[bisect_right(borders, text)].append((text, code))
            await checkpoint()
        pairs: list[tuple[str, int]] = []
        for bucket in buckets:
            bucket.sort(key=itemgetter(0))
            pairs += bucket
            await checkpoint()
        return pairs

    def _place(self, codes: Sequence[int], pairs: list[tuple[str, int]]) -> None:
        """Give codes the places of their texts, which are sorted; codes without a text lose theirs."""
        gone = np.zeros(len(self._texts), np.bool_)
        gone[codes] = True
        stay = ~gone[self._order]
        order, texts = self._order[stay], self._sorted[stay]
        places = [bisect_left(texts, text) for text, _ in pairs] if len(texts) else [0] * len(pairs)
        new_texts = np.empty(len(pairs), object)
        new_texts[:] = [text for text, _ in pairs]
        self._sorted = np.insert(texts, places, new_texts)
        self._order = np.insert(order, places, [code for _, code in pairs])
        ranks = np.arange(len(self._order), dtype=np.int64)
        if not self._texts.is_unique and len(ranks):
            ranks[1:][self._sorted[1:] == self._sorted[:-1]] = 0
            ranks = np.maximum.accumulate(ranks)
        self._ranks = np.full(len(self._texts), LAST)
        self._ranks[self._order] = 2 * ranks
