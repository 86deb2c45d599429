"""The streams of a replica: how many there may be, how long each lasts, and how they end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from random import uniform
from typing import NamedTuple

import msgspec
from aiohttp import hdrs, web

from service.context import REQUEST_ID
from service.errors import TrackingError
from service.http.errors import Overloaded
from service.http.event_stream import HEADERS, TEXT, EventStream, Feed, retry
from service.http.problems import CODE, problem_body, status_of

UNAVAILABLE = "unavailable"  # the event that says why there is no stream

_LONGEST = 900.0  # seconds that a stream lasts: then its caller is authenticated anew
_SHORTEST_PART = 0.9  # of that, so that those that began together do not end together
_OF_DRAIN = (0.3, 0.9)  # the part of the drain in which streams end: before it balancers send them back here
_FULL = "This replica has as many streams as it can."
_STOPPING = "This replica is about to stop."


class Opening(NamedTuple):
    """A stream that can be opened. first: what is written at once. feed: what writes to it from then on."""

    first: bytes
    feed: Feed


class Streams:
    """The streams that are open.

    limit: of their number. drain_seconds: within which they end once the replica is about to stop. clock:
    seconds, monotonic. refused: how many could not be opened. draw: a number between two.
    """

    def __init__(
        self,
        limit: int,
        drain_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[float, float], float] = uniform,
    ) -> None:
        self.limit = limit
        self.refused = 0
        self._drain_seconds = drain_seconds
        self._clock = clock
        self._draw = draw
        self._open: set[EventStream] = set()
        self._is_stopping = False

    def __len__(self) -> int:
        return len(self._open)

    async def open(self, opening: Callable[[], Awaitable[Opening]]) -> web.StreamResponse:
        """The response that streams.

        What goes by itself, such as a replica without room, is told in an event, and the stream ends: a page
        gives up for good where the status is not 200. Whatever else opening raises is raised.
        """
        try:
            if self._is_stopping or len(self) >= self.limit:
                raise Overloaded(_STOPPING if self._is_stopping else _FULL)
            first, feed = await opening()
        except TrackingError as error:
            if status_of(type(error)) < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            self.refused += 1
            return _refusal(error)
        return EventStream(retry() + first, feed, self._running, self._clock)

    def drain(self) -> None:
        """Let all end, spread over the drain; from now on none is opened."""
        self._is_stopping = True
        loop = asyncio.get_running_loop()
        for stream in self._open:
            loop.call_later(self._drain_seconds * self._draw(*_OF_DRAIN), stream.end)

    def end(self) -> None:
        """Let all end now; from now on none is opened."""
        self._is_stopping = True
        for stream in self._open:
            stream.end()

    @contextmanager
    def _running(self, stream: EventStream) -> Iterator[None]:
        lasting = _LONGEST * self._draw(_SHORTEST_PART, 1.0)
        timer = asyncio.get_running_loop().call_later(lasting, stream.end)
        self._open.add(stream)
        if self._is_stopping or len(self) > self.limit:
            stream.end()
        try:
            yield
        finally:
            self._open.discard(stream)
            timer.cancel()


def _refusal(error: TrackingError) -> web.Response:
    data = msgspec.json.encode(problem_body(error, REQUEST_ID.get()))
    body = b"%bevent: %b\ndata: %b\n\n" % (retry(), UNAVAILABLE.encode(), data)
    response = web.Response(body=body, headers={hdrs.CONTENT_TYPE: TEXT, **HEADERS})
    response[CODE] = error.code
    response.force_close()
    return response
