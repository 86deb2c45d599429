"""What the service remembers: entries bounded in bytes, the least recently read dropped first.

An entity that several entries hold (a run: its own entry, and those of lists) is one object, and counts once;
so does a name that several entities share.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from math import inf
from sys import getsizeof
from typing import Any, Generic, TypeVar

from service.answer import Answer, Origin
from service.cache.freshness import Windows
from service.tracking.entity import Entity
from service.tracking.questions import Question

T = TypeVar("T")

_HIT = Origin.HIT  # looking up a member of an enum costs as much as making an answer
_ENTRY_BYTES = 512  # an entry, its key, its place in the order and in the counts
_ENTITY_BYTES = 96  # an entity's place in the counts, and what the allocator rounds up
_NAME_BYTES = 100  # a name's place in the counts


class Entry(Generic[T]):
    """A value, when it was asked for and when it arrived.

    asked: the place of its question in the order of all questions. arrived, failed: by the clock, in seconds;
    failed is when MLflow last failed to renew it. version: of the value in a store that replicas share; 0
    where it is not from there, negative where another answer there proves it.
    """

    __slots__ = ("arrived", "asked", "failed", "size", "stale_at", "value", "version", "windows")

    def __init__(
        self,
        question: Question[T],
        value: T,
        asked: float,
        arrived: float,
        windows: Windows,
        version: int = 0,
    ) -> None:
        self.value = value
        self.asked = asked
        self.arrived = arrived
        self.windows = windows
        self.stale_at = arrived + windows.fresh
        self.failed: float | None = None
        self.version = version
        self.size = _ENTRY_BYTES + question.size + (getsizeof(value) if isinstance(value, tuple) else 0)


class Memory:
    """At most max_bytes of entries, by their questions. Not for several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Question[Any], Entry[Any]] = OrderedDict()
        # By an entity's id: how many entries hold it, its size when counted, the hash of its names' ids.
        self._held: dict[int, tuple[int, int, int]] = {}
        self._names: dict[int, int] = {}  # by a name's id: how often it stands in shapes
        self._shapes: dict[int, int] = {}  # how many entities have just these names
        self.used = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, question: Question[T]) -> Entry[T] | None:
        """The entry, which this makes the last to be dropped."""
        entry = self._entries.get(question)
        if entry is not None:
            self._entries.move_to_end(question)
        return entry

    def fresh_together(self, questions: Iterable[Question[T]], now: float) -> Answer[tuple[T, ...]] | None:
        """One answer to all the questions, where all their entries are fresh; None where one is not.

        It is what `combine` makes of the answers to each of them, at a tenth of the price: by that way a
        comparison of ten runs in memory would cost a fifth more, which whoever compares a lot would notice.
        """
        get, move_to_end = self._entries.get, self._entries.move_to_end
        values, arrived, stale_at = [], inf, inf
        for question in questions:
            entry = get(question)
            if entry is None:
                return None
            move_to_end(question)
            values.append(entry.value)
            if entry.arrived < arrived:  # noqa: PLR1730 - min() would double what this costs
                arrived = entry.arrived
            if entry.stale_at < stale_at:  # noqa: PLR1730 - as above
                stale_at = entry.stale_at
        left = stale_at - now
        return Answer(tuple(values), now - arrived, _HIT, 0.0, left) if left > 0 else None

    def peek(self, question: Question[T]) -> Entry[T] | None:
        """The entry, which this leaves where it stands in the order."""
        return self._entries.get(question)

    def put(
        self,
        question: Question[T],
        value: T,
        asked: float,
        arrived: float,
        windows: Windows,
        version: int = 0,
    ) -> Entry[T]:
        """Remember a value unless a newer one is there; the entry that now answers the question.

        Newer is what was asked for later, and did not leave MLflow earlier, as what a source remembered may
        have. A value equal to the one before stays the same object, so that what was made of it stays right.
        """
        old = self._entries.get(question)
        if old is not None:
            if old.asked > asked or old.arrived > arrived:
                return old
            if old.value == value:
                value = old.value
        entry = Entry(question, value, asked, arrived, windows, version)
        self._hold(question, entry)
        if old is not None:
            self._release(question, old)
        self._entries[question] = entry
        self._entries.move_to_end(question)
        while self.used > self._max_bytes:
            self._release(*self._entries.popitem(last=False))
            self.evictions += 1
        return entry

    def _hold(self, question: Question[T], entry: Entry[T]) -> None:
        self.used += entry.size
        for entity in question.entities(entry.value):
            holders, size, shape = self._held.get(id(entity)) or (0, 0, 0)
            if not holders:
                names = entity.shared_names
                size, shape = size_of(entity), hash(tuple(map(id, names)))
                self.used += size + self._hold_names(names, shape)
            self._held[id(entity)] = holders + 1, size, shape

    def _release(self, question: Question[T], entry: Entry[T]) -> None:
        self.used -= entry.size
        for entity in question.entities(entry.value):
            holders, size, shape = self._held.pop(id(entity))
            if holders > 1:
                self._held[id(entity)] = holders - 1, size, shape
            else:
                self.used -= size + self._release_names(entity, shape)

    def _hold_names(self, names: tuple[str, ...], shape: int) -> int:
        """Bytes of the names that nobody held before. Most entities have just the names of another."""
        alike = self._shapes.get(shape, 0)
        self._shapes[shape] = alike + 1
        if alike:
            return 0
        size, counts = 0, self._names
        for name in names:
            held = counts.get(id(name), 0)
            counts[id(name)] = held + 1
            size += 0 if held else size_of_name(name)
        return size

    def _release_names(self, entity: Entity, shape: int) -> int:
        """Bytes of the names that nobody holds any more."""
        alike = self._shapes.pop(shape) - 1
        if alike:
            self._shapes[shape] = alike
            return 0
        size, counts = 0, self._names
        for name in entity.shared_names:
            held = counts.pop(id(name), 1) - 1
            if held:
                counts[id(name)] = held
            else:
                size += size_of_name(name)
        return size


def size_of(entity: Entity) -> int:
    """Bytes of memory that an entity and its place in the counts take, but for the names that it shares."""
    return entity.footprint + _ENTITY_BYTES


def size_of_name(name: str) -> int:
    """Bytes of memory that a name takes; the same before and after it was answered, which makes it grow."""
    if name.isascii():
        return _NAME_BYTES + getsizeof(name)
    return _NAME_BYTES + getsizeof("") + 4 * len(name) + len(name.encode())
