"""Servers that are no good MLflow, and what `experiment-tracking check` advises about them."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.commands.test_check import SETTINGS, checked

Reply = Callable[[web.Request], web.Response]


@asynccontextmanager
async def serving(reply: Reply, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The address of a server that answers everything so."""

    async def answer(request: web.Request) -> web.Response:
        return reply(request)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    server = TestServer(app)
    await server.start_server(ssl=context)
    try:
        yield str(server.make_url("/")).rstrip("/")
    finally:
        await server.close()


def over_tls(pem: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """A server's side of TLS. client_ca: signs the certificates that it wants of its clients."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    context.load_cert_chain(pem)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def well(_: web.Request) -> web.Response:
    return web.json_response({"experiments": []})


async def hints(url: str, **settings: Any) -> str:
    """What an MLflow that cannot be used is said to be, and what to do about it."""
    code, lines = await checked(url, **settings)
    assert 1 == code
    [said] = [number for number, line in enumerate(lines) if line.startswith("!!  MLflow: ")]
    assert SETTINGS in lines
    assert not [line for line in lines if "secret" in line]
    return "\n".join(line.removeprefix("    ") for line in lines[said + 1 :])
