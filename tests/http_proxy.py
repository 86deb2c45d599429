"""A forward proxy that takes every request to one local server, whatever host it is meant for."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class HttpProxy:
    """heads: those of the requests that arrived, CONNECT among them. credentials: `user:password` to ask for.

    refusing: a status with which every request is answered instead.
    """

    def __init__(self, target: int, credentials: str = "", refusing: str = "") -> None:
        self.heads: list[str] = []
        self.url = ""
        self._target = target
        self._wanted = base64.b64encode(credentials.encode()).decode()
        self._refusing = refusing or ("407 Proxy Authentication Required" if credentials else "")

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["HttpProxy"]:
        """Listen on a free loopback port."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            is_known = self._wanted and f"proxy-authorization: basic {self._wanted}".lower() in head.lower()
            if self._refusing and not is_known:
                writer.write(f"HTTP/1.1 {self._refusing}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
            else:
                await self._forward(head, reader, writer)
        writer.close()

    async def _forward(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", self._target)
        method, address, _ = head.split(" ", 2)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            outer.write(head.replace(address, "/" + address.split("/", 3)[3], 1).encode())
        await asyncio.gather(_copy(reader, outer), _copy(inner, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    writer.close()
