"""A store that replicas share, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.cache.shared_store import Claim, Fill, Key, SharedStore, Stored, Told, Wish
from service.errors import StoreFailed

_MICROSECONDS = 1_000_000
_NAMES = 64


class _Value(NamedTuple):
    data: bytes
    asked: int
    arrived: int
    version: int
    fresh: int
    renewable: int
    until: int


class _Lease(NamedTuple):
    moment: int
    until: int
    has_failed: bool = False


@dataclass
class StoreInMemory:
    """What the server has. clock: seconds, which tests turn. lease: seconds.

    No two moments are the same, even while the clock stands.
    """

    clock: Callable[[], float]
    lease: float = 2.0
    values: dict[Key, _Value] = field(default_factory=dict)
    leases: dict[Key, _Lease] = field(default_factory=dict)
    groups: dict[Key, dict[bytes, int]] = field(default_factory=dict)
    replicas: list[ReplicaOfStore] = field(default_factory=list)
    last: int = 0
    behind: float = 0.0

    def now(self) -> int:
        """The moment, as commands see it."""
        self.last = max(self.last + 1, int((self.clock() - self.behind) * _MICROSECONDS))
        return self.last

    def set_back(self, seconds: float) -> None:
        """Its clock is set back; as in a server, what expires does so when it would have."""
        self.behind += seconds
        self.last = 0

    def value(self, key: Key, now: int) -> _Value | None:
        """What is there, unless it has expired or is of the future."""
        value = self.values.get(key)
        if value is None or value.until <= now or value.arrived > now + _MICROSECONDS:
            return None
        return value

    def names(self, groups: Sequence[Key]) -> list[bytes]:
        """What these groups have, newest first in each."""
        found: list[bytes] = []
        for names in [self.groups.get(group, {}) for group in groups]:
            found += sorted(names, key=names.__getitem__, reverse=True)
        return found

    def empty(self) -> None:
        """As FLUSHALL does."""
        self.values.clear()
        self.leases.clear()
        self.groups.clear()

    def tell(self, keys: Sequence[Key], sender: ReplicaOfStore) -> None:
        for replica in self.replicas:
            replica.hear(keys, is_own=replica is sender)


class ReplicaOfStore(SharedStore):
    """The store as one replica reaches it. is_attached: tests may say that it is not."""

    def __init__(self, server: StoreInMemory) -> None:
        self._server = server
        self._told: list[Told] = []
        self.attached = True
        self.refused = 0
        server.replicas.append(self)

    @property
    def is_attached(self) -> bool:
        return self.attached

    def detach(self) -> None:
        """The store is lost, which is noticed at once."""
        self.attached = False
        for told in self._told:
            told(None, False)

    def watch(self, told: Told) -> None:
        self._told.append(told)

    def hear(self, keys: Sequence[Key], *, is_own: bool) -> None:
        if self.attached:
            for told in self._told:
                asyncio.get_running_loop().call_soon(told, keys, is_own)

    async def claim(self, wishes: Sequence[Wish]) -> list[Claim]:
        await self._reached()
        now = self._server.now()
        return [self._claim(wish, now) for wish in wishes]

    async def read(self, wishes: Sequence[Wish]) -> list[Stored | None]:
        await self._reached()
        now = self._server.now()
        values = [self._server.value(wish.key, now) for wish in wishes]
        return [
            None if value is None else _stored(value, wish)
            for wish, value in zip(wishes, values, strict=True)
        ]

    async def fill(self, moment: int, fills: Sequence[Fill]) -> list[int]:
        await self._reached()
        now = self._server.now()
        news: list[Key] = []
        versions = [self._fill(fill, moment, now, news) for fill in fills]
        self.refused += versions.count(0)
        self._server.tell(news, self)
        return versions

    async def extend(self, moment: int, keys: Sequence[Key]) -> None:
        await self._reached()
        until = self._server.now() + int(self._server.lease * _MICROSECONDS)
        for key in self._own(moment, keys):
            self._server.leases[key] = _Lease(moment, until)

    async def give_up(self, moment: int, keys: Sequence[Key], pause: float = 0.0) -> None:
        await self._reached()
        now = self._server.now()
        own = self._own(moment, keys)
        for key in own:
            del self._server.leases[key]
            if pause:
                self._server.leases[key] = _Lease(0, now + int(pause * _MICROSECONDS), has_failed=True)
        self._server.tell(own, self)

    async def _reached(self) -> None:
        await asyncio.sleep(0)
        if not self.attached:
            raise StoreFailed("detached")

    def _own(self, moment: int, keys: Sequence[Key]) -> list[Key]:
        leases, now = self._server.leases, self._server.now()
        return [
            key
            for key in keys
            if (lease := leases.get(key)) is not None and lease.moment == moment and lease.until > now
        ]

    def _claim(self, wish: Wish, now: int) -> Claim:
        value = self._server.value(wish.key, now)
        stored = None
        if value is not None:
            if wish.anew:
                is_good = 0 < wish.since <= value.asked
            else:
                is_good = now < (value.renewable if wish.stale else value.fresh)
                is_good = is_good or 0 < wish.since <= value.arrived
            stored = _stored(value, wish) if is_good or not wish.anew else None
            if is_good:
                return Claim(now, stored)
        lease = self._server.leases.get(wish.key)
        if lease is not None and lease.until > now:
            return Claim(now, stored, wait=(lease.until - now) / _MICROSECONDS, has_failed=lease.has_failed)
        self._server.leases[wish.key] = _Lease(now, now + int(self._server.lease * _MICROSECONDS))
        return Claim(now, stored, has_lease=True, near=self._server.names(wish.groups))

    def _fill(self, fill: Fill, moment: int, now: int, news: list[Key]) -> int:
        old = self._server.value(fill.key, now)
        version, is_news = 0, False
        if old is None or old.arrived <= moment:
            is_same = old is not None and old.data == fill.data
            version, is_news = (old.version if old is not None and is_same else now), not is_same
            arrived = now - int(fill.age * _MICROSECONDS)
            spans = (fill.fresh, fill.renewable, max(fill.usable, 1.0))
            fresh, renewable, until = (arrived + int(span * _MICROSECONDS) for span in spans)
            self._server.values[fill.key] = _Value(
                fill.data, moment, arrived, version, fresh, renewable, until
            )
            if fill.group:
                group = self._server.groups.setdefault(fill.group, {})
                group[fill.name] = arrived
                while len(group) > _NAMES:
                    del group[min(group, key=group.__getitem__)]
        if self._own(moment, [fill.key]):
            del self._server.leases[fill.key]
            is_news = True
        if is_news:
            news.append(fill.key)
        return version


def _stored(value: _Value, wish: Wish) -> Stored:
    data = None if value.version == wish.known else value.data
    return Stored(data, value.asked, value.arrived, value.version)
