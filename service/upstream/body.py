"""Takes in the bodies of MLflow's answers, within the memory that they may have."""

from __future__ import annotations

import asyncio

import aiohttp

_SMALL = 32  # a body of less than this part of the largest never waits for others


class TooLargeError(Exception):
    """A body takes more memory than it may have."""


class NoRoomError(Exception):
    """Other bodies took all memory for too long."""


class BodyReader:
    """largest: bytes of one body. All bodies that are being read at once take twice that at most.

    Where they would take more, the later ones wait, their connections with them; the one that came first
    always goes on. patience: seconds that a body waits.
    """

    def __init__(self, largest: int, patience: float) -> None:
        self._largest = largest
        self._patience = patience
        self._held: dict[object, int] = {}  # bytes by reader, the one that came first at the front
        self._freed = asyncio.Event()

    async def read(self, response: aiohttp.ClientResponse) -> bytearray:
        """The body of a response. TooLargeError, before more of it is read, or NoRoomError."""
        announced = response.content_length or 0
        if announced > self._largest:
            raise TooLargeError(f"a body of {announced} bytes")
        # One block that grows: a list of thousands of chunks would leave the heap in pieces that stay.
        body, reader = bytearray(), object()
        self._held[reader] = 0
        try:
            while True:
                chunk, _ = await response.content.readchunk()  # as it arrived: joining several copies them
                if not chunk and response.content.at_eof():
                    return body
                body += chunk
                self._held[reader] = len(body)
                if len(body) > self._largest:
                    raise TooLargeError(f"a body of more than {self._largest} bytes")
                if len(body) > self._largest // _SMALL and not self._has_room(reader):
                    await self._room(reader)
        finally:
            del self._held[reader]
            self._freed.set()
            self._freed = asyncio.Event()

    def _has_room(self, reader: object) -> bool:
        """Whether it came first, or all but the first take no more than one may."""
        first = next(iter(self._held))
        return reader is first or sum(self._held.values()) - self._held[first] <= self._largest

    async def _room(self, reader: object) -> None:
        try:
            async with asyncio.timeout(self._patience):
                while not self._has_room(reader):
                    await self._freed.wait()
        except TimeoutError as error:
            held = sum(self._held.values())
            raise NoRoomError(f"answers of {held} bytes are being read at once") from error
