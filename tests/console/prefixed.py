"""A proxy that serves a service below a path prefix, as an organisation's gateway does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from tests.api.serving import Client

_OF_A_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length", "host")


@asynccontextmanager
async def behind_prefix(client: Client, prefix: str) -> AsyncIterator[str]:
    """The address of the service below this prefix, without a slash at its end."""
    origin = client.make_url("/")

    async def forward(request: web.Request) -> web.StreamResponse:
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in _OF_A_CONNECTION
        }
        target = origin.join(request.rel_url.with_path(request.path.removeprefix(prefix), keep_query=True))
        async with session.request(
            request.method, target, headers=headers, data=await request.read(), allow_redirects=False
        ) as upstream:
            passed = {
                name: one for name, one in upstream.headers.items() if name.lower() not in _OF_A_CONNECTION
            }
            response = web.StreamResponse(status=upstream.status, headers=passed)
            await response.prepare(request)
            async for part in upstream.content.iter_any():  # events are passed on as they come
                await response.write(part)
            await response.write_eof()
            return response

    app = web.Application()
    app.router.add_route("*", f"{prefix}/{{path:.*}}", forward)
    async with ClientSession(auto_decompress=False) as session, TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url(prefix))
