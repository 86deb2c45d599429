"""Many streams of events at once, which note how old what they hear is."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.bench.machine import Server

_ANSWERED = re.compile(rb'"answered":([\d.]+)')
_SECONDS = 60.0  # that opening all of them may take


class Listeners:
    """Open streams. latencies: seconds from MLflow's answer to the event, of each event that came."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.begun = self.ended = 0


class _Stream(asyncio.Protocol):
    """One stream, by a caller that does as little as it can: it shares the machine with the service."""

    def __init__(self, listeners: Listeners, request: bytes) -> None:
        self._listeners = listeners
        self._request = request
        self._has_begun = False
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        if not self._has_begun and b"event: snapshot" in data:
            self._has_begun = True
            self._listeners.begun += 1
        self._heard += data
        told, end, rest = self._heard.rpartition(b"\n\n")
        if end:
            self._heard = rest
            self._listeners.latencies += [now - float(one) for one in _ANSWERED.findall(told)]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._listeners.ended += 1


@asynccontextmanager
async def listening(service: Server, streams: int) -> AsyncIterator[Listeners]:
    """So many streams, once all have begun."""
    host, port = urlsplit(service.url).netloc.split(":")
    request = f"GET /api/v1/tracking/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    loop, listeners = asyncio.get_running_loop(), Listeners()
    transports: list[asyncio.BaseTransport] = []
    try:
        for _ in range(streams):
            made = await loop.create_connection(lambda: _Stream(listeners, request), host, int(port))
            transports.append(made[0])
        async with asyncio.timeout(_SECONDS):
            while listeners.begun < streams:
                await asyncio.sleep(0.01)
        yield listeners
    finally:
        for transport in transports:
            transport.close()
