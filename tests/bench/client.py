"""Callers of the odd rows, in the bench's own process: latencies one by one, many at once, upstream calls."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.bench.load import Question
from tests.bench.machine import Server


class Client:
    """Asks one server, over connections that it keeps."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, question: Question) -> bytes:
        """The body of an answer. RuntimeError where it is none."""
        async with self._session.request(
            question.method, question.path, data=question.body or None, headers=question.headers
        ) as response:
            body = await response.read()
            if response.status >= 400:
                raise RuntimeError(f"{question.path}: {response.status} {body[:200]!r}")
            return body

    async def timed(self, question: Question) -> float:
        """Seconds until an answer was there."""
        began = time.perf_counter()
        await self.ask(question)
        return time.perf_counter() - began

    async def at_once(self, questions: Iterable[Question]) -> float:
        """Seconds until all were answered that were asked at once."""
        began = time.perf_counter()
        await asyncio.gather(*map(self.ask, questions))
        return time.perf_counter() - began


@asynccontextmanager
async def client(server: Server, connections: int = 100) -> AsyncIterator[Client]:
    """A client that asks for answers that are not compressed."""
    connector = aiohttp.TCPConnector(limit=connections)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(
        server.url, connector=connector, timeout=timeout, skip_auto_headers=["Accept-Encoding"]
    ) as session:
        yield Client(session)


async def interleaved(
    one: tuple[Client, Sequence[Question]], other: tuple[Client, Sequence[Question]]
) -> tuple[list[float], list[float]]:
    """Seconds of the answers to two lists of questions as long as each other, asked in turn."""
    mine: list[float] = []
    theirs: list[float] = []
    for number, (first, second) in enumerate(zip(one[1], other[1], strict=True)):
        if number % 2:
            theirs.append(await other[0].timed(second))
            mine.append(await one[0].timed(first))
        else:
            mine.append(await one[0].timed(first))
            theirs.append(await other[0].timed(second))
    return mine, theirs


async def forget_calls(upstream: Server) -> None:
    """Count the fake upstream's calls from here."""
    async with aiohttp.ClientSession(upstream.url) as session, session.delete("bench/calls") as response:
        response.raise_for_status()


async def seconds_worked(upstream: Server) -> float:
    """Seconds that the scale upstream took for its searches."""
    async with aiohttp.ClientSession(upstream.url) as session, session.get("bench/seconds") as response:
        return float(await response.json())


async def calls(upstream: Server) -> dict[str, int]:
    """The calls that the fake upstream got, by endpoint."""
    async with aiohttp.ClientSession(upstream.url) as session, session.get("bench/calls") as response:
        counted: dict[str, Any] = await response.json()
        return counted
