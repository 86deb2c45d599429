"""The headers that every response bears, whichever route it is of."""

from __future__ import annotations

from aiohttp import hdrs, web
from multidict import istr

from service.context import REQUEST_ID
from service.http.aiohttp_internals import EncodedResponse
from service.http.capacity import Capacity
from service.http.cors import Cors
from service.http.security import SERVED_HEADERS

X_REQUEST_ID = istr("X-Request-ID")


class Labels:
    """Adds to a response the id of its request, the headers for browsers, and whether the connection ends.

    cors: None where pages of other hosts are told nothing.
    """

    def __init__(self, capacity: Capacity, cors: Cors | None = None) -> None:
        self._capacity = capacity
        self._cors = cors

    def add(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Add them; to be done before the response is prepared, and harmless when done twice."""
        headers = response.headers
        headers[X_REQUEST_ID] = REQUEST_ID.get()
        if not isinstance(response, EncodedResponse):  # which bears them already
            for name, value in SERVED_HEADERS.items():
                headers.setdefault(name, value)
        if self._cors is not None:
            for name, value in self._cors.headers(request).items():
                # An encoded response has its own Vary in its head, and this one on a line of its own.
                both = name == hdrs.VARY and name in headers and value not in headers[name]
                headers[name] = f"{headers[name]}, {value}" if both else value
        # aiohttp loses what follows a request that asks for another protocol, so that nothing more can be
        # read in step: it is thrown away, and the caller reads the answer.
        if hdrs.UPGRADE in request.headers:
            response.force_close()
            request.protocol.close()
        elif self._capacity.draining:  # the caller's next request goes to another replica
            response.force_close()
