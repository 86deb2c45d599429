"""Ways for a server to misbehave, to be set as FakeMlflow.before."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

Hook = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


def answering(
    status: int,
    text: str = "",
    *,
    content_type: str = "text/plain",
    headers: dict[str, str] | None = None,
) -> Hook:
    """Answer everything with one reply, as a proxy in trouble does."""

    async def hook(request: web.Request) -> web.StreamResponse:
        reply = text or HTTPStatus(status).phrase
        return web.Response(status=status, text=reply, content_type=content_type, headers=headers)

    return hook


def first(times: int, fault: Hook) -> Hook:
    """Misbehave the first few times, then no more."""
    left = times

    async def hook(request: web.Request) -> web.StreamResponse | None:
        nonlocal left
        if left <= 0:
            return None
        left -= 1
        return await fault(request)

    return hook


def only(endpoint: str, fault: Hook) -> Hook:
    """Misbehave at one endpoint, such as "runs/get"."""

    async def hook(request: web.Request) -> web.StreamResponse | None:
        return await fault(request) if request.path.endswith(f"/{endpoint}") else None

    return hook


async def reset(request: web.Request) -> web.StreamResponse:
    """Break the connection without a reply."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def half_a_body(request: web.Request) -> web.StreamResponse:
    """Announce a long reply, send its beginning, and break the connection."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{\n  "runs": [\n    {\n')
    if request.transport is not None:
        request.transport.close()
    return response
