"""What the service remembers: entries bounded in bytes, the least recently read dropped first.

An entry's value is a run, an experiment, a tuple of them, or None for what does not exist. A run that several
entries hold (its own and those of lists) is one object, and counts once; so does the name of a metric, param
or tag that several runs hold.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Hashable, Sequence
from sys import getsizeof
from typing import NamedTuple, Self

from service.tracking.runs import Experiment, Run, RunQuestion

Value = Run | Experiment | tuple[Run, ...] | tuple[Experiment, ...] | None

_ENTRY_BYTES = 512  # an entry, its key, its place in the order and in the counts
_PART_BYTES = 96  # a part's place in the counts, and what the allocator rounds up
_NAME_BYTES = 100  # a name's place in the counts


class Windows(NamedTuple):
    """Seconds of age up to which a value is given at once, while it is renewed, and if MLflow fails."""

    fresh: float
    renewable: float
    usable: float


class Entry:
    """A value, when it was asked for and when it arrived.

    asked: the place of its question in the order of all questions. arrived, failed: by the clock, in seconds;
    failed is when MLflow last failed to renew it.
    """

    __slots__ = ("arrived", "asked", "failed", "size", "stale_at", "value", "windows")

    def __init__(self, value: Value, asked: int, arrived: float, windows: Windows) -> None:
        self.value = value
        self.asked = asked
        self.arrived = arrived
        self.windows = windows
        self.stale_at = arrived + windows.fresh
        self.failed: float | None = None
        self.size = _ENTRY_BYTES + (getsizeof(value) if isinstance(value, tuple) else 0)

    def count_key(self, key: Hashable) -> None:
        """Add the bytes of the entry's key, whose texts may be a caller's and long."""
        parts = (key.run_type, key.strategy_id) if isinstance(key, RunQuestion) else key
        self.size += sum(map(getsizeof, parts)) if isinstance(parts, tuple) else getsizeof(parts)


class Together(NamedTuple):
    """Values that were found together: when the first of them is stale, and when the oldest arrived.

    changes: the memory's then.
    """

    values: tuple[Value, ...]
    stale_at: float
    arrived: float
    changes: int

    @classmethod
    def of(cls, entries: Sequence[Entry], changes: int) -> Self:
        """What the entries, of which there is at least one, are together."""
        return cls(
            tuple(entry.value for entry in entries),
            min(entry.stale_at for entry in entries),
            min(entry.arrived for entry in entries),
            changes,
        )


class Memory:
    """At most max_bytes of entries. Not for several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        # By a part's id: how many entries hold it, its size when it was counted, the hash of its names' ids.
        self._held: dict[int, tuple[int, int, int]] = {}
        self._names: dict[int, int] = {}  # by a name's id: how often it stands in shapes
        self._shapes: dict[int, int] = {}  # how many runs have just these names
        self.used = 0
        self.evictions = 0
        self.changes = 0  # as long as this stays the same, every key has the entry that it had

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Entry | None:
        """The entry, which this makes the last to be dropped."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def get_all(self, keys: Sequence[Hashable]) -> list[Entry] | None:
        """The entries of all the keys, as `get` gives them; None where one is lacking."""
        entries, found = self._entries, []
        for key in keys:
            entry = entries.get(key)
            if entry is None:
                return None
            entries.move_to_end(key)
            found.append(entry)
        return found

    def peek(self, key: Hashable) -> Entry | None:
        """The entry, which this leaves where it stands in the order."""
        return self._entries.get(key)

    def put(self, key: Hashable, value: Value, asked: int, arrived: float, windows: Windows) -> Entry:
        """Remember a value unless a newer one is there; the entry that now answers for the key.

        A value equal to the one before stays the same object, so that what was made of it stays right.
        """
        old = self._entries.get(key)
        if old is not None:
            if old.asked > asked:
                return old
            if old.value == value:
                value = old.value
        self.changes += 1
        entry = Entry(value, asked, arrived, windows)
        entry.count_key(key)
        self._hold(entry)
        if old is not None:
            self._release(old)
        self._entries[key] = entry
        self._entries.move_to_end(key)
        while self.used > self._max_bytes:
            _, dropped = self._entries.popitem(last=False)
            self._release(dropped)
            self.evictions += 1
        return entry

    def _hold(self, entry: Entry) -> None:
        self.used += entry.size
        for part in _parts(entry.value):
            holders, size, shape = self._held.get(id(part)) or (0, 0, 0)
            if not holders:
                names = _names(part)
                size, shape = size_of(part), hash(tuple(map(id, names)))
                self.used += size + self._hold_names(names, shape)
            self._held[id(part)] = holders + 1, size, shape

    def _release(self, entry: Entry) -> None:
        self.used -= entry.size
        for part in _parts(entry.value):
            holders, size, shape = self._held.pop(id(part))
            if holders > 1:
                self._held[id(part)] = holders - 1, size, shape
            else:
                self.used -= size + self._release_names(part, shape)

    def _hold_names(self, names: tuple[str, ...], shape: int) -> int:
        """Bytes of the names that nobody held before. Most runs have just the names of another."""
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

    def _release_names(self, part: Run | Experiment, shape: int) -> int:
        """Bytes of the names that nobody holds any more."""
        alike = self._shapes.pop(shape) - 1
        if alike:
            self._shapes[shape] = alike
            return 0
        size, counts = 0, self._names
        for name in _names(part):
            held = counts.pop(id(name), 1) - 1
            if held:
                counts[id(name)] = held
            else:
                size += size_of_name(name)
        return size


def size_of(part: Run | Experiment) -> int:
    """Bytes of memory that a run or an experiment takes, but for the names of metrics, params and tags."""
    size = getsizeof(part) + _PART_BYTES
    if isinstance(part, Experiment):
        return size + _size_of_texts((part.name, part.artifact_location))
    size += _size_of_texts((part.run_id, part.run_name, part.artifact_uri))
    for texts in (part.params, part.tags):
        size += getsizeof(texts) + _size_of_texts(texts.values())
    return size + getsizeof(part.metrics) + getsizeof(0.0) * len(part.metrics)


def size_of_name(name: str) -> int:
    """Bytes of memory that a name takes; the same before and after it was answered, which makes it grow."""
    if name.isascii():
        return _NAME_BYTES + getsizeof(name)
    return _NAME_BYTES + getsizeof("") + 4 * len(name) + len(name.encode())


def _names(part: Run | Experiment) -> tuple[str, ...]:
    return () if isinstance(part, Experiment) else (*part.metrics, *part.params, *part.tags)


def _size_of_texts(texts: Collection[str]) -> int:
    size = sum(map(getsizeof, texts))
    if not all(map(str.isascii, texts)):  # once it is answered, such a text keeps its UTF-8 beside it
        size += sum(len(text.encode()) for text in texts if not text.isascii())
    return size


def _parts(value: Value) -> tuple[Run, ...] | tuple[Experiment, ...]:
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)  # type: ignore[return-value] # one of either kind
