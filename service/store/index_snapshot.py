"""The snapshot of an index in the store: in chunks, so that neither side holds the other up."""

from __future__ import annotations

from hashlib import blake2b
from secrets import token_hex
from typing import Final, NamedTuple

from service.index.shared.log import Deposed
from service.store import index_scripts as scripts
from service.store.link import RedisLink
from service.store.own_connection import OwnConnection

CHUNK: Final = 2**20  # bytes
_MOST_BYTES: Final = 4 * 2**30
_STEP_SECONDS: Final = 5.0  # of silence, for each chunk
_WRITTEN_SECONDS: Final = 300  # within which all chunks are there, or none is kept
_KEPT_SECONDS: Final = 15  # for which the chunks of the one before stay, for who reads them
_DIGEST_BYTES: Final = 32
_TRIALS: Final = 3


class IndexSnapshot:
    """The snapshot under one key, whose chunks have keys of their own, as they come: not compressed.

    zlib makes those of 100,000 runs half as large, 26 of 51 MB, for 1.1 s of the writer's processor and
    0.25 s of each reader's, which is longer than the network takes for the other half.
    """

    def __init__(self, link: RedisLink, writer: bytes, index: bytes, key: bytes, owner: str) -> None:
        self._link = link
        self._fence = (writer, index)
        self._key = key
        self._owner = owner
        self.kept_ms = _KEPT_SECONDS * 1_000

    async def put(self, epoch: str, number: int, data: bytes) -> None:
        """Keep this one in place of the one before; Deposed."""
        async with OwnConnection(self._link, _STEP_SECONDS) as connection:
            await self._put(connection, epoch, number, data)

    async def get(self) -> tuple[str, int, bytes] | None:
        """Epoch, number and data of the one that is there; None where none is whole."""
        async with OwnConnection(self._link, _STEP_SECONDS) as connection:
            for _ in range(_TRIALS):
                head = await self._head(connection)
                if head is None:
                    return None
                data = await self._data(connection, head)
                if data is not None:
                    return head.epoch, head.number, data
                # Another one may be there by now; where it is the same, it is damaged.
                await connection.run(("EVAL", scripts.DROP_SNAPSHOT, 1, self._key, head.token))
        return None

    async def _put(self, connection: OwnConnection, epoch: str, number: int, data: bytes) -> None:
        token, digest, view = token_hex(8), blake2b(digest_size=_DIGEST_BYTES), memoryview(data)

        async def write(script: str, key: bytes, *values: bytes | str | int) -> int:
            command = ("EVAL", script, 3, *self._fence, key, self._owner, epoch, *values)
            [reply] = await connection.run(command)
            if reply is None:
                raise Deposed
            return int(reply)

        chunks = [view[at : at + CHUNK] for at in range(0, len(view), CHUNK)] or [view]
        for at, chunk in enumerate(chunks):
            digest.update(chunk)
            key = self._chunk(token.encode(), at)
            await write(scripts.PUT_CHUNK, key, bytes(chunk), _WRITTEN_SECONDS * 1_000)
        values = (number, token, len(data), digest.digest(), len(chunks), self.kept_ms)
        if not await write(scripts.PUT_SNAPSHOT, self._key, *values):
            raise self._link.failed(
                "error", reason="a part of the snapshot was gone before the last was there"
            )

    async def _head(self, connection: OwnConnection) -> _Head | None:
        names = ("epoch", "number", "token", "bytes", "digest", "chunks")
        [values] = await connection.run(("HMGET", self._key, *names))
        try:
            epoch, number, token, size, digest, chunks = values
            head = _Head(epoch.decode(), int(number), token, int(size), digest)
            return head if 0 <= head.size <= _MOST_BYTES and head.chunks == int(chunks) else None
        except (AttributeError, TypeError, ValueError):  # there is none, or it is no head of ours
            return None

    async def _data(self, connection: OwnConnection, head: _Head) -> bytes | None:
        """The data; None where a chunk is not there, or is another one."""
        digest, data = blake2b(digest_size=_DIGEST_BYTES), bytearray()
        for at in range(head.chunks):
            # No more is read than a chunk may have, whatever is there.
            [chunk] = await connection.run(("GETRANGE", self._chunk(head.token, at), 0, CHUNK))
            digest.update(chunk)
            data += chunk
            if len(data) != min(head.size, (at + 1) * CHUNK):
                return None
        return bytes(data) if digest.digest() == head.digest else None

    def _chunk(self, token: bytes, at: int) -> bytes:
        return b"%b:%b:%d" % (self._key, token, at)


class _Head(NamedTuple):
    epoch: str
    number: int
    token: bytes
    size: int
    digest: bytes

    @property
    def chunks(self) -> int:
        return max(1, -(-self.size // CHUNK))
