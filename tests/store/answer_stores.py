"""A store of answers, in memory or in a real server, as one test uses it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Protocol

from service.cache.shared_store import Key, SharedStore
from service.store.answers import RedisStore
from service.store.link import Patience, RedisLink
from tests.cache.scripted import Clock
from tests.fakes.shared_store import ReplicaOfStore, StoreInMemory
from tests.store.rights import PREFIX
from tests.store.servers import StoreServer

# A machine that does more than one thing must not look like a store that fails.
PATIENCE = Patience(answer=5.0, connect=5.0, socket=5.0, block=0.1, lease=0.5)


class Stores(Protocol):
    """What replicas share."""

    lease: float

    async def replica(self) -> SharedStore:
        """The store as another replica reaches it, which follows the notices from now on."""
        ...

    async def passes(self, seconds: float) -> None:
        """So much time passes."""
        ...

    async def spoil(self, key: Key, data: bytes) -> None:
        """Another service writes there."""
        ...


class InMemory:
    """The fake that tests of the cache use."""

    lease = PATIENCE.lease

    def __init__(self) -> None:
        self._clock = Clock()
        self._server = StoreInMemory(self._clock, PATIENCE.lease)

    async def replica(self) -> SharedStore:
        """The store in memory."""
        return ReplicaOfStore(self._server)

    async def passes(self, seconds: float) -> None:
        """Turn the clock."""
        self._clock.tick(seconds)

    async def spoil(self, key: Key, data: bytes) -> None:
        """What is not in the form of the store counts as nothing."""
        del data
        self._server.values.pop(key, None)
        self._server.leases.pop(key, None)


class OnServer:
    """A real server. stack: what ends with the test."""

    lease = PATIENCE.lease

    def __init__(self, server: StoreServer, stack: AsyncExitStack) -> None:
        self._server = server
        self._stack = stack

    async def replica(self) -> RedisStore:
        """The store behind a link of its own."""
        link = RedisLink(self._server.url, PATIENCE, prefix=PREFIX)
        store = RedisStore(link, PREFIX)
        await self._stack.enter_async_context(link.open())
        assert link.is_attached
        await self._stack.enter_async_context(store.following())
        return store

    async def passes(self, seconds: float) -> None:
        """The server's clock is nobody's to turn."""
        await asyncio.sleep(seconds)

    async def spoil(self, key: Key, data: bytes) -> None:
        """Write data, and a lease that no claim left."""
        prefix = PREFIX.encode()
        await self._server.command("SET", prefix + b":v:" + key, data)
        await self._server.command("DEL", prefix + b":l:" + key)
        await self._server.command("SADD", prefix + b":l:" + key, "their own")
