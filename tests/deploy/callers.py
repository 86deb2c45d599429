"""Callers who ask one question after another, and remember every answer that was not the right one."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp

from tests.api.serving import API

THINK_SECONDS = 0.2  # on average, between two questions of a caller
PATIENCE_SECONDS = 30.0
NO_CACHE = {"Cache-Control": "no-cache"}


class Authentication:
    """run_ids: the runs that they ask for. anew: the share of questions that MLflow itself is to answer."""

    def __init__(self, url: str, run_ids: Sequence[str], anew: float) -> None:
        self.answered = 0
        self.reads_failed: list[str] = []
        self.compares_failed: list[str] = []
        self.seconds: list[float] = []
        self._api = url + API
        self._run_ids = run_ids
        self._anew = anew
        self._news = asyncio.Condition()

    async def more(self, answers: int) -> None:
        """Wait until they have had so many answers more."""
        wanted = self.answered + answers
        async with self._news, asyncio.timeout(PATIENCE_SECONDS):
            await self._news.wait_for(lambda: self.answered >= wanted)

    @asynccontextmanager
    async def calling(self, how_many: int) -> AsyncIterator[None]:
        """This many callers, each on a kept connection of its own, until the context ends."""
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in range(how_many):
                group.create_task(self._call(random.Random(number), done))
            try:
                yield
            finally:
                done.set()

    async def _call(self, chance: random.Random, done: asyncio.Event) -> None:
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            # aiohttp would ask again on another connection what failed on a kept one, and hide it from us.
            session._retry_connection = False
            while not done.is_set():
                await self._ask(session, chance)
                await asyncio.sleep(chance.uniform(0, 2 * THINK_SECONDS))  # a person reads what came

    async def _ask(self, session: aiohttp.ClientSession, chance: random.Random) -> None:
        headers = NO_CACHE if chance.random() < self._anew else {}
        kind = chance.choice(["run", "runs", "compare"])
        failed = self.compares_failed if kind == "compare" else self.reads_failed
        began = time.monotonic()
        try:
            wrong = await getattr(self, f"_{kind}")(session, chance, headers)
        except (aiohttp.ClientError, TimeoutError) as error:
            wrong = repr(error)
        self.seconds.append(time.monotonic() - began)
        if wrong:
            failed.append(f"{kind}: {wrong}")
        self.answered += 1
        async with self._news:
            self._news.notify_all()

    async def _run(
        self, session: aiohttp.ClientSession, chance: random.Random, headers: dict[str, str]
    ) -> str:
        run_id = chance.choice(self._run_ids)
        async with session.get(f"{self._api}/runs/{run_id}", headers=headers) as answer:
            body = await answer.json(content_type=None)
        return "" if answer.status == 200 and body["run_id"] == run_id else f"{answer.status} {body}"

    async def _runs(
        self, session: aiohttp.ClientSession, chance: random.Random, headers: dict[str, str]
    ) -> str:
        limit = chance.randint(1, len(self._run_ids))
        async with session.get(f"{self._api}/runs?limit={limit}", headers=headers) as answer:
            body = await answer.json(content_type=None)
        return "" if answer.status == 200 and body["total"] == limit else f"{answer.status} {body}"

    async def _compare(
        self, session: aiohttp.ClientSession, chance: random.Random, headers: dict[str, str]
    ) -> str:
        wanted = chance.sample(self._run_ids, 2)
        asked = {"run_ids": wanted}
        async with session.post(f"{self._api}/runs/compare", json=asked, headers=headers) as answer:
            body = await answer.json(content_type=None)
        right = answer.status == 200 and [run["run_id"] for run in body["runs"]] == wanted
        return "" if right else f"{answer.status} {body}"
