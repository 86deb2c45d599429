"""The image's health check."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from service.commands.healthy import places
from tests.api.serving import serving
from tests.live.server import free_port

ROOT = Path(__file__).parents[2]
BOTH = [("127.0.0.1", 8080), ("::1", 8080)]


@pytest.mark.parametrize(
    ("environment", "file", "expected"),
    [
        ({}, {}, [("127.0.0.1", 8080)]),
        ({"TRACKING_HOST": "::"}, {}, BOTH),
        ({"TRACKING_HOST": "0.0.0.0"}, {}, BOTH[:1]),  # noqa: S104 - asked, not bound
        ({"TRACKING_HOST": "[::1], 10.0.0.1,"}, {}, [("::1", 8080), ("10.0.0.1", 8080)]),
        ({"TRACKING_HOST": "tracking.example", "TRACKING_PORT": "1"}, {}, [("tracking.example", 1)]),
        ({"TRACKING_HOST": "", "TRACKING_PORT": ""}, {"host": "::1", "port": 2}, [("::1", 2)]),
        ({"TRACKING_PORT": "3"}, {"port": 2}, [("127.0.0.1", 3)]),
    ],
)
def test_where_it_asks(
    environment: Mapping[str, str], file: Mapping[str, object], expected: list[tuple[str, int]]
) -> None:
    """Where the service listens, by the same settings; an address of this machine for all of them."""
    assert expected == list(places(environment, file))


async def healthy(**environment: str) -> tuple[int, str]:
    """The exit code, and what is said on standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.commands.healthy"), env=environment, cwd=ROOT, stderr=subprocess.PIPE
    )
    _, said = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_a_service_that_answers() -> None:
    """It is healthy at any of its addresses, whatever proxy the environment names."""
    async with serving("http://127.0.0.1:9") as api:
        for host in ("127.0.0.1", "::", "0.0.0.0", "::1,127.0.0.1", "localhost"):  # noqa: S104 - asked
            found = await healthy(
                TRACKING_HOST=host, TRACKING_PORT=str(api.port), HTTP_PROXY="http://127.0.0.1:9"
            )
            assert 0 == found[0], found


async def test_nobody_answers() -> None:
    """It is 1, and each address that was asked is said."""
    code, said = await healthy(TRACKING_HOST="::", TRACKING_PORT=str(free_port()))
    assert (1, ["127.0.0.1", "::1"]) == (code, [line.partition(",")[0] for line in said.splitlines()])


async def test_somebody_else_answers() -> None:
    """What is no HTTP, or another page, is not this service."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(replies.pop())
        writer.close()

    replies = [b"hello\r\n", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = str(server.sockets[0].getsockname()[1])
        for _ in range(2):
            assert 1 == (await healthy(TRACKING_PORT=port))[0]
