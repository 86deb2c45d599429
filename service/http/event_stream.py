"""Server-sent events: what is written, and a response that stays open for it.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import uniform
from typing import Final, NamedTuple

from aiohttp import HttpVersion11, hdrs, web

TEXT: Final = "text/event-stream"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "X-Accel-Buffering": "no",  # nginx keeps nothing back then
}

_RETRY_MS = (500, 3_000)  # that a caller waits before it comes back: not all at once
_MOST_UNTAKEN = 65_536  # bytes that a caller has not taken, above which it gets no more
_PATIENCE = 30.0  # seconds that it may take nothing
_LAST_CHUNK = b"0\r\n\r\n"  # RFC 9112, 7.1


class Frame(NamedTuple):
    """Bytes for many streams, as they are and as a chunk of HTTP/1.1."""

    plain: bytes
    chunk: bytes


def framed(plain: bytes) -> Frame:
    """The frame of these bytes, of which there are some."""
    return Frame(plain, b"%x\r\n%b\r\n" % (len(plain), plain))


def event(name: str, data: bytes, position: str) -> bytes:
    """One event. data: JSON, which has no line breaks. position: where a caller goes on behind it."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (position.encode(), name.encode(), data)


def retry() -> bytes:
    """How long to wait before coming back, drawn for each caller."""
    return b"retry: %d\n\n" % uniform(*_RETRY_MS)  # noqa: S311 - it only spreads them


COMMENT: Final = framed(b":\n\n")


def told_position(position: str) -> Frame:
    """A comment that also says where a caller goes on: an id without data is no event, and is remembered."""
    return framed(b":\nid: %b\n\n" % position.encode())


Feed = Callable[["EventStream"], AbstractContextManager[None]]


class EventStream(web.StreamResponse):
    """A response that stays open until it is ended, or its caller leaves.

    first: what is written at once. feed: writes to the stream while its context lasts. running: a context
    around all of that. over: told of the seconds that it was open. clock: seconds, monotonic.

    The response streams after its handler has answered, so that it holds none of the places of requests.
    """

    def __init__(
        self,
        first: bytes,
        feed: Feed,
        running: Callable[[EventStream], AbstractContextManager[None]],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(headers={hdrs.CONTENT_TYPE: TEXT, **HEADERS})
        self.force_close()  # an idle connection of a stream is of no use to anybody
        self._first = first
        self._feed = feed
        self._running = running
        self._clock = clock
        self._ended = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._is_chunked = True
        self._untaken_since: float | None = None
        self.over: Callable[[float], object] = _nobody

    def end(self) -> None:
        """Let the stream end; its caller is told to come back."""
        self._ended.set()

    def offer(self, frame: Frame) -> bool:
        """Write a frame, and wait for nobody. False, and nothing is written, where the caller is too slow."""
        transport = self._transport
        if transport is None or transport.is_closing():
            self._ended.set()
            return False
        if transport.get_write_buffer_size() > _MOST_UNTAKEN:
            self._bear_with(transport)
            return False
        self._untaken_since = None
        transport.write(frame.chunk if self._is_chunked else frame.plain)
        return True

    async def write_eof(self, data: bytes = b"") -> None:
        """Stay open, and then end. ConnectionResetError where the caller has gone."""
        request = self._req
        if self._eof_sent or request is None:
            return
        if request.method == hdrs.METH_HEAD:
            await super().write_eof(data)
            return
        if request.transport is None or request.transport.is_closing():
            raise ConnectionResetError("the caller has gone")
        self._transport = request.transport
        self._is_chunked = request.version >= HttpVersion11
        began = self._clock()
        try:
            with self._running(self):
                self.offer(framed(self._first))
                with self._feed(self):
                    await self._ended.wait()
                self._untaken_since = None
                self.offer(framed(retry()))
                self._finish(self._transport)
        finally:
            self._eof_sent = True
            self._transport = None
            self.over(self._clock() - began)

    def _finish(self, transport: asyncio.Transport) -> None:
        if self._is_chunked and not transport.is_closing():
            transport.write(_LAST_CHUNK)

    def _bear_with(self, transport: asyncio.Transport) -> None:
        now = self._clock()
        if self._untaken_since is None:
            self._untaken_since = now
        elif now - self._untaken_since > _PATIENCE:
            transport.abort()
            self._ended.set()


def _nobody(_seconds: float) -> None:
    pass
