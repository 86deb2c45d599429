"""Serves an aiohttp application on uvloop with nothing around it, until it is told to stop."""

import asyncio
import signal

import uvloop
from aiohttp import web

BACKLOG = 1_024


def serve(app: web.Application, port: int) -> None:
    """Serve on a loopback port until SIGTERM."""
    uvloop.run(_serve(app, port))


async def _serve(app: web.Application, port: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, backlog=BACKLOG).start()
        await stop.wait()
    finally:
        await runner.cleanup()
