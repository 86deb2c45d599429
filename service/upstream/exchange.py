"""One request to MLflow and its answer, over one pooled session: what goes wrong is an UpstreamFailure."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Self, TypeVar

import aiohttp
from yarl import URL

from service import errors
from service.checkpoint import checkpoint
from service.context import TRACE
from service.upstream import wire
from service.upstream.access import Access
from service.upstream.body import BodyReader, NoRoomError, TooLargeError
from service.upstream.verdict import Away, NotMlflow, OwnLack, check, unreadable
from service.upstream.wording import Mask

T = TypeVar("T")
Ask = Callable[..., AbstractAsyncContextManager[aiohttp.ClientResponse]]  # as a session's `request`

_API = "api/2.0/mlflow/"
_LARGE = 65_536  # bytes of an answer that takes about a quarter of a millisecond to read
_LONGEST_LINE = 65_536  # bytes of a header: proxies add policies, links and cookies of tens of kilobytes
_MOST_HEADERS = 512
_TOO_LONG = "Got more than"  # so begins what aiohttp says of a longer one
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)
_NO_MEANS = (errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM)


class Bounds(NamedTuple):
    """connections: at once. keepalive: seconds that an idle one is kept. largest: bytes of an answer.

    patience: seconds for which an answer waits while others take all memory.
    """

    connections: int
    keepalive: float
    largest: int
    patience: float
    timeout: aiohttp.ClientTimeout


class Exchange:
    """Puts single requests to MLflow. Use as an async context manager.

    base: MLflow's address; a path in it (a proxy's prefix) is kept. access: how it is reached. around: what
    stands around each request, for whoever traces.
    """

    def __init__(
        self,
        base: str,
        bounds: Bounds,
        *,
        access: Access,
        around: Callable[[Ask], Ask] | None,
    ) -> None:
        self._base = URL(base.rstrip("/") + "/")  # aiohttp drops a prefix that does not end in a slash
        self._bounds = bounds
        self._access = access
        self._around = around
        self._intake = BodyReader(bounds.largest, bounds.patience)
        self._session: aiohttp.ClientSession | None = None
        self._ask: Ask | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            self._base,
            proxy=self._access.proxy,
            connector=aiohttp.TCPConnector(
                limit=self._bounds.connections,
                keepalive_timeout=self._bounds.keepalive,
                ssl=self._access.ssl_context or True,
            ),
            timeout=self._bounds.timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            max_headers=_MOST_HEADERS,
        )
        ask = self._session.request
        self._ask = ask if self._around is None else self._around(ask)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def make(
        self,
        method: str,
        endpoint: str,
        read: Callable[[wire.Body], Any],
        seconds: float,
        request: Mapping[str, Any],
    ) -> Any:
        """What `read` makes of the answer, be it in turns; it has so many seconds to come."""
        if self._ask is None:
            raise RuntimeError("the door is used outside its context")
        headers = {**self._access.shown(), **(TRACE.get() or {})}
        mask = Mask(headers)
        try:
            async with (
                asyncio.timeout(seconds),
                self._ask(
                    method, _API + endpoint, headers=headers, allow_redirects=False, **request
                ) as response,
            ):
                body = await self._intake.read(response)
        except TooLargeError as error:
            raise errors.UpstreamTooLarge(f"{endpoint}: {error}") from error
        except NoRoomError as error:
            raise OwnLack(f"{endpoint}: {error}; see TRACKING_UPSTREAM__MAX_BODY_BYTES") from error
        except TimeoutError as error:  # before ClientError: aiohttp's time-outs are both
            raise errors.UpstreamTimeout(f"{endpoint}: {_describe(error)}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _translated(endpoint, error, mask) from error
        check(endpoint, response.status, response.headers, body, mask)
        if len(body) > _LARGE:
            await checkpoint()  # reading it takes a while: others first
        try:
            result = read(body)
            return await _in_turns(result) if isinstance(result, Generator) else result
        except wire.WireError as error:
            raise unreadable(endpoint, response.headers, body, error, mask) from error


def _translated(endpoint: str, error: Exception, mask: Mask) -> errors.UpstreamFailure:
    said = f"{endpoint}: {mask(_describe(error))}"
    if isinstance(error, aiohttp.ClientResponseError) and error.message.startswith(_TOO_LONG):
        return NotMlflow(f"{endpoint}: a header of the answer is longer than {_LONGEST_LINE} bytes")
    if isinstance(error, OSError) and _lacks_descriptors(error):
        return OwnLack(f"{said}: raise this process's limit of open files (ulimit -n)")
    if isinstance(error, OSError) and error.errno in _NO_MEANS:
        return OwnLack(said)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Away(said)
    return errors.UpstreamError(said)


def _lacks_descriptors(error: OSError) -> bool:
    if error.errno in _NO_DESCRIPTOR:
        return True
    # A name that cannot be looked up for want of a descriptor is reported as a failure of the name service.
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorDNSError) else error
    if not isinstance(cause, socket.gaierror):
        return False
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as own:
        return own.errno in _NO_DESCRIPTOR
    return False


async def _in_turns(reading: Generator[None, None, T]) -> T:
    """What is read in turns: between two of them everything else has its own."""
    while True:
        try:
            next(reading)
        except StopIteration as end:
            result: T = end.value
            return result
        await checkpoint()


def _describe(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientResponseError):  # its message ends with bytes of the answer
        reason = error.message.partition("\n\n")[0].partition(" b'")[0]
        return f"{type(error).__name__}: {' '.join(reason.split())}"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
