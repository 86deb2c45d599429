"""A proxy that serves a service below a path prefix, as an organisation's gateway does."""

from collections.abc import AsyncIterator, Mapping
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
        target = origin.join(request.rel_url.with_path(request.path.removeprefix(prefix), keep_query=True))
        async with session.request(
            request.method,
            target,
            headers=_passed(request.headers),
            data=await request.read(),
            allow_redirects=False,
        ) as upstream:
            response = web.StreamResponse(status=upstream.status, headers=_passed(upstream.headers))
            await response.prepare(request)
            async for part in upstream.content.iter_any():  # events are passed on as they come
                await response.write(part)
            await response.write_eof()
            return response

    app = web.Application()
    app.router.add_route("*", f"{prefix}/{{path:.*}}", forward)
    async with ClientSession(auto_decompress=False) as session, TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url(prefix))


def _passed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OF_A_CONNECTION}
