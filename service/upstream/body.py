"""Reads the bodies of MLflow's answers, within a bound of memory."""

from __future__ import annotations

import asyncio

import aiohttp

_SMALL = 32  # a body smaller than this part of the largest never waits


class TooLargeError(Exception):
    """A body is larger than is allowed."""


class NoRoomError(Exception):
    """Other bodies took all of the memory for too long."""


class BodyReader:
    """Reads bodies of at most `largest` bytes each, and of twice that in total at any time.

    Where they would take more, the later ones wait, and so do their connections; the one that came first
    always goes on. patience: seconds that a body waits.
    """

    def __init__(self, largest: int, patience: float) -> None:
        self._largest = largest
        self._patience = patience
        self._sizes: dict[object, int] = {}  # bytes by reader, in the order in which they came
        self._released = asyncio.Event()

    async def read(self, response: aiohttp.ClientResponse) -> bytearray:
        """The body of a response. TooLargeError, before more of it is read, or NoRoomError."""
        announced = response.content_length or 0
        if announced > self._largest:
            raise TooLargeError(f"a body of {announced} bytes")
        # One block that grows: a list of thousands of chunks would leave the heap in pieces that stay.
        body, reader = bytearray(), object()
        self._sizes[reader] = 0
        try:
            while True:
                chunk, _ = await response.content.readchunk()  # as it arrived: joining several copies them
                if not chunk and response.content.at_eof():
                    return body
                body += chunk
                self._sizes[reader] = len(body)
                if len(body) > self._largest:
                    raise TooLargeError(f"a body of more than {self._largest} bytes")
                if len(body) > self._largest // _SMALL and not self._has_room(reader):
                    await self._wait_for_room(reader)
        finally:
            del self._sizes[reader]
            self._released.set()
            self._released = asyncio.Event()

    def _has_room(self, reader: object) -> bool:
        """Whether this reader came first, or all but the first take no more than one body may."""
        first = next(iter(self._sizes))
        return reader is first or sum(self._sizes.values()) - self._sizes[first] <= self._largest

    async def _wait_for_room(self, reader: object) -> None:
        try:
            async with asyncio.timeout(self._patience):
                while not self._has_room(reader):
                    await self._released.wait()
        except TimeoutError as error:
            total = sum(self._sizes.values())
            raise NoRoomError(f"answers of {total} bytes are being read at once") from error
