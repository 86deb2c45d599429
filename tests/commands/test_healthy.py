"""`python -m service.commands.healthy`, the image's health check."""

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
def test_asks_where_the_service_listens(
    environment: Mapping[str, str], file: Mapping[str, object], expected: list[tuple[str, int]]
) -> None:
    """It asks at the addresses of the settings, and at the loopback ones if they mean all."""
    assert expected == list(places(environment, file))


async def healthy(**environment: str) -> tuple[int, str]:
    """Run the health check with these variables; return its exit code and its stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.commands.healthy"), env=environment, cwd=ROOT, stderr=subprocess.PIPE
    )
    _, errors = await process.communicate()
    return process.returncode or 0, errors.decode()


async def test_exits_with_0_if_the_service_answers() -> None:
    """It exits with 0 if any of the addresses answers, and ignores proxies of the environment."""
    async with serving("http://127.0.0.1:9") as api:
        for host in ("127.0.0.1", "::", "0.0.0.0", "::1,127.0.0.1", "localhost"):  # noqa: S104 - asked
            result = await healthy(
                TRACKING_HOST=host, TRACKING_PORT=str(api.port), HTTP_PROXY="http://127.0.0.1:9"
            )
            assert 0 == result[0], result


async def test_exits_with_1_if_no_address_answers() -> None:
    """It exits with 1 if no address answers, and names each one."""
    code, errors = await healthy(TRACKING_HOST="::", TRACKING_PORT=str(free_port()))
    assert (1, ["127.0.0.1", "::1"]) == (code, [line.partition(",")[0] for line in errors.splitlines()])


async def test_exits_with_1_if_another_server_answers() -> None:
    """It exits with 1 if the answer is not HTTP or not 200."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(replies.pop())
        writer.close()

    replies = [b"hello\r\n", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = str(server.sockets[0].getsockname()[1])
        for _ in range(2):
            assert 1 == (await healthy(TRACKING_PORT=port))[0]
