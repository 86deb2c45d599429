"""A real HAProxy that runs config/deploy/haproxy.cfg, with nothing changed but variables."""

import asyncio
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.deploy.files import HAPROXY
from tests.live.server import free_port

POLL_SECONDS = 0.05
START_SECONDS = 15.0
_STATE = r'^haproxy_server_{}\{{proxy="{}",server="(\w+)",state="{}"\}} 1$'
MISSING = "HAProxy is needed; on Debian and Ubuntu: apt-get install --no-install-recommends haproxy"


def haproxy() -> str:
    """The path of the program. Debian installs it where only root looks."""
    found = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail(MISSING, pytrace=False)
    return found


async def until(
    holds: Callable[[], Awaitable[bool]],
    what: str,
    within: float = START_SECONDS,
    said: Callable[[], str] = str,
) -> None:
    """Return as soon as something holds of another process, which nothing but a look can tell.

    said: what helps to understand why it does not.
    """
    end = time.monotonic() + within
    while not await holds():
        if time.monotonic() > end:
            pytest.fail(f"in {within:g} s it was not so: {what}\n{said()}")
        await asyncio.sleep(POLL_SECONDS)


class Balancer:
    """url: where callers come in. operators: where its own health and metrics are."""

    def __init__(self, url: str, operators: str, output: Path) -> None:
        self.url = url
        self.operators = operators
        self._output = output

    def said(self) -> str:
        """What it logged."""
        return self._output.read_text("utf-8", errors="replace")

    async def healthy(self) -> int:
        """How many replicas are given requests and streams; -1 while a health check says it will change."""
        async with aiohttp.request("GET", f"{self.operators}/metrics?scope=server") as answer:
            text = await answer.text()

        def servers(metric: str, backend: str, state: str) -> set[str]:
            return set(re.findall(_STATE.format(metric, backend, state), text, re.MULTILINE))

        backends = ("replicas", "streams")
        up, up_for_streams = (servers("status", one, "UP") for one in backends)
        is_steady = all(up <= servers("check_status", one, "L7OK") for one in backends)
        return len(up) if is_steady and up == up_for_streams else -1

    async def listens(self) -> bool:
        """Whether its operators are answered."""
        try:
            async with aiohttp.request("GET", f"{self.operators}/metrics?scope=global"):
                return True
        except aiohttp.ClientConnectionError:
            return False

    async def has(self, healthy: int, within: float = START_SECONDS) -> None:
        """Wait until so many replicas are healthy."""

        async def holds() -> bool:
            return await self.healthy() == healthy

        await until(holds, f"{healthy} healthy replicas", within, self.said)


@asynccontextmanager
async def balancing(directory: Path, names: str, port: int, **variables: str) -> AsyncIterator[Balancer]:
    """HAProxy over the replicas on this port of every address that the name server knows.

    variables: more of haproxy.cfg's, without their BALANCER_.
    """
    callers, operators = free_port(), free_port()
    environment = {
        "BIND": f"127.0.0.1:{callers}",
        "OPERATORS_BIND": f"127.0.0.1:{operators}",
        "DNS": names,
        "REPLICAS": f"replicas.test:{port}",
        "MAX_CALLERS": "500",  # so that no limit on open files needs to be raised
        **variables,
    }
    output = directory / "haproxy.log"
    with output.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            haproxy(),
            "-db",
            "-f",
            str(HAPROXY),
            env={f"BALANCER_{name}": value for name, value in environment.items()},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    balancer = Balancer(f"http://127.0.0.1:{callers}", f"http://127.0.0.1:{operators}", output)

    async def started() -> bool:
        assert process.returncode is None, balancer.said()
        return await balancer.listens()

    try:
        await until(started, "HAProxy listens", said=balancer.said)
        yield balancer
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
