"""Requests at a constant rate, whether or not the ones before were answered: a process of its own.

    python -m tests.bench.paced URL PATH 500 4

prints the latency of every request, in milliseconds, as a line of JSON.
"""

import asyncio
import json
import statistics
import sys
import time
from typing import cast

import uvloop

from tests.bench.load import Question
from tests.bench.machine import Server

_CONNECTIONS = 64


async def p99_ms(server: Server, question: Question, rate: int, seconds: int) -> float:
    """The 99th percentile of the latency of a GET, in milliseconds, measured by another process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.paced"),
        *(server.url, question.path, str(rate), str(seconds)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the paced client of {server.name} failed")
    taken: list[float] = json.loads(output)
    return statistics.quantiles(taken, n=100)[-1]


class _Connection(asyncio.Protocol):
    """One request at a time; its answer is known to have ended by its Content-Length."""

    def __init__(self, free: asyncio.Queue["_Connection"], taken: list[float]) -> None:
        self._free = free
        self._taken = taken
        self._transport: asyncio.WriteTransport | None = None
        self._held = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._free.put_nowait(self)

    def send(self, request: bytes) -> None:
        assert self._transport is not None
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, found, body = self._held.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        self._taken.append((time.perf_counter() - self._began) * 1_000)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"not answered: {head.decode(errors='replace')}")
        self._held = b""
        self._free.put_nowait(self)


def _content_length(head: bytes) -> int:
    lower = head.lower()
    return int(lower.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)


async def _run(url: str, path: str, rate: int, seconds: int) -> list[float]:
    host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    taken: list[float] = []
    loop = asyncio.get_running_loop()
    for _ in range(_CONNECTIONS):
        await loop.create_connection(lambda: _Connection(free, taken), host, int(port))
    request = f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("ascii")
    began = loop.time()
    for number in range(rate * seconds):
        await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
        (await free.get()).send(request)
    for _ in range(_CONNECTIONS):
        await free.get()  # the last answers are there
    return taken


def main() -> None:
    url, path, rate, seconds = sys.argv[1:]
    print(json.dumps(uvloop.run(_run(url, path, int(rate), int(seconds)))))


if __name__ == "__main__":
    main()
