"""What values are made of, and how much memory that takes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from sys import getsizeof

import msgspec


class Entity(msgspec.Struct, frozen=True, gc=False):
    """Something that MLflow keeps: a run, an experiment.

    Entities are shared between answers and never copied: whoever holds one may read it for ever and must not
    change the mappings inside. msgspec's structs take a third of a dataclass's time to make and, with
    gc=False, tens of thousands of them cost the garbage collector nothing (they hold only strings, numbers,
    mappings of those, and structs of the same kind).
    """

    @property
    def shared_names(self) -> tuple[str, ...]:
        """The keys of its mappings, each of which is one object in all the entities that have it."""
        return ()

    @property
    def footprint(self) -> int:
        """Bytes of memory that it takes, but for the shared names."""
        size = getsizeof(self)
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str):
                size += size_of_texts((value,))
            elif isinstance(value, Mapping):
                texts = [each for each in value.values() if isinstance(each, str)]
                numbers = len(value) - len(texts)
                size += getsizeof(value) + size_of_texts(texts) + getsizeof(0.0) * numbers
        return size


def size_of_texts(texts: Collection[str]) -> int:
    """Bytes of memory that texts take once they were answered."""
    size = sum(map(getsizeof, texts))
    if not all(map(str.isascii, texts)):  # once it is answered, such a text keeps its UTF-8 beside it
        size += sum(len(text.encode()) for text in texts if not text.isascii())
    return size
