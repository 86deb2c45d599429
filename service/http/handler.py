"""What answers a request, and what stands before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Stage(Protocol):
    """Something that every request passes through on its way to the handler."""

    def before(self, handler: Handler) -> Handler:
        """The handler with this before it."""
        ...
