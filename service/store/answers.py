"""Answers that replicas share, in a server that speaks the Redis protocol."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from service.cache.shared_keys import MOST_BYTES
from service.cache.shared_store import Claim, Fill, Key, SharedStore, Stored, Told, Wish
from service.errors import StoreFailed
from service.store import scripts
from service.store.ending import end
from service.store.link import RedisLink
from service.store.own_connection import OwnConnection
from service.store.streams import by_stream, next_entries

log = logging.getLogger("service.store")

T = TypeVar("T")

_MICROSECONDS: Final = 1_000_000
_LOG_MS: Final = 60_000  # for which a notice is kept
_AT_ONCE: Final = 1_000  # entries of the log that are read
_GROUP_NAMES: Final = 64
_KEY_BYTES: Final = 16
_OVERLAP: Final = 1.0  # seconds by which the store's clock may be behind what is believed
_LEASE, _FAILED = 1, 3


class _Stored(NamedTuple):
    """What READ says of a key."""

    asked: int
    arrived: int
    version: int
    data: bytes | None

    def stored(self) -> Stored | None:
        return Stored(self.data, self.asked, self.arrived, self.version) if self.version else None


class _Claim(NamedTuple):
    """What CLAIM says of a key."""

    state: int
    now: int
    wait: int
    asked: int
    arrived: int
    version: int
    data: bytes | None
    near: list[bytes]

    def claim(self) -> Claim:
        stored = _Stored(self.asked, self.arrived, self.version, self.data).stored()
        is_failed = self.state == _FAILED
        return Claim(self.now, stored, self.state == _LEASE, self.wait / 1_000, is_failed, self.near)


class RedisStore(SharedStore):
    """The store behind a link, while `following()` is entered; its keys begin with the prefix.

    Data are at `v:KEY`, leases at `l:KEY`, groups at `g:KEY`, notices in the stream `notices`. They would lie
    in different slots, so a cluster is no place for them. refused: fills that came too late.
    """

    def __init__(self, link: RedisLink, prefix: str) -> None:
        self._link = link
        self._prefix = prefix.encode()
        self._log = self._prefix + b":notices"
        self._name = secrets.token_bytes(8)
        self._told: list[Told] = []
        self._behind: set[asyncio.Task[None]] = set()
        self.refused = 0
        link.watch_loss(self._wake)

    @property
    def is_attached(self) -> bool:
        """Whether the store answers, as far as is known."""
        return self._link.is_attached

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow the store's notices for as long as the context lasts."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            await end(task)
            await asyncio.gather(*self._behind, return_exceptions=True)

    def watch(self, told: Told) -> None:
        self._told.append(told)

    async def claim(self, wishes: Sequence[Wish]) -> list[Claim]:
        keys: list[bytes] = []
        values: list[Any] = [self._lease_ms, MOST_BYTES]
        for wish in wishes:
            keys += [self._data(wish.key), self._lease(wish.key), *map(self._group, wish.groups)]
            values += [wish.known, wish.since, int(wish.anew), int(wish.stale), len(wish.groups)]

        def late(replies: Any) -> None:
            """Nobody waits any more: leases that were got are for others."""
            claims = self._claims(replies, len(wishes))
            own = [wish.key for wish, claim in zip(wishes, claims, strict=True) if claim.has_lease]
            if own:
                task = asyncio.create_task(self._let_go(claims[0].moment, own))
                self._behind.add(task)
                task.add_done_callback(self._behind.discard)

        return self._claims(await self._link.run(scripts.CLAIM, keys, values, late=late), len(wishes))

    async def read(self, wishes: Sequence[Wish]) -> list[Stored | None]:
        keys = [self._data(wish.key) for wish in wishes]
        values = [MOST_BYTES, *(wish.known for wish in wishes)]
        replies = self._read(await self._link.run(scripts.READ, keys, values), _Stored, len(wishes))
        return [reply.stored() for reply in replies]

    async def fill(self, moment: int, fills: Sequence[Fill]) -> list[int]:
        keys = [
            name
            for fill in fills
            for name in (self._data(fill.key), self._lease(fill.key), self._group(fill.group))
        ]
        values: list[Any] = [moment, _LOG_MS, self._name, _GROUP_NAMES]
        for fill in fills:
            spans = (fill.age, fill.fresh, fill.renewable, fill.usable)
            values += [fill.key, *(int(span * _MICROSECONDS) for span in spans), fill.data, fill.name]
        replies = await self._link.run(scripts.FILL, [self._log, *keys], values, self._link.patience.socket)
        versions = self._read(replies, int, len(fills))
        self.refused += versions.count(0)
        return versions

    async def extend(self, moment: int, keys: Sequence[Key]) -> None:
        await self._link.run(scripts.EXTEND, [self._lease(key) for key in keys], [moment, self._lease_ms])

    async def give_up(self, moment: int, keys: Sequence[Key], pause: float = 0.0) -> None:
        leases = [self._lease(key) for key in keys]
        values = [moment, _LOG_MS, self._name, int(pause * 1_000), *keys]
        await self._link.run(scripts.GIVE_UP, [self._log, *leases], values)

    @property
    def _lease_ms(self) -> int:
        return int(self._link.patience.lease * 1_000)

    def _data(self, key: Key) -> bytes:
        return self._prefix + b":v:" + key

    def _lease(self, key: Key) -> bytes:
        return self._prefix + b":l:" + key

    def _group(self, group: Key) -> bytes:
        return self._prefix + b":g:" + group

    async def _let_go(self, moment: int, keys: Sequence[Key]) -> None:
        with suppress(StoreFailed):
            await self.give_up(moment, keys)

    def _claims(self, replies: Any, number: int) -> list[Claim]:
        return [reply.claim() for reply in self._read(replies, _Claim, number)]

    def _read(self, replies: Any, type_: type[T], number: int) -> list[T]:
        """What the replies say; StoreFailed where a server says what these scripts never do."""
        try:
            read = msgspec.convert(replies, list[type_])  # type: ignore[valid-type] # mypy knows no such lists
            if len(read) == number:
                return read
        except msgspec.ValidationError:
            pass
        raise self._link.failed("rubbish")

    def _wake(self) -> None:
        """Whoever waits for a notice goes on without the store."""
        for told in self._told:
            told(None, False)

    async def _follow(self) -> None:
        """Tell of each entry of the log, from now on; one that is told twice does no harm."""
        patience = self._link.patience
        last = b"%d-0" % max(0.0, (self._link.now() - _OVERLAP) * 1_000)
        async with OwnConnection(self._link, patience.block + patience.socket) as connection:
            while True:
                try:
                    [reply] = await connection.run(next_entries({self._log: last}, _AT_ONCE, patience.block))
                    for number, entry in by_stream(reply).get(self._log, ()):
                        last = number
                        self._tell(entry)
                except Exception as error:  # noqa: BLE001 - whatever is said by what is no Redis
                    if self._link.is_attached:  # or the link has said it
                        log.info("the notices of the store cannot be followed for now: %s", error)
                    self._wake()
                    await asyncio.sleep(patience.probe)

    def _tell(self, entry: Mapping[bytes, bytes]) -> None:
        names, is_own = entry.get(b"k", b""), entry.get(b"s") == self._name
        keys = [names[at : at + _KEY_BYTES] for at in range(0, len(names), _KEY_BYTES)]
        for told in self._told:
            told(keys, is_own)
