"""One replica keeps the index of all in step with MLflow; when it goes, another does."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.mlflow import FakeMlflow
from tests.fleet.conftest import fill
from tests.fleet.fleet import Fleet, fleet
from tests.fleet.index import (
    ANY,
    SETTINGS,
    SYNC,
    searched,
    tables_are_equal,
    wait_until_complete,
    writer,
)
from tests.store.servers import StoreServer

pytestmark = pytest.mark.fleet

Record = Callable[[str, object], None]
LOOKED_AT_SECONDS = 6.0
PAUSE_SECONDS = 0.2
MOST = 1.1  # times what one replica costs ...
NOISE = 3  # ... and so many calls of machines that are late
STOPPED_SECONDS = 5.0
GOES_ON_SECONDS = 8.0  # 4 s are promised, on a machine at rest


async def looks(directory: Path, store_url: str | None, replicas: int) -> int:
    """How often so many replicas look for new runs while somebody searches each."""
    directory.mkdir()  # noqa: ASYNC240 - once
    fake = FakeMlflow()
    fill(fake)
    async with (
        fake.serve(),
        fleet(directory, fake, store_url, replicas=replicas, settings=SETTINGS) as some,
    ):
        await wait_until_complete(some, some.urls)
        fake.calls.clear()
        until = time.monotonic() + LOOKED_AT_SECONDS
        while time.monotonic() < until:
            for url in some.urls:
                await some.caller.ask(url, ANY)
            await asyncio.sleep(PAUSE_SECONDS)
        return sum(some.calls().values())


async def test_the_index_costs_as_one_does(
    tmp_path: Path, store: StoreServer, record_property: Record
) -> None:
    """While somebody searches, three replicas look for new runs as often as one does."""
    one, three = await asyncio.gather(
        looks(tmp_path / "one", None, 1), looks(tmp_path / "three", store.url, 3)
    )
    record_property("calls", f"{one} of one replica, {three} of three")
    assert three <= MOST * one + NOISE


def change(some: Fleet, number: int) -> None:
    """A run comes, one changes, and one ends."""
    some.fake.add_run(status="RUNNING", metrics={"value": float(number)})
    *_, before, newest = list(some.fake.store.runs)
    some.fake.log(newest, "value", [(number, number, number + 0.5)])
    some.fake.store.runs[before].update(status="FINISHED", end_time=number)


async def test_the_writer_is_killed(
    tmp_path: Path, store: StoreServer, mlflow: FakeMlflow, record_property: Record
) -> None:
    """Where the replica that keeps the index is killed, another goes on, and all indexes are MLflow's."""
    async with (
        fleet(tmp_path, mlflow, store.url, settings=SETTINGS) as some,
        some.calls_noted() as calls,
    ):
        await wait_until_complete(some, some.urls)
        killed = some.replicas[await writer(some, calls)]
        others = [one for one in some.replicas if one is not killed]
        killed.send(signal.SIGKILL)
        died = time.monotonic()
        for number in range(5):
            change(some, number)
        taken = (await searched(some, calls, {one.pid for one in others})).at - died
        record_property("goes on after", f"{taken:.1f} s")
        await tables_are_equal(some, [one.url for one in others])
        assert taken <= GOES_ON_SECONDS


async def test_the_writer_sleeps(
    tmp_path: Path, store: StoreServer, mlflow: FakeMlflow, record_property: Record
) -> None:
    """A replica that kept the index and was stopped for five seconds writes nothing more, and follows."""
    async with (
        fleet(tmp_path, mlflow, store.url, settings=SETTINGS) as some,
        some.calls_noted() as calls,
    ):
        await wait_until_complete(some, some.urls)
        old = some.replicas[await writer(some, calls)]
        others = {one.pid for one in some.replicas if one is not old}
        old.send(signal.SIGSTOP)
        stopped = time.monotonic()
        change(some, 1)
        taken = (await searched(some, calls, others)).at - stopped
        await asyncio.sleep(stopped + STOPPED_SECONDS - time.monotonic())
        change(some, 2)
        old.send(signal.SIGCONT)
        woken = len(calls)
        for number in range(3, 6):
            change(some, number)
            await searched(some, calls, others)
        await tables_are_equal(some, some.urls)
        late = [call for call in calls[woken:] if call.pid == old.pid and call.endpoint == SYNC]
        record_property("goes on after", f"{taken:.1f} s; calls of the old one after it woke: {len(late)}")
        assert len(late) <= 1  # which was under way
        assert taken <= GOES_ON_SECONDS
