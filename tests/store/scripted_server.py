"""A server that speaks just enough of the Redis protocol for the link, and does what a test tells it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha1

from service.errors import StoreFailed
from service.store.link import Patience, RedisLink
from tests.resilience.measure import eventually

QUICK = Patience(answer=0.2, connect=0.5, socket=1.0, probe=0.02, settle=0.2)
LONG = QUICK._replace(probe=60.0)  # nobody looks at the server but the test
ECHO = "return ARGV[1]"


class ScriptedServer:
    """Runs each script as `answer` says: by default the beat's time and replicas, and ARGV[1] for others.

    commands: those that came, by name. keys: of scripts. logins: what came with each HELLO. connections:
    those that are open; opened: how many ever were. loaded: the scripts that it knows. held: while it is
    clear, no script is answered. pause: seconds that it waits before each answer. ahead: seconds, of our
    clock.
    """

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.keys: list[bytes] = []
        self.logins: list[list[str]] = []
        self.connections: set[asyncio.StreamWriter] = set()
        self.opened = 0
        self.loaded: dict[str, str] = {}
        self.held = asyncio.Event()
        self.held.set()
        self.pause = 0.0
        self.answer: Callable[[str, list[bytes]], bytes] = self.run
        self.replicas = 1
        self.ahead = 0.0
        self.port = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the port of before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End, with all connections, and listen no more."""
        if self._server is not None:
            self._server.close()
            self.cut()
            self._server = None
            while self.connections:
                await asyncio.sleep(0)

    def cut(self) -> None:
        """Cut all connections."""
        for writer in self.connections:
            writer.transport.abort()

    def run(self, script: str, arguments: list[bytes]) -> bytes:
        """What a script says."""
        if "TIME" in script:
            now = time.time() + self.ahead
            return b"*3\r\n:%d\r\n:%d\r\n:%d\r\n" % (int(now), int(now % 1 * 1e6), self.replicas)
        return bulk(arguments[0])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        self.opened += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                count = int((await reader.readuntil())[1:])
                parts = []
                for _ in range(count):
                    length = int((await reader.readuntil())[1:])
                    parts.append((await reader.readexactly(length + 2))[:-2])
                writer.write(await self._reply(parts))
        self.connections.discard(writer)
        writer.close()

    async def _reply(self, parts: list[bytes]) -> bytes:
        name = parts[0].decode().upper()
        self.commands.append(name)
        if name == "HELLO":
            self.logins.append([part.decode() for part in parts[3:]])
            return b"%1\r\n+proto\r\n:3\r\n"
        if name not in {"EVAL", "EVALSHA"}:
            return b"+OK\r\n"
        script = parts[1].decode()
        if name == "EVAL":
            self.loaded[sha1(script.encode(), usedforsecurity=False).hexdigest()] = script
        elif script not in self.loaded:
            return b"-NOSCRIPT No matching script.\r\n"
        else:
            script = self.loaded[script]
        first = 3 + int(parts[2])
        self.keys += parts[3:first]
        await self.held.wait()
        if self.pause:
            await asyncio.sleep(self.pause)
        return self.answer(script, parts[first:])


def bulk(data: bytes) -> bytes:
    """A text, as the protocol has it."""
    return b"$%d\r\n%s\r\n" % (len(data), data)


@asynccontextmanager
async def scripted() -> AsyncIterator[ScriptedServer]:
    """A server that listens for as long as the context lasts."""
    server = ScriptedServer()
    await server.start()
    try:
        yield server
    finally:
        server.held.set()
        await server.stop()


@asynccontextmanager
async def attached(server: ScriptedServer, patience: Patience = QUICK) -> AsyncIterator[RedisLink]:
    """A link to the server, which it has found."""
    link = RedisLink(server.url, patience, connections=2)
    async with link.open():
        assert link.is_attached, link.failures
        yield link


async def kind_of(link: RedisLink, value: str = "x", seconds: float | None = None) -> str:
    """How a script ends: ok, or the kind of failure."""
    try:
        reply = await link.run(ECHO, [], [value], seconds)
    except StoreFailed as failure:
        return failure.kind
    assert value.encode() == reply
    return "ok"


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    await eventually(is_so, lambda: "it does not come to that")
