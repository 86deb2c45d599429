"""A connection to the store of one task's own, for what takes longer than a caller may wait."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Self

from redis.asyncio.connection import AbstractConnection

from service.errors import StoreFailed
from service.store.failures import kind_of
from service.store.link import RedisLink

Command = Sequence[bytes | str | int]


class OwnConnection:
    """A connection for one task at a time; after each failure another one is made.

    patience: seconds for each reply.
    """

    def __init__(self, link: RedisLink, patience: float) -> None:
        self._link = link
        self._patience = patience
        self._connection: AbstractConnection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def run(self, *commands: Command) -> list[Any]:
        """What these commands answer, sent at once; StoreFailed where one does not, or with an error."""
        if self._connection is None and not self._link.is_attached:
            raise StoreFailed("detached")  # one that is open goes on: others being slow is no fault of its
        try:
            return await self._run(commands)
        except Exception as error:
            await self.close()
            raise self._link.failed(kind_of(error), reason=str(error)) from error
        except BaseException:  # whoever waits has left: the reply must not become another command's
            await self.close()
            raise

    async def close(self) -> None:
        """Hang up; the next command connects anew."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def _run(self, commands: Sequence[Command]) -> list[Any]:
        connection = self._connection
        # What is there before anything was asked is the end, of a server that is another one by now.
        if connection is not None and await connection.can_read():
            await self.close()
            connection = None
        if connection is None:
            pool: Any = self._link.connections(1, self._patience).connection_pool
            connection = self._connection = pool.make_connection()
            # Time-outs are set here. With one of its own redis-py sends with asyncio.wait_for, in which a
            # cancellation may get lost before Python 3.12 (https://github.com/python/cpython/issues/86296).
            connection.socket_timeout = None
            async with asyncio.timeout(self._patience):
                await connection.connect()
        async with asyncio.timeout(self._patience):
            await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        return [await self._reply(connection) for _ in commands]

    async def _reply(self, connection: AbstractConnection) -> Any:
        async with asyncio.timeout(self._patience):
            return await connection.read_response()
