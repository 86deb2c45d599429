"""A service whose events are what a test says they are; all else is the real one's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from tests.api.serving import API, Client

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ASKED = ("Accept", "Cache-Control")
_KEPT = ("Content-Type", "Content-Security-Policy", "X-Request-ID")


class Script:
    """The requests of events so far. answers: to one after the other, of which the last one stays."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[web.Request] = []
        self.ended: list[int] = []
        self._answers = answers

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The answer whose turn it is."""
        number = len(self.requests)
        self.requests.append(request)
        try:
            return await self._answers[min(number, len(self._answers) - 1)](request)
        finally:
            self.ended.append(number)


def stream(text: str, *, then: asyncio.Event | None = None) -> Answer:
    """A stream that says this, and ends; `then`: not before that is set."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if text:
            await response.write(text.encode())
        if then is not None:
            await then.wait()
        return response

    return answer


def plain(status: int, body: object, **headers: str) -> Answer:
    """An answer in JSON."""
    kind = "application/json" if status < 400 else "application/problem+json"

    async def answer(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(body, status=status, content_type=kind, headers=named)

    return answer


@asynccontextmanager
async def scripted(service: Client, script: Script) -> AsyncIterator[str]:
    """The address of the console of that service, with the script for its events."""
    async with ClientSession(auto_decompress=True) as session:

        async def hand_on(request: web.Request) -> web.StreamResponse:
            asked = {name: request.headers[name] for name in _ASKED if name in request.headers}
            async with session.get(service.make_url(request.path_qs), headers=asked) as answer:
                headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
                return web.Response(status=answer.status, body=await answer.read(), headers=headers)

        app = web.Application()
        app.router.add_get(f"{API}/events", script.answer)
        app.router.add_get("/{path:.*}", hand_on)
        async with TestServer(app, shutdown_timeout=0) as server:
            yield str(server.make_url("/console/"))
