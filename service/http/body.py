"""Request bodies: what tells a caller to send one, and what reads it."""

from __future__ import annotations

import asyncio

from aiohttp import HttpVersion11, StreamReader, hdrs, web

from service.context import DEADLINE
from service.http.errors import BodyTimeout, BodyTooLarge, ExpectationFailed, UnreadableRequest

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BodyReader:
    """Reads a request's body of at most max_bytes, until the request's deadline.

    A handler has to read by this: a request of aiohttp's low-level server has another limit of its own.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    async def __call__(self, request: web.BaseRequest) -> bytes:
        """The whole body. BodyTooLarge, BodyTimeout, UnreadableRequest."""
        content = request.content
        if content.is_eof():  # it came with the head, as small ones do
            body = content.read_nowait()
            self._check(body)
            return body
        try:
            async with asyncio.timeout_at(DEADLINE.get()):
                return await self._read(content)
        except TimeoutError as error:
            raise BodyTimeout("The request body did not arrive in time.") from error
        except (web.RequestPayloadError, ConnectionError) as error:
            raise UnreadableRequest("The request body broke off.") from error

    async def _read(self, content: StreamReader) -> bytes:
        body = bytearray()
        while chunk := await content.readany():
            body += chunk
            self._check(body)
        return bytes(body)

    def _check(self, body: bytes | bytearray) -> None:
        if len(body) > self._max_bytes:
            raise BodyTooLarge("The request body is too large.")


async def meet_expectation(request: web.BaseRequest) -> None:
    """Tell a caller who waits for that to go on and send the body (RFC 9110, 10.1.1). ExpectationFailed."""
    expectation = request.headers.get(hdrs.EXPECT)
    if not expectation or request.version != HttpVersion11:
        return
    if expectation.lower() != "100-continue":
        raise ExpectationFailed("Only 100-continue can be expected.")
    await request.writer.write(_CONTINUE)
    request.writer.output_size = 0  # an interim response is no part of the answer
