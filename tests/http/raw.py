"""A caller that writes bytes and reads answers, with no library between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

PATIENCE = 10.0  # seconds; far more than any answer takes


class Answer(NamedTuple):
    """status: 0 where the connection ended in place of an answer. headers: names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


ENDED = Answer(0, {}, b"")


class Connection:
    """One connection. Nothing that it is told to send is changed or waits."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        """Write the bytes."""
        self._writer.write(data)

    async def sent(self) -> None:
        """Wait until the connection takes more; ConnectionError where it was reset."""
        async with asyncio.timeout(PATIENCE):
            await self._writer.drain()

    def send_no_more(self) -> None:
        """Close this end for writing."""
        self._writer.write_eof()

    async def read_to(self, end: bytes) -> bytes:
        """What comes up to some bytes, with them."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.readuntil(end)

    async def answer(self) -> Answer:
        """The next answer, other than 100 Continue; ENDED where the service closes instead."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._answer()
        except (asyncio.IncompleteReadError, ConnectionError):
            return ENDED

    async def to_the_end(self) -> bytes:
        """What comes until the service closes the connection; ConnectionError where it was reset."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read()

    async def rest(self) -> bytes:
        """What comes until the service closes the connection; TimeoutError where it does not."""
        try:
            return await self.to_the_end()
        except ConnectionError:
            return b""

    async def _answer(self) -> Answer:
        head = await self._reader.readuntil(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            told = headers.get(name.lower())
            headers[name.lower()] = value if told is None else f"{told}, {value}"
        status = int(status_line.split()[1])
        if status == 100:
            return await self._answer()
        return Answer(status, headers, await self._reader.readexactly(int(headers.get("content-length", 0))))


@asynccontextmanager
async def connected(port: int | None) -> AsyncIterator[Connection]:
    """A connection to a loopback port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.transport.abort()
