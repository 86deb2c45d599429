"""A log of an index that replicas share, in memory: with a clock, a lease, and losses, as a test says."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from service.errors import StoreFailed
from service.index.shared.log import Deposed, Head, LogGap, News, Record, SharedLog

LEASE = 3.0


class LogStore:
    """What all replicas share. clock: seconds, of the store. lease: seconds. most: records that are kept.

    is_down: it does not answer anybody. published: how many records were taken. changed: is set whenever
    there is something to read.
    """

    def __init__(self, clock: Callable[[], float], lease: float = LEASE, most: int = 10_000) -> None:
        self.clock = clock
        self.lease = lease
        self.most = most
        self.is_down = False
        self.published = 0
        self.writer = ("", 0.0)
        self.replicas: dict[str, float] = {}
        self.changed = asyncio.Event()
        self.empty()

    def empty(self) -> None:
        """Lose all that is there."""
        self.epoch = ""
        self.last = 0
        self.records: list[tuple[str, Record]] = []
        self.progress: tuple[int, str, bytes] | None = None
        self.progresses = 0
        self.wishes: list[bytes] = []
        self.kept: tuple[str, int, bytes] | None = None
        self.writer = ("", 0.0)

    def copy(self) -> tuple[object, ...]:
        """A backup."""
        return (self.epoch, self.last, list(self.records), self.progress, self.kept)

    def restore(self, backup: tuple[object, ...]) -> None:
        """Have the data of a backup."""
        self.epoch, self.last, self.records, self.progress, self.kept = backup  # type: ignore[assignment]

    def trim(self, most: int) -> None:
        """Keep so many records."""
        del self.records[: max(len(self.records) - most, 0)]


class MemoryLog(SharedLog):
    """The log as one replica uses it. name: tells it from the others. is_cut: only this one gets no answer.

    loses_reply: the next publish is taken, and its caller does not hear of it. meanwhile: is called once
    before the next publish. ahead: seconds by which the replica believes the store's clock to be further.
    """

    def __init__(self, store: LogStore, name: str, ahead: float = 0.0) -> None:
        self._store = store
        self._name = name
        self._ahead = ahead
        self._wishes_at = 0
        self._progress_at = 0
        self.is_cut = False
        self.loses_reply = False
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    @property
    def is_attached(self) -> bool:
        """Whether the store answers."""
        return not (self._store.is_down or self.is_cut)

    def now(self) -> float:
        return self._store.clock() + self._ahead

    async def lead(self) -> Head:
        store = self._answering()
        now = store.clock()
        owner, until = store.writer
        if owner in {"", self._name} or until <= now:
            store.writer = (self._name, now + store.lease)
        store.replicas[self._name] = now
        present = [name for name, seen in store.replicas.items() if now - seen <= store.lease]
        kept = store.kept
        snapshot = kept[1] if kept is not None and kept[0] == store.epoch else None
        return Head(store.epoch, store.last, snapshot, self._writes(store), len(present))

    async def resign(self) -> None:
        store = self._answering()
        if store.writer[0] == self._name:
            store.writer = ("", 0.0)

    async def begin(self, epoch: str) -> None:
        store = self._answering()
        if not self._writes(store):
            raise Deposed
        store.epoch, store.last, store.records = epoch, 0, []
        store.progress = store.kept = None

    async def publish(self, epoch: str, last: int, records: Sequence[bytes]) -> int:
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        store = self._fenced(epoch)
        if store.last != last:
            raise Deposed
        for data in records:
            store.last += 1
            store.records.append((epoch, Record(store.last, data)))
        store.trim(store.most)
        store.published += len(records)
        store.changed.set()
        if self.loses_reply:
            self.loses_reply = False
            raise StoreFailed("slow")
        return store.last

    async def tell(self, epoch: str, progress: bytes) -> None:
        store = self._fenced(epoch)
        store.progresses += 1
        store.progress = (store.progresses, epoch, progress)
        store.changed.set()

    async def wish(self, data: bytes) -> None:
        store = self._answering()
        store.wishes.append(data)
        store.changed.set()

    async def read(self, epoch: str, after: int, wait: float) -> News:
        news = self._read(epoch, after)
        if wait and not (news.records or news.progress or news.wishes):
            self._store.changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._store.changed.wait()
            news = self._read(epoch, after)
        return news

    def _read(self, epoch: str, after: int) -> News:
        store = self._answering()
        if store.epoch != epoch or store.last < after:
            raise LogGap
        records = [record for of, record in store.records if of == epoch and record.number > after]
        if len(records) != store.last - after:
            raise LogGap
        progress = None
        if store.progress is not None and store.progress[0] != self._progress_at:
            self._progress_at, _, progress = store.progress
        wishes = store.wishes[self._wishes_at :]
        self._wishes_at = len(store.wishes)
        return News(records, progress, wishes)

    async def put_snapshot(self, epoch: str, number: int, data: bytes) -> None:
        store = self._fenced(epoch)
        if number > store.last:
            raise Deposed
        store.kept = (epoch, number, data)

    async def snapshot(self) -> tuple[str, int, bytes] | None:
        return self._answering().kept

    def _answering(self) -> LogStore:
        if not self.is_attached:
            raise StoreFailed("silent")
        return self._store

    def _writes(self, store: LogStore) -> bool:
        owner, until = store.writer
        return owner == self._name and until > store.clock()

    def _fenced(self, epoch: str) -> LogStore:
        store = self._answering()
        if store.epoch != epoch or not self._writes(store):
            raise Deposed
        return store
