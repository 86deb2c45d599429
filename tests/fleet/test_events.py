"""Streams of events go on at another replica where the first one has gone."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from tests.api.listening import EVENTS, EventReader, Heard
from tests.deploy.balancer import until
from tests.fakes.mlflow import FakeMlflow
from tests.fleet.fleet import Fleet, fleet
from tests.fleet.index import SETTINGS, wait_until_complete, writer
from tests.store.servers import StoreServer

pytestmark = pytest.mark.fleet

Record = Callable[[str, object], None]
RUNS_BEFORE, RUNS_AFTER = 10, 20
PAUSE_SECONDS = 0.1
BACK_SECONDS = (0.1, 1.0)  # until a listener comes back, at least and at most
PATIENCE_SECONDS = 60.0


class Stream:
    """A listener who comes back where it was. heard: all events. begun: how often."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.begun = 0
        self._reader = EventReader()

    def names(self) -> list[str]:
        """The names of all events."""
        return [one.name for one in self.heard]

    def told(self) -> list[str]:
        """The run of each event about one."""
        return [one.run_id for one in self.heard if one.name.startswith("run.")]

    async def listen(self, session: aiohttp.ClientSession, dice: random.Random) -> None:
        """Listen for ever."""
        while True:
            headers = {"Accept": "text/event-stream"}
            if self._reader.last_id:
                headers["Last-Event-ID"] = self._reader.last_id
            with suppress(aiohttp.ClientError):
                async with session.get(EVENTS, headers=headers) as response:
                    self.begun += 1
                    async for data in response.content.iter_any():
                        self.heard += self._reader.feed(data)
            await asyncio.sleep(dice.uniform(*BACK_SECONDS))


@asynccontextmanager
async def listening(url: str, how_many: int) -> AsyncIterator[list[Stream]]:
    """So many streams, once all have begun."""
    streams = [Stream() for _ in range(how_many)]
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(url, connector=connector, timeout=timeout) as session:
        tasks = [
            asyncio.create_task(stream.listen(session, random.Random(number)))
            for number, stream in enumerate(streams)
        ]

        async def begun() -> bool:
            return all("snapshot" in stream.names() for stream in streams)

        try:
            await until(begun, "all streams have begun", PATIENCE_SECONDS)
            yield streams
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def add_runs(some: Fleet, how_many: int) -> list[str]:
    """Runs that come one after the other."""
    added = []
    for _ in range(how_many):
        added.append(some.fake.add_run())
        await asyncio.sleep(PAUSE_SECONDS)
    return added


@pytest.mark.parametrize("how_many", [150, pytest.param(1_000, marks=pytest.mark.slow)])
async def test_streams_of_a_replica_that_is_killed(
    tmp_path: Path, store: StoreServer, mlflow: FakeMlflow, how_many: int, record_property: Record
) -> None:
    """Each stream hears of each run once, though the replica that keeps the index dies meanwhile."""
    async with (
        fleet(tmp_path, mlflow, store.url, is_balanced=True, settings=SETTINGS) as some,
        some.calls_noted() as calls,
    ):
        await wait_until_complete(some, some.urls)
        place = await writer(some, calls)
        async with listening(some.balancer.url, how_many) as streams:
            added = await add_runs(some, RUNS_BEFORE)
            some.replicas[place].send(signal.SIGKILL)
            added += await add_runs(some, RUNS_AFTER)

            async def heard() -> bool:
                return all(set(added) <= set(stream.told()) for stream in streams)

            with suppress(pytest.fail.Exception):  # what is missing is told below
                await until(heard, "all streams have heard of all runs", PATIENCE_SECONDS)
        again = sum(stream.begun - 1 for stream in streams)
        record_property("streams", f"{how_many}, of which {again} went on at another replica")
        told = [stream.told() for stream in streams]
        lost = sum(len(set(added) - set(runs)) for runs in told)
        twice = sum(len(runs) - len(set(runs)) for runs in told)
        resets = sum(stream.names().count("reset") for stream in streams)
        assert again > 0
        assert (0, 0, 0) == (lost, twice, resets), some.said()
