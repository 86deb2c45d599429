"""A log that several replicas share, in memory or in a real server, as one test uses it."""

from __future__ import annotations

import itertools
from contextlib import AsyncExitStack
from typing import Protocol

from service.index.shared.log import Record, SharedLog
from service.store.index_log import RedisIndexLog
from service.store.index_snapshot import CHUNK
from service.store.link import Patience, RedisLink
from tests.fakes.shared_log import LogStore, MemoryLog
from tests.store.rights import INDEX, PREFIX, as_user
from tests.store.servers import StoreServer

TWO_CHUNKS = b"x" * (CHUNK + 10)
# A machine that does more than one thing must not look like a store that fails.
PATIENCE = Patience(answer=2.0, connect=2.0, socket=5.0, block=0.1)


class Store(Protocol):
    """What replicas share. most_records: that the log has at most."""

    most_records: int

    async def replica(self) -> SharedLog:
        """The log as another replica uses it."""
        ...

    async def end_lease(self) -> None:
        """So much time passes that the lease ends, which nobody prolonged."""
        ...

    async def empty(self) -> None:
        """All is lost."""
        ...


class StoreInMemory:
    """The fake that tests of the index use."""

    most_records = 100

    def __init__(self) -> None:
        self._seconds = 1_000.0
        self._store = LogStore(lambda: self._seconds, most=self.most_records)
        self._names = itertools.count()

    async def replica(self) -> MemoryLog:
        """The log under a name of its own."""
        return MemoryLog(self._store, f"replica {next(self._names)}")

    async def end_lease(self) -> None:
        """Turn the clock."""
        self._seconds += self._store.lease

    async def empty(self) -> None:
        """Lose all."""
        self._store.empty()


class RealStore:
    """A real server, and the links to it, which the stack closes."""

    most_records = 100

    def __init__(self, server: StoreServer, stack: AsyncExitStack) -> None:
        self.server = server
        self._stack = stack

    async def replica(self) -> RedisIndexLog:
        """The log behind a link of its own."""
        link = RedisLink(as_user(self.server.url), PATIENCE, connections=1, prefix=PREFIX)
        await self._stack.enter_async_context(link.open())
        log = RedisIndexLog(link, PREFIX, "shared", lease=60.0, most_records=self.most_records)
        await self._stack.enter_async_context(log.open())
        return log

    async def end_lease(self) -> None:
        """As if its time were over."""
        assert 1 == await self.server.command("DEL", f"{INDEX}:writer")

    async def empty(self) -> None:
        """Remove all keys."""
        await self.server.command("FLUSHALL")


def records(first: int, last: int) -> list[bytes]:
    """What the tests publish under these numbers."""
    return [b"record %d" % number for number in range(first, last + 1)]


def numbered(first: int, last: int) -> list[Record]:
    """The same, as it is read."""
    return [Record(number, b"record %d" % number) for number in range(first, last + 1)]


async def chunks(real: RealStore) -> list[bytes]:
    """The keys of all chunks that are there."""
    return sorted(await real.server.command("KEYS", f"{INDEX}:snapshot:*"))
