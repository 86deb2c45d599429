"""Everything that relies on private parts of aiohttp: a connection, and a response of ready-made bytes.

No other file names a private part, and tests/http/test_aiohttp_internals.py lists those named here.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import HttpVersion10
from aiohttp.web_protocol import _ErrInfo

from service.http.closing import Closing
from service.http.errors import UnreadableRequest

log = logging.getLogger("service")

_JOINED_UP_TO = 4_096  # bytes of a body that is copied behind its head rather than sent beside it
_PART = 1_048_576  # bytes of a larger body that are handed over before the caller has taken some

_REASONS = {status.value: status.phrase for status in HTTPStatus}

Unreadable = Callable[[web.BaseRequest], web.StreamResponse]  # answers what is no HTTP request


class SlowCallers(NamedTuple):
    """How long a connection waits for a caller, in seconds; then it is closed.

    head: for a request's line and headers, from its first byte on, or from connecting. answer: for the caller
    to take any more of an answer. How long a body may take is the deadline's business.
    """

    head: float = 10.0
    answer: float = 30.0


class Connection(web.RequestHandler):
    """A caller's connection: aiohttp's own, which also ends slow callers and answers what it cannot read.

    aiohttp's waits for a head as long as for the next request, its keep-alive time; whoever reads a body is
    not told that its chunks are wrong; and it closes while a caller still sends, who then loses the answer.
    """

    __slots__ = ("_closing", "_head_end", "_head_of", "_slow", "_still_sends", "_unreadable")

    def __init__(
        self,
        manager: web.Server,
        *,
        unreadable: Unreadable,
        slow: SlowCallers,
        closing: Closing,
        **options: Any,
    ) -> None:
        super().__init__(manager, **options)
        self._unreadable = unreadable
        self._slow = slow
        self._closing = closing
        self._still_sends = False  # whether the caller may not have sent all of what was answered
        self._head_of = 0  # how many requests came before the one whose head is waited for
        self._head_end: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        _bound_unread(transport, self._slow.answer)
        self._expect_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._head_end.cancel()
        if exc is None and self.transport is not None and (self._still_sends or self._messages):
            self._closing.take(self.transport)
        super().connection_lost(exc)

    def close(self) -> None:
        # Called where a body has not come in time, after a request for another protocol, and when the service
        # stops.
        self._still_sends = True
        super().close()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        waiter = self._waiter
        if waiter is None:
            self._end_broken_body()
        elif not waiter.done() and self._head_of != self._request_count:
            self._head_end.cancel()
            self._expect_head()

    def _expect_head(self) -> None:
        self._head_of = self._request_count
        self._head_end = self._loop.call_later(self._slow.head, self._end_slow_head)

    def _end_slow_head(self) -> None:
        if self._head_of == self._request_count:
            self.force_close()

    def _end_broken_body(self) -> None:
        """Tell whoever reads a body that it has broken off in an error, which waits among the messages."""
        if not self._messages or not isinstance(self._messages[-1][0], _ErrInfo):
            return
        if len(self._messages) > 1:
            body = self._messages[-2][1]
        elif self._current_request is not None:
            body = self._current_request.content
        else:
            return
        if not body.is_eof():
            body.set_exception(UnreadableRequest("The request body is not framed as HTTP wants it."))
            self._lingering_time = 0.0  # there is no rest of it to wait for

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return super().handle_error(request, status, exc, message)
        self._still_sends = True
        log.info("a request from %s is unreadable: %s", request.remote, type(exc).__name__)
        return self._unreadable(request)


def _bound_unread(transport: asyncio.BaseTransport, seconds: float) -> None:
    """Have the kernel end a connection whose caller takes nothing more of what was sent for so long."""
    connection = transport.get_extra_info("socket")
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; tcp(7)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1_000))


class EncodedResponse(web.StreamResponse):
    """A response whose head and body are bytes already.

    aiohttp makes each response's head anew: a dictionary of headers filled, checked and written out, a third
    of what a hot answer costs. Here the part that never changes is made once, with the representation, and
    the rest is a line or two. To aiohttp it is a response like any other, and what is set in `headers` is
    sent, too.

    head: status line and headers, each with its CRLF, Content-Length included; no Date, no empty line.
    cache, waited: the Cache-Status, and the seconds that it waited for MLflow, for whoever observes.
    """

    def __init__(
        self, status: int, head: bytes, body: bytes, *, cache: str = "", waited: float = 0.0
    ) -> None:
        # All that super().__init__ sets, but for a dictionary that takes names in any case: 0.6 µs of 60.
        self._state: dict[Any, Any] = {}
        self._headers: dict[str, str] = {}  # type: ignore[assignment] # what is added is few and of one case
        self._status = status
        self._reason = _REASONS[status]
        self._head = head
        self._bytes = body
        self.cache = cache
        self.waited = waited

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Bind the response to its request; nothing is written yet."""
        self._req = request
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        self._payload_writer = writer = request.writer
        return writer

    async def write_eof(self, data: bytes = b"") -> None:  # noqa: ARG002 - aiohttp's signature
        """Send head and body. ConnectionResetError where the caller has gone."""
        request, writer = self._req, self._payload_writer
        if self._eof_sent or request is None or writer is None:
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
        elif len(body) <= _PART:
            transport.writelines((self._head, head, body))
        else:  # asyncio copies what it cannot send at once: of a large body only a part at a time
            transport.writelines((self._head, head))
            parts = memoryview(body)
            for start in range(0, len(body), _PART):
                if transport.is_closing():
                    raise ConnectionResetError("the caller has gone")
                transport.write(parts[start : start + _PART])
                await writer.drain()
        await writer.drain()
