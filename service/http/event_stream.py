"""Server-sent events: what is written, and a response that stays open for it.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import uniform
from typing import Final, NamedTuple, Protocol

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter

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
    """Bytes for many streams. chunk: the same as a chunk of HTTP/1.1."""

    chunk: bytes

    @property
    def plain(self) -> bytes:
        """As they are."""
        return self.chunk[self.chunk.index(b"\r\n") + 2 : -2]


def framed(plain: bytes) -> Frame:
    """The frame of these bytes, of which there are some."""
    return Frame(b"%x\r\n%b\r\n" % (len(plain), plain))


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


class Sink(Protocol):
    """A stream, as whoever feeds it sees it. None of this waits for the caller."""

    def is_ready(self) -> bool:
        """Whether the caller has taken what was written, but for a little."""
        ...

    def offer(self, frame: Frame) -> bool:
        """Write a frame. False, and nothing is written, where it is not ready."""
        ...

    def end(self) -> None:
        """Let the stream end; its caller is told to come back."""
        ...


Feed = Callable[[Sink], AbstractContextManager[None]]  # writes to a stream while the context lasts


class EventStream(web.StreamResponse, Sink):
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
        self._asked_by: web.BaseRequest | None = None
        self._transport: asyncio.Transport | None = None
        self._is_chunked = True
        self._untaken_since: float | None = None
        self.over: Callable[[float], object] = _nobody

    def end(self) -> None:
        self._ended.set()

    def is_ready(self) -> bool:
        """As in Sink; a caller who has taken nothing for a while is cut off."""
        transport = self._transport
        if transport is None or transport.is_closing():
            self._ended.set()
            return False
        if transport.get_write_buffer_size() <= _MOST_UNTAKEN:
            self._untaken_since = None
            return True
        now = self._clock()
        if self._untaken_since is None:
            self._untaken_since = now
        elif now - self._untaken_since > _PATIENCE:
            transport.abort()
            self._ended.set()
        return False

    def offer(self, frame: Frame) -> bool:
        transport = self._transport
        if transport is None or not self.is_ready():
            return False
        transport.write(frame.chunk if self._is_chunked else frame.plain)
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        self._asked_by = request
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        """Stay open, and then end."""
        request, self._asked_by = self._asked_by, None
        if request is None:
            return
        began = self._clock()
        try:
            if request.method == hdrs.METH_HEAD:
                await super().write_eof(data)
            else:
                await self._stream(request)
        finally:
            self._transport = None
            self.over(self._clock() - began)

    async def _stream(self, request: web.BaseRequest) -> None:
        self._transport = transport = request.transport
        self._is_chunked = request.version >= HttpVersion11
        with self._running(self):
            if self.offer(framed(self._first)):
                with self._feed(self):
                    await self._ended.wait()
        if self.offer(framed(retry())) and transport is not None and self._is_chunked:
            transport.write(_LAST_CHUNK)


def _nobody(_seconds: float) -> None:
    pass
