"""The connections to a server that speaks the Redis protocol, and whether it answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from service.errors import StoreFailed

log = logging.getLogger("service.store")


class Patience(NamedTuple):
    """How long is waited for the store, in seconds.

    answer: for an answer, while a caller waits. connect: for a connection. socket: until a command that
    nobody waits for any more is given up. probe: between two looks at a store that failed. block: of a look
    into a log. lease: that a replica has to ask MLflow, before it must be extended.
    """

    answer: float = 0.025
    connect: float = 0.2
    socket: float = 0.5
    probe: float = 0.5
    block: float = 1.0
    lease: float = 2.0


class RedisLink:
    """The connections to one server, while `open()` is entered.

    A command belongs to a task of the link's, so that a caller who leaves cuts none short. After a failure
    nobody asks the server until a probe of it succeeds. is_attached: whether it answers, as far as is known.
    failures: by kind. clock: seconds, monotonic.
    """

    def __init__(
        self,
        url: str,
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
        clock: Callable[[], float] = time.monotonic,
        connections: int = 4,
        **options: Any,
    ) -> None:
        self.patience = patience
        self._url = url
        self._options = options
        self._connections = connections
        self._clock = clock
        self._ahead = 0.0  # seconds that the server's clock is ahead of ours
        self._tasks: set[asyncio.Task[Any]] = set()
        self._shas: dict[str, str] = {}
        self.is_attached = False
        self.failures: Counter[str] = Counter()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Attach to the server for as long as the context lasts."""
        self._redis = self.connections(self._connections, self.patience.socket)
        await self._probe()
        watching = asyncio.create_task(self._watch_over())
        try:
            yield
        finally:
            tasks = (watching, *self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._redis.aclose()

    def connections(self, most: int, seconds: float) -> Redis:
        """A client of its own, with so many connections, whose commands may take so many seconds."""
        pool = BlockingConnectionPool.from_url(
            self._url,
            max_connections=most,
            timeout=self.patience.answer,
            socket_timeout=seconds,
            socket_connect_timeout=self.patience.connect,
            retry=Retry(NoBackoff(), 0),
            decode_responses=False,
            **self._options,
        )
        return Redis(connection_pool=pool)

    def now(self) -> float:
        """The server's time in seconds, as far as this process can tell without asking."""
        return self._clock() + self._ahead

    async def run(
        self, script: str, keys: Sequence[bytes], values: Sequence[Any], seconds: float | None = None
    ) -> Any:
        """What a script answers; StoreFailed where it does not within the seconds."""
        if not self.is_attached:
            raise StoreFailed("detached")
        task = asyncio.create_task(self._evaluate(script, keys, values))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait([task], timeout=self.patience.answer if seconds is None else seconds)
        if not done:
            raise self.failed("slow")
        if (error := task.exception()) is not None:
            raise self.failed(kind_of(error)) from error
        return task.result()

    def failed(self, kind: str) -> StoreFailed:
        """The server failed: nobody asks it until a probe succeeds."""
        self.failures[kind] += 1
        if self.is_attached:
            log.warning("the store does not answer (%s): this replica goes on alone", kind)
        self.is_attached = False
        return StoreFailed(kind)

    async def _evaluate(self, script: str, keys: Sequence[bytes], values: Sequence[Any]) -> Any:
        sha = self._shas.get(script)
        if sha is None:
            sha = self._shas[script] = await self._redis.script_load(script)
        try:
            return await self._redis.evalsha(sha, len(keys), *keys, *values)
        except ResponseError as error:
            if "NOSCRIPT" not in str(error):
                raise
            return await self._redis.eval(script, len(keys), *keys, *values)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it

    async def _watch_over(self) -> None:
        """Look at a server that failed, until it answers again."""
        while True:
            await asyncio.sleep(self.patience.probe)
            if not self.is_attached:
                await self._probe()

    async def _probe(self) -> None:
        try:
            async with asyncio.timeout(self.patience.connect):
                began = self._clock()
                seconds, microseconds = await self._redis.time()
        except (RedisError, OSError, TimeoutError) as error:
            log.info("the store does not answer: %s", error)
            return
        self._ahead = seconds + microseconds / 1_000_000 - (began + self._clock()) / 2
        self.is_attached = True


def kind_of(error: BaseException) -> str:
    """A word for what went wrong: the server's own, such as LOADING or OOM, where it says one."""
    words = str(error).split()
    if isinstance(error, ResponseError) and words and words[0].isupper():
        return words[0].lower()
    return type(error).__name__
