"""Callers of replicas, who note what they got and when."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from tests.api.serving import API
from tests.bench.load import Question
from tests.deploy.callers import NO_CACHE

_PATIENCE = aiohttp.ClientTimeout(total=30)


class Reply(NamedTuple):
    """status: 0 where none came; the body says why. began, ended: seconds of the machine's clock."""

    status: int
    body: Any
    headers: Mapping[str, str]
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


class Caller:
    """Asks replicas, or what stands before them, over connections that it keeps."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, url: str, path: str, body: Any = None, *, anew: bool = False) -> Reply:
        """The reply to a GET, or to a POST of this body. anew: what MLflow says now."""
        method = "GET" if body is None else "POST"
        headers = NO_CACHE if anew else {}
        began = time.monotonic()
        try:
            async with self._session.request(
                method, f"{url}{API}{path}", json=body, headers=headers
            ) as response:
                text = await response.read()
                ended = time.monotonic()
                return Reply(response.status, json.loads(text), response.headers, began, ended)
        except (aiohttp.ClientError, TimeoutError) as error:
            return Reply(0, repr(error), {}, began, time.monotonic())

    async def bytes_of(self, url: str, question: Question) -> bytes:
        """The body of a good answer to a question of the bench's."""
        async with self._session.request(
            question.method, f"{url}/{question.path}", data=question.body or None, headers=question.headers
        ) as response:
            body = await response.read()
            assert 200 == response.status, body
            return body

    async def status(self, address: str) -> int:
        """The status of the answer at an address; 0 where none comes."""
        try:
            async with self._session.get(address) as response:
                return response.status
        except aiohttp.ClientError:
            return 0

    async def run(self, url: str, run_id: str, *, anew: bool = False) -> Reply:
        """The reply to the question for one run."""
        return await self.ask(url, f"/runs/{run_id}", anew=anew)

    async def at_once(self, urls: Sequence[str], path: str, how_many: int) -> list[Reply]:
        """The replies to one question that so many ask at once, each the next replica."""
        places = itertools.islice(itertools.cycle(urls), how_many)
        return await asyncio.gather(*(self.ask(url, path) for url in places))


@asynccontextmanager
async def calling() -> AsyncIterator[Caller]:
    """A caller with as many connections as it needs."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=_PATIENCE, connector=connector) as session:
        # aiohttp would ask again on another connection what failed on a kept one, and hide it from us.
        session._retry_connection = False
        yield Caller(session)


def failures(replies: Sequence[Reply]) -> list[str]:
    """What was not answered well, each kind once."""
    return sorted({f"{reply.status} {str(reply.body)[:200]}" for reply in replies if reply.status != 200})
