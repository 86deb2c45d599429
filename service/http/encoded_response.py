"""A response whose head and body are bytes already.

aiohttp makes each response's head anew: a dictionary of headers filled, checked and written out, a third of
what a hot answer costs. Here the part that never changes is made once, with the representation, and the rest
is a line or two. To aiohttp it is a response like any other, and what is set in `headers` is sent, too.
"""

from __future__ import annotations

from typing import Any

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import HttpVersion10

from service.answer import Answer

_JOINED_UP_TO = 4_096  # bytes of a body that is copied behind its head rather than sent beside it


class EncodedResponse(web.StreamResponse):
    """head: status line and headers, each with its CRLF, Content-Length included; no Date, no empty line.

    reading: where the answer came from, for whoever observes.
    """

    def __init__(self, status: int, head: bytes, body: bytes, reading: Answer[Any] | None = None) -> None:
        # Not super().__init__: all that it would set is for making a head.
        self._state: dict[Any, Any] = {}
        self._headers: dict[str, str] = {}  # type: ignore[assignment] # what is added is few and of one case
        self._status = status
        self._head = head
        self._bytes = body
        self.reading = reading

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Bind the response to its request; nothing is written yet."""
        self._req = request
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        return None

    async def write_eof(self, data: bytes = b"") -> None:  # noqa: ARG002 - aiohttp's signature
        """Send head and body. ConnectionResetError where the caller has gone."""
        request = self._req
        if self._eof_sent or request is None:
            return
        self._eof_sent = True
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the caller has gone")
        lines = f"Date: {rfc822_formatted_time()}\r\n"
        for name, value in self._headers.items():
            lines += f"{name}: {value}\r\n"
        if not self._keep_alive:
            lines += "Connection: close\r\n"
        elif request.version == HttpVersion10:
            lines += "Connection: keep-alive\r\n"
        lines += "\r\n"
        head, body = lines.encode("latin-1"), b"" if request.method == hdrs.METH_HEAD else self._bytes
        if len(body) <= _JOINED_UP_TO:
            transport.write(b"".join((self._head, head, body)))
        else:
            transport.writelines((self._head, head, body))
        await request.writer.drain()
