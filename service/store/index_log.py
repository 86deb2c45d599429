"""The log of an index that replicas share, in a server that speaks the Redis protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any, Final

import msgspec

from service.index.shared.log import Deposed, Head, LogGap, News, Record, SharedLog
from service.store import index_scripts as scripts
from service.store.index_snapshot import IndexSnapshot
from service.store.link import RedisLink
from service.store.own_connection import OwnConnection
from service.store.streams import Entry, by_stream, next_entries

_LEASE: Final = 3.0  # seconds
_STAYS: Final = 86_400  # seconds for which the store keeps an index that no replica uses
_MOST_RECORDS: Final = 10_000
_MOST_BYTES: Final = 24 * 1024 * 1024  # less than is read in one reply
_ENTRY_BYTES: Final = 256 * 1024  # of records in one entry, unless one alone has more
_ENTRIES: Final = 16  # that are read at once
_WISHES: Final = 1_000
_WISHED_SECONDS: Final = 60
_BYTES_A_SECOND: Final = 2_000_000  # that a store takes at least, which does not count as silent

_records = msgspec.msgpack.Decoder(list[bytes])


class RedisIndexLog(SharedLog):
    """The log behind a link; its keys begin with the prefix and its name. One task at a time may read it.

    lease: seconds that another replica waits for one that writes and is silent. most_records, most_bytes: of
    the log; who needs older records has to begin from the snapshot.
    """

    def __init__(
        self,
        link: RedisLink,
        prefix: str,
        name: str,
        lease: float = _LEASE,
        most_records: int = _MOST_RECORDS,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._link = link
        self._owner = token_hex(8)
        self._lease = int(lease * 1_000)
        self._bounds = (most_records, most_bytes)
        self._name = name
        self._indexes = prefix.encode() + b":indexes"
        names = ("writer", "index", "log", "progress", "wishes", "snapshot")
        keys = (f"{prefix}:{name}:{each}".encode() for each in names)
        self._writer, self._index, self._log, self._progress, self._wishes, snapshot = keys
        self._snapshot_key = snapshot
        self._snapshot = IndexSnapshot(link, self._writer, self._index, snapshot, self._owner)
        self._reader = OwnConnection(link, link.patience.block + link.patience.socket)
        self._progress_at = b""
        self._wishes_at = b""
        self._forget()

    @property
    def is_attached(self) -> bool:
        """Whether the store answers, as far as is known."""
        return self._link.is_attached

    def now(self) -> float:
        return self._link.now()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hang up its own connection when the context ends."""
        async with self._reader:
            yield

    async def lead(self) -> Head:
        keys = [self._writer, self._index, self._snapshot_key, self._log, self._indexes]
        reply = await self._run(scripts.LEAD, keys, [self._owner, self._lease, self._name, _STAYS])
        try:
            epoch, last, snapshot, is_writer = reply[0].decode(errors="replace"), *map(int, reply[1:])
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise self._link.failed("rubbish") from error
        kept = None if snapshot < 0 else snapshot
        return Head(epoch, last, kept, is_writer == 1, self._link.replicas)

    async def resign(self) -> None:
        await self._run(scripts.RESIGN, [self._writer], [self._owner])

    async def begin(self, epoch: str) -> None:
        keys = [self._writer, self._index, self._log, self._progress, self._snapshot_key]
        await self._fenced(scripts.BEGIN, keys, epoch, [self._snapshot.kept_ms])

    async def publish(self, epoch: str, last: int, records: Sequence[bytes]) -> int:
        keys = [self._writer, self._index, self._log]
        entries = [value for entry in _entries(records) for value in entry]
        number: int = await self._fenced(scripts.PUBLISH, keys, epoch, [last, *self._bounds, *entries])
        return number

    async def tell(self, epoch: str, progress: bytes) -> None:
        await self._fenced(scripts.TELL, [self._writer, self._index, self._progress], epoch, [progress])

    async def wish(self, data: bytes) -> None:
        await self._run(scripts.WISH, [self._wishes], [data, _WISHES, _WISHED_SECONDS * 1_000])

    async def read(self, epoch: str, after: int, wait: float) -> News:
        recently = f"{max(0, int(self.now() * 1_000) - self._lease)}-0"
        since: dict[bytes, bytes | str] = {
            self._log: f"{after}-0",
            self._progress: self._progress_at,
            self._wishes: self._wishes_at or recently,
        }
        head, found = await self._reader.run(
            ("HMGET", self._index, "epoch", "last"),
            next_entries(since, _ENTRIES, min(wait, self._link.patience.block)),
        )
        streams = by_stream(found)
        try:
            records = list(_following(epoch, after, streams.get(self._log, ())))
            _check(epoch, after, head, has_more=bool(records))
            progress = self._newest(epoch, streams.get(self._progress, ()))
        except (LogGap, ValueError) as error:  # a ValueError: what is there is not of this service
            self._forget()
            raise LogGap from error
        wishes = streams.get(self._wishes, ())
        if wishes:
            self._wishes_at = wishes[-1][0]
        return News(records, progress, [fields[b"d"] for _, fields in wishes if b"d" in fields])

    async def put_snapshot(self, epoch: str, number: int, data: bytes) -> None:
        await self._snapshot.put(epoch, number, data)

    async def snapshot(self) -> tuple[str, int, bytes] | None:
        return await self._snapshot.get()

    async def _fenced(self, script: str, keys: Sequence[bytes], epoch: str, values: Sequence[Any]) -> Any:
        reply = await self._run(script, keys, [self._owner, epoch, *values])
        if reply is None:
            raise Deposed
        return reply

    async def _run(self, script: str, keys: Sequence[bytes], values: Sequence[Any]) -> Any:
        size = sum(len(value) for value in values if isinstance(value, bytes))
        return await self._link.run(script, keys, values, self._link.patience.socket + size / _BYTES_A_SECOND)

    def _newest(self, epoch: str, entries: Sequence[Entry]) -> bytes | None:
        """The writer's newest word; LogGap where it is of another log."""
        progress = None
        for self._progress_at, fields in entries:
            if fields.get(b"e") != epoch.encode():
                raise LogGap
            progress = fields.get(b"d", progress)
        return progress

    def _forget(self) -> None:
        """Read what is said from now on, and the last word of before."""
        self._progress_at = b"0-0"
        self._wishes_at = b""


def _check(epoch: str, after: int, head: Sequence[bytes | None], *, has_more: bool) -> None:
    """LogGap where the log is another one, ends before what this replica has, or lacks what follows."""
    last = int(head[1] or 0)
    if (head[0] or b"").decode() != epoch or last < after or (last > after and not has_more):
        raise LogGap


def _entries(records: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    """Records in entries of the log: how many there are, and these."""
    some: list[bytes] = []
    size = 0
    for record in records:
        if some and size + len(record) > _ENTRY_BYTES:
            yield len(some), msgspec.msgpack.encode(some)
            some, size = [], 0
        some.append(record)
        size += len(record)
    if some:
        yield len(some), msgspec.msgpack.encode(some)


def _following(epoch: str, after: int, entries: Sequence[Entry]) -> Iterator[Record]:
    """The records behind this number; LogGap where one is missing, or cannot be read."""
    for number, fields in entries:
        last, _, rest = number.partition(b"-")
        records = _records.decode(fields.get(b"d", b""))  # a ValueError, where it is none
        first = int(last) - len(records) + 1
        if fields.get(b"e") != epoch.encode() or rest != b"0" or first > after + 1:
            raise LogGap
        for at, data in enumerate(records[after + 1 - first :], after + 1):
            yield Record(at, data)
        after = int(last)
