"""Prometheus's own programs, and other processes that these tests start."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.deploy.balancer import until
from tests.deploy.files import ROOT

MISSING = "Prometheus is needed; on Debian and Ubuntu: apt-get install --no-install-recommends prometheus"
_STOP_SECONDS = 30.0


def program(name: str) -> str:
    """The path of prometheus or promtool."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(MISSING, pytrace=False)
    return found


def promtool(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Its exit code and output, errors included. given: what stands on its standard input."""
    return subprocess.run(
        [program("promtool"), *arguments],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )


@asynccontextmanager
async def running(
    command: Sequence[str], environment: Mapping[str, str], output: Path, health: str
) -> AsyncIterator[None]:
    """A process from when it answers at its health address until the end of the context, which ends it."""
    with output.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )

    def said() -> str:
        return output.read_text("utf-8", errors="replace")

    async def healthy() -> bool:
        assert process.returncode is None, said()
        try:
            async with aiohttp.request("GET", health) as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False

    try:
        await until(healthy, f"{health} answers", said=said)
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
