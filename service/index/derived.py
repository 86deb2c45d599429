"""What is derived from each text of a column: whether it satisfies a comparison, or which number it is.

A text is looked at once. Many texts are looked at in turns, between which others are answered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from service.checkpoint import checkpoint
from service.index.texts import Texts

# Characters that are looked at in a turn, in about 1 ms; a text counts as _TEXT more.
TURN: Final = 100_000  # each text by itself
TURN_OF_JOINED: Final = 800_000  # many texts as one

_TEXT: Final = 50
_AT_ONCE: Final = 64  # texts looked at before it is seen how long they were
_MOST_AT_ONCE: Final = 16_384


class Derived(Protocol):
    """Something that is kept for all texts of a column."""

    @property
    def size(self) -> int:
        """Bytes of memory that it takes."""
        ...

    async def catch_up(self) -> None:
        """Look at all texts that have come since the last time, in turns."""
        ...


D = TypeVar("D", bound=Derived)


ValuesOf = Callable[[Sequence[int]], Sequence[Any] | NDArray[Any]]


def each(texts: Texts, value: Callable[[str], Any], nothing: Any) -> ValuesOf:
    """What makes the value of each of several codes of the text; nothing, where there is none."""
    return lambda codes: [nothing if text is None else value(text) for text in texts.of(codes)]


class Changes:
    """Which codes' texts are new since the last look."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._length = 1
        self._seen = len(texts.changes)
        self._generation = texts.generation

    def take(self, most: int) -> Sequence[int]:
        """Codes whose texts are new, at most so many; none where all have been taken."""
        texts = self._texts
        if self._generation != texts.generation:
            self._length, self._seen, self._generation = 1, len(texts.changes), texts.generation
        if self._length < len(texts):
            start, self._length = self._length, min(len(texts), self._length + most)
            return range(start, self._length)
        codes = texts.changes[self._seen : self._seen + most]
        self._seen += len(codes)
        return codes


class PerText:
    """A value for each text of a column. values: of several codes, as many values.

    nothing: of a code that no text has yet. turn: TURN or TURN_OF_JOINED, by how the values are found.
    """

    def __init__(
        self,
        texts: Texts,
        values: ValuesOf,
        nothing: Any,
        dtype: type,
        turn: int = TURN,
    ) -> None:
        self._texts = texts
        self._values = values
        self._turn = turn
        self._nothing = nothing
        self._changes = Changes(texts)
        self._array: NDArray[Any] = np.full(len(texts), nothing, dtype)

    @property
    def size(self) -> int:
        """Bytes of memory that it takes."""
        return self._array.nbytes

    async def catch_up(self) -> None:
        """Look at all texts that have come since the last time, in turns."""
        most = _AT_ONCE
        while work := self._look(most):
            # So many are a turn, if they are as long as these were.
            most = max(1, min(_MOST_AT_ONCE, most * self._turn // work))
            await checkpoint()

    def by_code(self) -> NDArray[Any]:
        """The value of each code. Few texts may have come since the last turn; they are looked at now."""
        while self._look(_AT_ONCE):
            pass
        return self._array[: len(self._texts)]

    def _look(self, most: int) -> int:
        codes = self._changes.take(most)
        if not codes:
            return 0
        if len(self._array) < len(self._texts):
            grown = np.full(len(self._texts) * 9 // 8 + 8, self._nothing, self._array.dtype)
            grown[: len(self._array)] = self._array
            self._array = grown
        values = self._values(codes)
        if isinstance(codes, range):
            self._array[codes.start : codes.stop] = values
        else:
            self._array[codes] = values
        return self._characters(codes) + _TEXT * len(codes)

    def _characters(self, codes: Sequence[int]) -> int:
        """How many characters the texts have, about: as many as some of them, evenly spread, let expect."""
        some = self._texts.of(codes[:: len(codes) // _AT_ONCE + 1])
        return sum(len(text) for text in some if text is not None) * len(codes) // len(some)


class Kept:
    """What was derived for the last questions, as long as it takes no more than so many bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Hashable, Derived] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes of memory that all takes."""
        return sum(derived.size for derived in self._kept.values())

    def get(self, key: Hashable, new: Callable[[], D]) -> D:
        """What is kept under a key, or a new one."""
        derived: Any = self._kept.get(key)
        if derived is None:
            derived = self._kept[key] = new()
        self._kept.move_to_end(key)
        kept: D = derived
        return kept

    def forget_the_oldest(self) -> None:
        """Keep no more than may be kept, and the last one in any case."""
        size = self.size
        while size > self._most and len(self._kept) > 1:
            _, derived = self._kept.popitem(last=False)
            size -= derived.size
