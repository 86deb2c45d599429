"""Stand-ins for replicas, which do what a test of the balancer wants and remember what they were asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import web

from tests.deploy.balancer import Balancer, balancing
from tests.deploy.names import name_server
from tests.fakes.faults import Hook
from tests.live.server import free_port

MAX_LINE = 16_384  # the service's own


class Stub:
    """ready: what /readyz says. before: awaited ahead of every answer; it may wait, or answer instead."""

    def __init__(self) -> None:
        self.ready = True
        self.before: Hook | None = None
        self.asked: list[web.Request] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer /readyz, or note the request and answer it."""
        if request.path == "/readyz":
            return web.Response(status=200 if self.ready else 503)
        await request.read()
        self.asked.append(request)
        if self.before is not None and (answer := await self.before(request)) is not None:
            return answer
        return web.json_response({})

    @asynccontextmanager
    async def serve(self, address: str, port: int) -> AsyncIterator[None]:
        """Listen."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.01, max_line_size=MAX_LINE, max_field_size=MAX_LINE
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, address, port).start()
            yield
        finally:
            await runner.cleanup()


@asynccontextmanager
async def balanced_stubs(
    directory: Path, how_many: int, **variables: str
) -> AsyncIterator[tuple[Balancer, list[Stub]]]:
    """This many stand-ins for replicas behind a balancer that has found all of them."""
    port = free_port()
    stubs = [Stub() for _ in range(how_many)]
    async with AsyncExitStack() as stack:
        names = await stack.enter_async_context(name_server())
        for number, stub in enumerate(stubs, 1):
            await stack.enter_async_context(stub.serve(f"127.0.1.{number}", port))
            names.addresses.append(f"127.0.1.{number}")
        balancer = await stack.enter_async_context(balancing(directory, names.address, port, **variables))
        await balancer.has(how_many)
        yield balancer, stubs


def held(released: asyncio.Event, asked: asyncio.Event) -> Hook:
    """Answer only once released is set; asked tells that there is something to answer."""

    async def hook(_request: web.Request) -> web.StreamResponse | None:
        asked.set()
        await released.wait()
        return None

    return hook
