"""Closes a connection in a way that lets its caller read the last answer (RFC 9112, section 9.6).

When a socket is closed while its caller still sends, the kernel answers with a reset, and a caller who gets a
reset loses what it has not read yet. So the connection is closed for writing first, and what still comes is
read and thrown away.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from typing import NamedTuple

_READ_AT_ONCE = 65_536  # bytes


class Patience(NamedTuple):
    """How long a caller may go on sending: seconds and bytes, and how many callers at a time."""

    seconds: float = 5.0
    received: int = 33_554_432
    callers: int = 256


_PATIENCE = Patience()


class Closing:
    """The connections that are closed for writing and whose callers have not closed them yet."""

    def __init__(self, patience: Patience = _PATIENCE) -> None:
        self._patience = patience
        self._reading: set[asyncio.Task[None]] = set()
        self._buffer = bytearray(_READ_AT_ONCE)  # nobody looks at what is in it
        self._ended = False

    def take(self, transport: asyncio.BaseTransport) -> None:
        """Keep a connection from the transport that closes now: to be called in its `connection_lost`.

        It is not kept where too many are already, or where no file descriptor is left.
        """
        if self._ended or self.kept >= self._patience.callers:
            return
        try:
            connection = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        except OSError:
            return
        connection.setblocking(False)
        reading = asyncio.get_running_loop().create_task(self._close(connection))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)

    @property
    def kept(self) -> int:
        """How many connections that is."""
        return len(self._reading)

    async def end(self) -> None:
        """Close all that are left, and take no more."""
        self._ended = True
        for reading in self._reading:
            reading.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    async def _close(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        left = self._patience.received
        with connection, suppress(OSError):  # TimeoutError is one; a caller who has gone is another
            connection.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(self._patience.seconds):
                while left > 0 and (received := await loop.sock_recv_into(connection, self._buffer)):
                    left -= received
