"""The last changes of the index, for those who listen to them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import Final

import msgspec

from service.tracking.events import Changes, Entry, EventName, RunChange, SyncChange, Untold

MOST_ENTRIES: Final = 10_000
MOST_BYTES: Final = 32 * 1024 * 1024

_DROPPED_AT_ONCE = 16  # parts of the log: to drop the oldest costs as much as the log is long


class ChangeLog(Changes):
    """At most so many changes, of so many bytes, the oldest of which are dropped first.

    epoch: of the numbers; another one after each start, unless replicas share it. last: the number of the
    change before the first. is_shared: other replicas have the same changes, and may be ahead.
    staleness: what says that MLflow does not answer; None while it does.
    """

    def __init__(
        self,
        epoch: str = "",
        last: int = 0,
        most_entries: int = MOST_ENTRIES,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._watching: list[Callable[[], object]] = []
        self.begin(epoch or token_hex(4), last)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes_used(self) -> int:
        """Bytes of memory that its runs take, about."""
        return self._bytes

    def begin(
        self, epoch: str, last: int, staleness: SyncChange | None = None, *, is_shared: bool = False
    ) -> None:
        """Begin anew behind this number of this epoch: whoever listens has to read anew."""
        self.epoch = epoch
        self.last = last
        self.is_shared = is_shared
        self.staleness = staleness
        self._dropped = last  # the number of the last change that is not here any more
        self._entries: list[Entry] = []
        self._sizes: list[int] = []
        self._bytes = 0
        self._latest: dict[str, Entry] = {}
        self._tell()

    def reach(self, number: int) -> None:
        """Up to this number nothing more is to come."""
        if number > self.last:
            self.last = number
            self._tell()

    def is_ahead(self, number: int) -> bool:
        return self.is_shared and self.last < number <= self.last + MOST_ENTRIES

    def append(self, entry: Entry) -> None:
        """Take a change; ValueError where its number is not above the last."""
        if entry.number <= self.last:
            raise ValueError(f"{entry.number} is not above {self.last}")
        entry = self._sharing(entry)
        if isinstance(entry.change, SyncChange):
            self.staleness = entry.change if entry.change.name is EventName.STALE else None
        self.last = entry.number
        size = _size(entry)
        self._entries.append(entry)
        self._sizes.append(size)
        self._bytes += size
        if len(self._entries) > self._most_entries or self._bytes > self._most_bytes:
            self._drop_oldest()
        self._tell()

    def changed(self, change: RunChange) -> None:
        """A run is another than before."""
        self.append(Entry(self.last + 1, change))

    def lost(self, experiment_ids: Sequence[str]) -> None:
        """Runs of these experiments changed, too many to tell of each."""
        self.append(Entry(self.last + 1, Untold(tuple(experiment_ids))))

    def stale(self, since_ms: int | None) -> None:
        """MLflow does not answer any more; it last did then."""
        self.append(Entry(self.last + 1, SyncChange(EventName.STALE, since_ms)))

    def fresh(self, since_ms: int | None) -> None:
        """MLflow answers again, since then."""
        self.append(Entry(self.last + 1, SyncChange(EventName.FRESH, since_ms)))

    def since(self, number: int) -> Sequence[Entry] | None:
        if not self._dropped <= number <= self.last:
            return None
        return self._entries[bisect_right(self._entries, number, key=lambda entry: entry.number) :]

    def watch(self, told: Callable[[], object]) -> Callable[[], None]:
        self._watching.append(told)
        return lambda: self._watching.remove(told)

    def _tell(self) -> None:
        for told in self._watching:
            told()

    def _sharing(self, entry: Entry) -> Entry:
        """The same, whose run before the change is that of the change before: it takes no memory."""
        change = entry.change
        if not isinstance(change, RunChange):
            return entry
        before = self._latest.get(change.run.run_id)
        if (
            before is not None
            and isinstance(before.change, RunChange)
            and before.change.after == change.before
        ):
            entry = Entry(entry.number, msgspec.structs.replace(change, before=before.change.after))
        self._latest[change.run.run_id] = entry
        return entry

    def _drop_oldest(self) -> None:
        number, left = 0, self._bytes
        least = len(self._entries) // _DROPPED_AT_ONCE + 1
        while number < least or left > self._most_bytes:
            left -= self._sizes[number]
            number += 1
        for entry in self._entries[:number]:
            change = entry.change
            if isinstance(change, RunChange) and self._latest.get(change.run.run_id) is entry:
                del self._latest[change.run.run_id]
        self._dropped, self._bytes = self._entries[number - 1].number, left
        del self._entries[:number], self._sizes[:number]


def _size(entry: Entry) -> int:
    change = entry.change
    return change.run.footprint if isinstance(change, RunChange) else 0
