"""The different texts of a column, each with a code: equal texts are kept and compared once. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from sys import getsizeof
from typing import Final, Protocol

from service.index.cells import Space

NO_TEXT: Final = 0

# Texts that are taken in at once: no other thread runs meanwhile.
_AT_ONCE: Final = 5_000

# Bytes of memory that a text takes beside itself: its place in a dict, in a list, and in an array.
_BESIDE = 74


class Texts(Protocol):
    """Texts by their code, from 1 on.

    changes: the codes whose text came or went after a higher code had been given, in that order, as long as
    `generation` stays the same; so whoever derives something from each text knows what to derive anew.
    is_unique: whether different codes always have different texts.
    """

    changes: list[int]
    generation: int
    is_unique: bool

    def __len__(self) -> int:
        """One more than the highest code."""
        ...

    def find(self, text: str) -> int:
        """The code of a text, -1 where there is none. Only where the codes' texts are unique."""
        ...

    def text(self, code: int) -> str | None:
        """The text of a code, None for a code that stands for none."""
        ...

    def of(self, codes: Iterable[int]) -> Sequence[str | None]:
        """The texts of several codes."""
        ...


class Dictionary:
    """Texts that are counted: a text that nothing uses any more leaves, and its code is used again."""

    __slots__ = ("_codes", "_free", "_space", "_texts", "_uses", "changes", "generation")

    is_unique = True

    def __init__(self, space: Space) -> None:
        self._space = space
        self._codes: dict[str, int] = {}
        self._texts: list[str | None] = [None]
        self._uses = array("i", [0])
        self._free: list[int] = []
        self.changes: list[int] = []
        self.generation = 0

    def __len__(self) -> int:
        return len(self._texts)

    def acquire(self, text: str) -> int:
        """The code of a text, which has one more use from now on."""
        code = self._codes.get(text)
        if code is not None:
            self._uses[code] += 1
            return code
        if self._free:
            code = self._free.pop()
            self._texts[code] = text
            self._uses[code] = 1
            note_change(self, code)
        else:
            length = len(self._texts)
            (code,) = self._space.integers(length, length + 1)
            self._texts.append(text)
            self._uses.append(1)
        self._codes[text] = code
        self._space.bytes += getsizeof(text) + _BESIDE
        return code

    def release(self, code: int) -> None:
        """One use less."""
        self._uses[code] -= 1
        if self._uses[code]:
            return
        text = self._texts[code]
        del self._codes[text]  # type: ignore[arg-type] # a code that is used has a text
        self._texts[code] = None
        self._free.append(code)
        self._space.bytes -= getsizeof(text) + _BESIDE
        note_change(self, code)

    def fill(self, texts: Sequence[str], uses: Sequence[int]) -> None:
        """Give different texts the codes from 1 on, where none has a code yet, with how many use each."""
        self._uses.extend(uses)
        for start in range(0, len(texts), _AT_ONCE):
            some = texts[start : start + _AT_ONCE]
            self._codes.update(zip(some, self._space.integers(start + 1, start + len(some) + 1), strict=True))
            self._texts += some
            self._space.bytes += sum(map(getsizeof, some)) + _BESIDE * len(some)

    def uses(self, text: str) -> int:
        """How many use a text."""
        code = self._codes.get(text)
        return 0 if code is None else self._uses[code]

    def find(self, text: str) -> int:
        """The code of a text, -1 where there is none."""
        return self._codes.get(text, -1)

    def text(self, code: int) -> str | None:
        """The text of a code, None for one that stands for none."""
        return self._texts[code]

    def of(self, codes: Iterable[int]) -> Sequence[str | None]:
        """The texts of several codes."""
        if isinstance(codes, range) and codes.step == 1:
            return self._texts[codes.start : codes.stop]
        texts = self._texts
        return [texts[code] for code in codes]

    def known(self) -> Iterable[str]:
        """All texts."""
        return self._codes.keys()


def note_change(texts: Texts, code: int) -> None:
    """Note that the text of a code came or went. Too many changes are a new generation."""
    texts.changes.append(code)
    if len(texts.changes) > 1_000 + len(texts):
        texts.changes.clear()
        texts.generation += 1
