"""Serves an application until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any, NamedTuple, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from service.errors import UnreadableRequest
from service.hosts import at
from service.http.closing import Closing
from service.http.listening import listening
from service.http.pipeline import ENTRANCE, UNREADABLE, Unreadable
from service.http.routing import RecalledRoutes

log = logging.getLogger("service")

_MAX_LINE = 16_384  # bytes of a request line or header: tag values of MLflow's 8,000 fit, percent-encoded
_SHUTDOWN_SECONDS = 10.0
_KEEPALIVE_SECONDS = 75.0  # longer than a load balancer keeps an idle connection to us
_BACKLOG = 1_024
_MAX_CONNECTIONS = 8_192


class SlowCallers(NamedTuple):
    """How long a connection waits for a caller, in seconds; then it is closed.

    head: for a request's line and headers, from its first byte on, or from connecting. answer: for the caller
    to take any more of an answer. How long a body may take is the deadline's business.
    """

    head: float = 10.0
    answer: float = 30.0


_SLOW_CALLERS = SlowCallers()


class _Protocol(RequestHandler):
    """aiohttp's own, with an end to slow callers and our answer to what cannot be read.

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
        **kwargs: Any,
    ) -> None:
        super().__init__(manager, **kwargs)
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
        return self._unreadable(cast("web.Request", request))  # by the application's own factory


def _bound_unread(transport: asyncio.BaseTransport, seconds: float) -> None:
    """Have the kernel end a connection whose caller takes nothing more of what was sent for so long."""
    connection = transport.get_extra_info("socket")
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; tcp(7)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1_000))


class _Server(web.Server):
    """Makes a protocol for each connection, up to so many."""

    def __init__(
        self, made: web.Server, app: web.Application, max_connections: int, slow: SlowCallers
    ) -> None:
        super().__init__(
            app[ENTRANCE].before(RecalledRoutes().before(made.request_handler)),  # type: ignore[arg-type] # it makes web.Request
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            **made._kwargs,  # noqa: SLF001 - the arguments for each connection's protocol
        )
        self._unreadable = app[UNREADABLE]
        self._max_connections = max_connections
        self._slow = slow
        self._closing = Closing()

    def __call__(self) -> RequestHandler:
        return _Protocol(
            self,
            unreadable=self._unreadable,
            slow=self._slow,
            closing=self._closing,
            loop=self._loop,
            **self._kwargs,
        )

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - aiohttp's signature
        await super().shutdown(timeout)
        await self._closing.end()

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._connections) > self._max_connections:
            transport.abort()


class Runner(web.AppRunner):
    """aiohttp's runner with our protocol and our entrance, which it has no public places for."""

    __slots__ = ("_max_connections", "_slow")

    def __init__(
        self,
        app: web.Application,
        *,
        max_connections: int = _MAX_CONNECTIONS,
        slow: SlowCallers = _SLOW_CALLERS,
        **kwargs: Any,
    ) -> None:
        super().__init__(app, **kwargs)
        self._max_connections = max_connections
        self._slow = slow

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made, self.app, self._max_connections, self._slow)


def _nothing() -> None:
    """What an application does at SIGTERM that has nobody to tell."""


class Stopping(NamedTuple):
    """How serving ends.

    drain: called at SIGTERM; from then on requests are taken for drain_seconds more, so that load balancers
    notice, and those then in flight have finish_seconds.
    """

    drain: Callable[[], object] = _nothing
    drain_seconds: float = 0.0
    finish_seconds: float = _SHUTDOWN_SECONDS


_AT_ONCE = Stopping()


async def serve(
    app: web.Application,
    hosts: Sequence[str],
    port: int,
    ready: Callable[[str], Awaitable[object]],
    *,
    stopping: Stopping = _AT_ONCE,
    max_connections: int = _MAX_CONNECTIONS,
    reuse_port: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, then let the requests in flight finish.

    ready: told the first address, once all are listened on. A second signal cuts the draining short.
    reuse_port: other processes may listen on the port, too. ListenError where it cannot be listened on.
    """
    terminated, interrupted = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupted.set)

    def terminate() -> None:
        (interrupted if terminated.is_set() else terminated).set()

    loop.add_signal_handler(signal.SIGTERM, terminate)
    runner = Runner(
        app,
        access_log=None,
        handler_cancellation=True,  # a caller who hangs up ends its handler
        auto_decompress=False,  # no route takes a compressed body
        max_line_size=_MAX_LINE,
        max_field_size=_MAX_LINE,
        shutdown_timeout=stopping.finish_seconds,
        keepalive_timeout=_KEEPALIVE_SECONDS,
        max_connections=max_connections,
    )
    await runner.setup()
    try:
        for one in await listening(hosts, port, reuse_port=reuse_port):
            await web.SockSite(runner, one, backlog=_BACKLOG).start()
        log.info("listening on %s", ", ".join(at(host, port) for host, port, *_ in runner.addresses))
        gc.collect()
        gc.freeze()  # what start-up made stays: the collector need not look at it again and again
        await _until_first(
            (terminated, interrupted), ready(f"http://{at(_openable(hosts[0]), runner.addresses[0][1])}")
        )
        if not interrupted.is_set():
            log.info(
                "draining: for %g s requests are still taken, and /readyz says no", stopping.drain_seconds
            )
            stopping.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(stopping.drain_seconds):
                    await interrupted.wait()
        log.info("stopping: no new connections; requests in flight finish")
    finally:
        await runner.cleanup()


async def _until_first(events: Iterable[asyncio.Event], meanwhile: Awaitable[object]) -> None:
    """Wait for the first of the events. What goes on meanwhile delays nothing, and raises what it raises."""
    ongoing = asyncio.ensure_future(meanwhile)
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait([ongoing, *waits], return_when=asyncio.FIRST_COMPLETED)
        if ongoing.done():
            await ongoing
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (ongoing, *waits):
            task.cancel()


def _openable(host: str) -> str:
    # An address that a person can open: nobody connects to "all of them".
    return {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)  # noqa: S104 - shown, not bound
