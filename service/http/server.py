"""Serves until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from aiohttp import web

from service.hosts import at
from service.http.aiohttp_internals import Connection, SlowCallers, Unreadable
from service.http.closing import Closing
from service.http.handler import Respond
from service.http.listening import listening

log = logging.getLogger("service")

MAX_LINE = 16_384  # bytes of a request line or header: tag values of MLflow's 8,000 fit, percent-encoded
SHUTDOWN_SECONDS = 10.0
KEEPALIVE_SECONDS = 75.0  # longer than a load balancer keeps an idle connection to us
_BACKLOG = 1_024
_MAX_CONNECTIONS = 8_192
_SLOW_CALLERS = SlowCallers()
_OPTIONS: Mapping[str, Any] = {
    "access_log": None,
    "auto_decompress": False,  # no route takes a compressed body
    "max_line_size": MAX_LINE,
    "max_field_size": MAX_LINE,
    "keepalive_timeout": KEEPALIVE_SECONDS,
}


class Server(web.Server):
    """aiohttp's low-level server, made to stand in the open.

    respond: answers each request. unreadable: answers what is no HTTP request. Connections above
    max_connections are closed at once. options: what aiohttp's `web.Server` takes, beyond the service's own.
    To be made in the event loop that serves.
    """

    def __init__(
        self,
        respond: Respond,
        unreadable: Unreadable,
        *,
        slow: SlowCallers = _SLOW_CALLERS,
        max_connections: int = _MAX_CONNECTIONS,
        **options: Any,
    ) -> None:
        super().__init__(respond, handler_cancellation=True)  # a caller who hangs up ends its handler
        self._max_connections = max_connections
        self._closing = Closing()
        self._make_connection = partial(
            Connection,
            self,
            unreadable=unreadable,
            slow=slow,
            closing=self._closing,
            loop=asyncio.get_running_loop(),
            **{**_OPTIONS, **options},
        )

    def __call__(self) -> web.RequestHandler:
        return self._make_connection()

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - aiohttp's signature
        await super().shutdown(timeout)
        await self._closing.end()

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self.connections) > self._max_connections:
            transport.abort()


def _nothing() -> None:
    """What is done at the end where nobody has to be told."""


class Stopping(NamedTuple):
    """How serving ends.

    drain: called at SIGTERM; from then on requests are taken for drain_seconds more, so that load balancers
    notice. end_streams: called then, or at SIGINT; requests in flight have finish_seconds more.
    """

    drain: Callable[[], object] = _nothing
    end_streams: Callable[[], object] = _nothing
    drain_seconds: float = 0.0
    finish_seconds: float = SHUTDOWN_SECONDS


_AT_ONCE = Stopping()


async def serve(
    respond: Respond,
    unreadable: Unreadable,
    hosts: Sequence[str],
    port: int,
    ready: Callable[[str], Awaitable[object]],
    *,
    stopping: Stopping = _AT_ONCE,
    max_connections: int = _MAX_CONNECTIONS,
    reuse_port: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, then let the requests in flight finish.

    respond, unreadable, max_connections: as of `Server`.
    ready: told the first address, once all are listened on. A second signal cuts the draining short.
    reuse_port: other processes may listen on the port, too. ListenError where it cannot be listened on.
    """
    terminated, interrupted = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupted.set)

    def terminate() -> None:
        (interrupted if terminated.is_set() else terminated).set()

    loop.add_signal_handler(signal.SIGTERM, terminate)
    server = Server(respond, unreadable, max_connections=max_connections)
    runner = web.ServerRunner(server, shutdown_timeout=stopping.finish_seconds)
    await runner.setup()
    try:
        for one in await listening(hosts, port, reuse_port=reuse_port):
            await web.SockSite(runner, one, backlog=_BACKLOG).start()
        log.info("listening on %s", ", ".join(at(host, port) for host, port, *_ in runner.addresses))
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
        stopping.end_streams()
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
