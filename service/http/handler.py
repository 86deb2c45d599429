"""What answers a request, and what stands before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web

# Of a route: the parameters of its path are percent-decoded.
Handler = Callable[[web.BaseRequest, Mapping[str, str]], Awaitable[web.StreamResponse]]
# Of the pipeline and of its stages: no route is known yet.
Respond = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Stage(Protocol):
    """Something that every request passes through on its way to the routes."""

    def wrap(self, respond: Respond) -> Respond:
        """The same with this stage around it."""
        ...
