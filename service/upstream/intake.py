"""Takes in the bodies of MLflow's answers, within the memory that they may have."""

from __future__ import annotations

import aiohttp

_TOGETHER = 2  # times the largest body, for all that are being read at once
_SMALL = 32  # a body of less than this part of the largest is never the one to give way


class TooLargeError(Exception):
    """A body takes more memory than it may have."""


class Intake:
    """largest: bytes of one body. All bodies that are being read at once take twice that at most."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._held = 0

    async def read(self, response: aiohttp.ClientResponse) -> bytearray:
        """The body of a response. TooLargeError, before more of it is read."""
        announced = response.content_length or 0
        if announced > self._largest:
            raise TooLargeError(f"a body of {announced} bytes")
        # One block that grows: a list of thousands of chunks would leave the heap in pieces that stay.
        body = bytearray()
        try:
            while True:
                chunk, _ = await response.content.readchunk()  # as it arrived: joining several copies them
                if not chunk and response.content.at_eof():
                    return body
                body += chunk
                self._held += len(chunk)
                if len(body) > self._largest:
                    raise TooLargeError(f"a body of more than {self._largest} bytes")
                if self._held > self._largest * _TOGETHER and len(body) > self._largest // _SMALL:
                    raise TooLargeError(f"bodies of {self._held} bytes at once")
        finally:
            self._held -= len(body)
