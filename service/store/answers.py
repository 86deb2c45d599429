"""Answers that replicas share, in a server that speaks the Redis protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.exceptions import RedisError

from service.cache.shared_store import Claim, Fill, Key, SharedStore, Stored, Wish
from service.store import scripts
from service.store.link import RedisLink

_MICROSECONDS: Final = 1_000_000
_LOG_ENTRIES: Final = 10_000
_KEY_BYTES: Final = 16
_DATA, _LEASE, _WAIT = range(3)


class RedisStore(SharedStore):
    """The store behind a link, while `following()` is entered; its keys begin with the prefix.

    refused: fills that came too late.
    """

    def __init__(self, link: RedisLink, prefix: str) -> None:
        self._link = link
        self._prefix = prefix.encode()
        self._log = self._prefix + b":notices"
        self._told: list[Callable[[Sequence[Key]], object]] = []
        self.refused = 0

    @property
    def is_attached(self) -> bool:  # type: ignore[override]
        """Whether the store answers, as far as is known."""
        return self._link.is_attached

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow the store's notices for as long as the context lasts."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def watch(self, told: Callable[[Sequence[Key]], object]) -> None:
        self._told.append(told)

    async def claim(self, wishes: Sequence[Wish], *, anew: bool = False) -> list[Claim]:
        keys = [name for wish in wishes for name in (self._data(wish.key), self._lease(wish.key))]
        lease = int(self._link.patience.lease * 1_000)
        replies = await self._link.run(
            scripts.CLAIM, keys, [lease, int(anew), *(wish.known for wish in wishes)]
        )
        return [_claim(*reply) for reply in replies]

    async def read(self, wishes: Sequence[Wish]) -> list[Stored | None]:
        keys = [self._data(wish.key) for wish in wishes]
        replies = await self._link.run(scripts.READ, keys, [wish.known for wish in wishes])
        return [
            None if not reply else Stored(reply[2], reply[0] / _MICROSECONDS, reply[1]) for reply in replies
        ]

    async def fill(self, asked: int, fills: Sequence[Fill]) -> None:
        useful = [fill for fill in fills if fill.usable > 0]
        keys = [name for fill in useful for name in (self._data(fill.key), self._lease(fill.key))]
        values: list[Any] = [asked, _LOG_ENTRIES]
        for fill in useful:
            spans = [int(span * _MICROSECONDS) for span in (fill.fresh, fill.renewable, fill.usable)]
            values += [fill.key, *spans, fill.data]
        self.refused += await self._link.run(scripts.FILL, [self._log, *keys], values)

    async def extend(self, asked: int, keys: Sequence[Key]) -> None:
        lease = int(self._link.patience.lease * 1_000)
        await self._link.run(scripts.EXTEND, [self._lease(key) for key in keys], [asked, lease])

    async def give_up(self, asked: int, keys: Sequence[Key]) -> None:
        leases = [self._lease(key) for key in keys]
        await self._link.run(scripts.GIVE_UP, [self._log, *leases], [asked, _LOG_ENTRIES, *keys])

    def _data(self, key: Key) -> bytes:
        return self._prefix + b":v:" + key

    def _lease(self, key: Key) -> bytes:
        return self._prefix + b":l:" + key

    async def _follow(self) -> None:
        """Tell of each entry of the log, from now on."""
        last: Any = None
        patience = self._link.patience
        block = int(patience.block * 1_000)
        follower = self._link.connections(1, patience.block + patience.socket)
        while True:
            try:
                if last is None:
                    newest = await follower.xrevrange(self._log, count=1)
                    last = newest[0][0] if newest else b"0"
                replies = await follower.xread({self._log: last}, count=1_000, block=block)
            except (RedisError, OSError, TimeoutError):
                await asyncio.sleep(patience.probe)
                continue
            for number, entry in _entries(replies):
                last = number
                names = entry.get(b"k", b"")
                keys = [names[at : at + _KEY_BYTES] for at in range(0, len(names), _KEY_BYTES)]
                for told in self._told:
                    told(keys)


def _entries(replies: Any) -> Sequence[tuple[bytes, dict[bytes, bytes]]]:
    """The entries that one log has, by either version of the protocol."""
    if not replies:
        return ()
    [found] = replies.values() if isinstance(replies, dict) else [replies[0][1]]
    entries: Sequence[tuple[bytes, dict[bytes, bytes]]] = found[0] if isinstance(replies, dict) else found
    return entries


def _claim(state: int, now: int, age: int, version: int, data: bytes | None) -> Claim:
    if state == _WAIT:
        return Claim(None, now, wait=max(age, 0) / 1_000)
    has_one = version > 0
    stored = Stored(data, age / _MICROSECONDS, version) if has_one else None
    return Claim(stored, now, lease=state == _LEASE)
