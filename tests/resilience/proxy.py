"""A small TCP proxy on loopback that breaks what passes through it, byte by byte.

    async with FaultProxy(fake.url) as proxy:
        ...  # let the code under test talk to proxy.url
        proxy.behaviour = reset_inside

What concerns a whole HTTP reply is FakeMlflow.before's business; here are the faults that have no status.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, Self

from yarl import URL

_CHUNK = 65_536
_DRIP = 0.05  # seconds between two bytes
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: close() sends RST


class Wire(NamedTuple):
    """A connection of the caller's, and the server that it means to reach."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    upstream: URL

    async def exchanged(self) -> tuple[bytes, bytes]:
        """Pass one request on: head and body of its reply, which has a Content-Length."""
        request = await self.reader.readuntil(b"\r\n\r\n")
        request += await self.reader.readexactly(_length(request))
        reader, writer = await asyncio.open_connection(self.upstream.host, self.upstream.port)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            return head, await reader.readexactly(_length(head))
        finally:
            writer.close()

    def reset(self) -> None:
        """Break the connection, with an RST rather than an end."""
        connection: socket.socket = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        self.writer.transport.abort()


Behaviour = Callable[[Wire], Awaitable[None]]


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0


async def forward(wire: Wire) -> None:
    """Do no harm."""
    reader, writer = await asyncio.open_connection(wire.upstream.host, wire.upstream.port)

    async def pump(one: asyncio.StreamReader, other: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await one.read(_CHUNK):
                other.write(data)
                await other.drain()
        other.close()

    try:
        await asyncio.gather(pump(wire.reader, writer), pump(reader, wire.writer))
    finally:
        writer.close()


async def never_speak(wire: Wire) -> None:
    """Take all that comes and answer nothing."""
    while await wire.reader.read(_CHUNK):
        pass


async def half_open(wire: Wire) -> None:
    """Be gone without a word: what comes is not even read."""
    await asyncio.Event().wait()


async def half_closed(wire: Wire) -> None:
    """End one's own side before the reply, and go on listening."""
    await wire.reader.readuntil(b"\r\n\r\n")
    wire.writer.write_eof()
    await never_speak(wire)


async def reset_before(wire: Wire) -> None:
    """Break the connection when the request is there."""
    await wire.reader.readuntil(b"\r\n\r\n")
    wire.reset()


async def reset_at_once(wire: Wire) -> None:
    """Break the connection before anything is said."""
    wire.reset()


async def reset_inside(wire: Wire) -> None:
    """Break the connection in the middle of the body."""
    head, body = await wire.exchanged()
    wire.writer.write(head + body[: len(body) // 2])
    await wire.writer.drain()
    wire.reset()


async def truncate(wire: Wire) -> None:
    """End the connection in the middle of the body."""
    head, body = await wire.exchanged()
    wire.writer.write(head + body[: len(body) // 2])


async def truncate_head(wire: Wire) -> None:
    """End the connection in the middle of the head."""
    head, _ = await wire.exchanged()
    wire.writer.write(head[: len(head) // 2])


async def drip(wire: Wire) -> None:
    """Answer a byte at a time: there is never silence, and never an end."""
    head, body = await wire.exchanged()
    wire.writer.write(head)
    for byte in body:
        wire.writer.write(bytes([byte]))
        await wire.writer.drain()
        await asyncio.sleep(_DRIP)


async def babble(wire: Wire) -> None:
    """Speak another protocol."""
    await wire.reader.readuntil(b"\r\n\r\n")
    wire.writer.write(b"SSH-2.0-OpenSSH_9 s3cret-words-of-mlflow\r\n\r\n")


class FaultProxy:
    """Listens on loopback and does with each connection as it is told. Use as an async context manager."""

    def __init__(self, upstream: str, behaviour: Behaviour = forward) -> None:
        self._upstream = URL(upstream)
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._behaviour = behaviour
        self.port = 0
        self.connections = 0

    @property
    def url(self) -> str:
        """Where it listens, with a slash at its end."""
        return f"http://127.0.0.1:{self.port}/"

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.refuse()

    async def behave(self, behaviour: Behaviour) -> None:
        """From now on; the connections that are open break."""
        await self._hang_up()
        self._behaviour = behaviour

    async def listen(self) -> None:
        """Take connections, on the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Take no connections, and break those that are open, as a process does that dies."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._hang_up()

    async def _hang_up(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(Wire(reader, writer, self._upstream)))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        task.add_done_callback(lambda _: writer.close())  # it may be cancelled before it begins

    async def _serve(self, wire: Wire) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._behaviour(wire)
        finally:
            wire.writer.close()
            with suppress(ConnectionError):
                await wire.writer.wait_closed()


@contextmanager
def deaf_listener() -> Iterator[str]:
    """The address of a listener that accepts nobody: its queue is full, so not even connecting succeeds."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            for one in waiting:
                one.close()
