"""The innermost layer: one pooled aiohttp session, whose errors become UpstreamFailures."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Self, TypeVar

import aiohttp
from yarl import URL

from service import errors
from service.checkpoint import checkpoint
from service.context import TRACE
from service.upstream import wire
from service.upstream.access import Access
from service.upstream.body import BodyReader, NoRoomError, TooLargeError
from service.upstream.call import Call
from service.upstream.connection_errors import MAX_HEADER, translate
from service.upstream.failures import NoResources
from service.upstream.status import raise_for_status, unreadable
from service.upstream.wording import Mask

T = TypeVar("T")
SessionRequest = Callable[..., AbstractAsyncContextManager[aiohttp.ClientResponse]]  # aiohttp's `request`

_API = "api/2.0/mlflow/"
_LARGE = 65_536  # bytes of an answer that takes about a quarter of a millisecond to read
_MAX_HEADERS = 512


class Bounds(NamedTuple):
    """The bounds of a session: connections at once, seconds that an idle one is kept, bytes of an answer.

    patience: seconds that an answer waits while others take all memory.
    """

    connections: int
    keepalive: float
    max_body_bytes: int
    patience: float
    timeout: aiohttp.ClientTimeout


class Session:
    """Sends single requests to MLflow. Use it as an async context manager.

    base: MLflow's address; a path in it (a proxy's prefix) is kept. access: credentials, TLS and proxy.
    wrap_request: wraps aiohttp's `request`, for tracing; `trace_request_ctx` is the attempt's number.
    clock: seconds, as in the deadlines of the calls.
    """

    def __init__(
        self,
        base: str,
        bounds: Bounds,
        *,
        access: Access,
        wrap_request: Callable[[SessionRequest], SessionRequest] | None,
        clock: Callable[[], float],
    ) -> None:
        self._base = URL(base.rstrip("/") + "/")  # aiohttp drops a prefix that does not end in a slash
        self._bounds = bounds
        self._access = access
        self._wrap_request = wrap_request
        self._clock = clock
        self._bodies = BodyReader(bounds.max_body_bytes, bounds.patience)
        self._session: aiohttp.ClientSession | None = None
        self._request: SessionRequest | None = None

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
            max_line_size=MAX_HEADER,
            max_field_size=MAX_HEADER,
            max_headers=_MAX_HEADERS,
        )
        request = self._session.request
        self._request = request if self._wrap_request is None else self._wrap_request(request)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, call: Call[T]) -> T:
        """The value that `call.read` makes of the answer. The deadline bounds the request and its answer."""
        try:
            return await self._send(call)
        except errors.UpstreamFailure as error:
            _release(error)
            raise

    async def _send(self, call: Call[T]) -> T:
        headers = {**self._access.shown(), **(TRACE.get() or {})}
        mask = Mask(headers)
        endpoint = call.endpoint
        try:
            status, answer_headers, body = await self._exchange(call, headers)
        except TooLargeError as error:
            raise errors.UpstreamTooLarge(f"{endpoint}: {error}") from error
        except NoRoomError as error:
            raise NoResources(f"{endpoint}: {error}; see TRACKING_UPSTREAM__MAX_BODY_BYTES") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:  # OSError: TimeoutError is one
            raise translate(endpoint, error, mask) from error
        raise_for_status(endpoint, status, answer_headers, body, mask)
        if len(body) > _LARGE:
            await checkpoint()  # reading it takes a while: others first
        try:
            value = call.read(body)
            return await _in_steps(value) if isinstance(value, Generator) else value
        except wire.WireError as error:
            raise unreadable(endpoint, answer_headers, body, error, mask) from error

    async def _exchange(
        self, call: Call[T], headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytearray]:
        if self._request is None:
            raise RuntimeError("the transport is used outside its context")
        async with (
            asyncio.timeout(call.until - self._clock()),
            self._request(
                call.method,
                _API + call.endpoint + (f"/{call.item}" if call.item else ""),
                params=call.params,
                json=call.json,
                headers=headers,
                allow_redirects=False,
                trace_request_ctx=call.attempt,
            ) as response,
        ):
            body = await self._bodies.read(response)
            return response.status, response.headers, body


async def _in_steps(steps: Generator[None, None, T]) -> T:
    """The value that a generator returns; other requests have their turn between two of its steps."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: T = end.value
            return value
        await checkpoint()


def _release(error: BaseException) -> None:
    """Free what a failure holds: it lives until the collector finds it, and a body in its frames is large."""
    cause = error.__cause__
    traceback.clear_frames(error.__traceback__)
    if cause is not None:
        traceback.clear_frames(cause.__traceback__)
        cause.__cause__ = cause.__context__ = None  # json's errors hold the whole text
