"""What a fleet costs MLflow: as much as one replica."""

import asyncio
import itertools
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from tests.bench.load import Question
from tests.bench.rows.browsing import browse
from tests.bench.runs import finished, run_id_of
from tests.deploy.balancer import until
from tests.fakes.mlflow import FakeMlflow
from tests.fleet.calling import failures
from tests.fleet.conftest import RUNS, fill
from tests.fleet.fleet import Fleet, fleet
from tests.resilience.measure import quantile
from tests.store.servers import StoreServer

pytestmark = pytest.mark.fleet

Record = Callable[[str, object], None]
HERD = 1_000
MOST = 1.1  # times what one replica costs
USERS, POLLS, PACE = 60, 2, 0.5
LATENCY_SECONDS = 0.05
# The service as it is, but that its answers are in another format than those of this version.
OTHER_FORMAT = """
import runpy
from service.cache import shared_keys
shared_keys.FORMAT += 1
runpy.run_module("service", run_name="__main__")
"""


def asking(some: Fleet) -> Callable[[Question], Awaitable[bytes]]:
    """Asks each replica in turn, and fails where an answer is none."""
    places = itertools.cycle(some.urls)

    async def ask(question: Question) -> bytes:
        return await some.caller.bytes_of(next(places), question)

    return ask


def made(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    return folder


async def browsed(directory: Path, store_url: str | None, replicas: int) -> int:
    """How often MLflow is asked by so many replicas, over which users browse."""
    fake = FakeMlflow()
    fill(fake)
    fake.latency = LATENCY_SECONDS
    async with fake.serve(), fleet(directory, fake, store_url, replicas=replicas) as some:
        fake.calls.clear()
        await browse(asking(some), USERS, POLLS, PACE)
        return sum(some.calls().values())


async def test_browsing(tmp_path: Path, store: StoreServer, record_property: Record) -> None:
    """Users who browse over three replicas cost MLflow at most a tenth more calls than over one."""
    one, three = await asyncio.gather(
        browsed(made(tmp_path / "one"), None, 1), browsed(made(tmp_path / "three"), store.url, 3)
    )
    record_property("calls", f"{one} of one replica, {three} of three: {three / one:.2f} ×")
    assert three <= MOST * one


async def test_a_herd(
    tmp_path: Path, store: StoreServer, mlflow: FakeMlflow, record_property: Record
) -> None:
    """A thousand callers who ask three replicas the same at once, of what none knows, are one call."""
    mlflow.latency = 1.0
    async with fleet(tmp_path, mlflow, store.url) as some:
        mlflow.calls.clear()
        replies = await some.caller.at_once(some.urls, f"/runs/{run_id_of(0)}", HERD)
        slowest = quantile([reply.seconds for reply in replies], 1.0)
        record_property("slowest", f"{slowest:.2f} s, of which MLflow takes 1 s")
        assert [] == failures(replies)
        assert {run_id_of(0)} == {reply.body["run_id"] for reply in replies}
        assert {"runs/get": 1} == some.calls()


async def slowly(_request: web.Request) -> None:
    """A call takes a second."""
    await asyncio.sleep(1.0)


async def test_the_holder_of_a_herd_dies(
    tmp_path: Path, store: StoreServer, mlflow: FakeMlflow, record_property: Record
) -> None:
    """Where the replica that asks for all is killed, another asks once more, and no caller sees an error."""
    run_id = run_id_of(0)
    async with fleet(tmp_path, mlflow, store.url, is_balanced=True) as some:
        mlflow.calls.clear()
        mlflow.before = slowly
        async with some.calls_noted() as calls:
            herd = asyncio.create_task(some.caller.at_once([some.balancer.url], f"/runs/{run_id}", HERD))

            async def begun() -> bool:
                return any(call.endpoint == "runs/get" for call in calls)

            await until(begun, "a replica asks")
            [holder] = [one for one in some.replicas if one.pid == calls[0].pid]
            holder.send(signal.SIGKILL)
            replies = await herd
        slowest = quantile([reply.seconds for reply in replies], 1.0)
        record_property("slowest", f"{slowest:.2f} s")
        assert [] == failures(replies)
        assert 2 == some.calls()["runs/get"]


async def test_two_versions(tmp_path: Path, store: StoreServer, mlflow: FakeMlflow) -> None:
    """Replicas with different formats of answers are right beside each other, and double the bill at most."""
    run_ids = finished(20, [run_id_of(number) for number in range(RUNS)])
    async with fleet(tmp_path, mlflow, store.url) as some:
        some.replicas[2].program = ("-c", OTHER_FORMAT)
        some.replicas[2].send(signal.SIGKILL)
        await some.replicas[2].ended(5.0)
        await some.replicas[2].start()
        await some.has_started(some.replicas[2])
        mlflow.calls.clear()
        replies = [await some.caller.run(url, run_id) for run_id in run_ids for url in some.urls]
        assert [] == failures(replies)
        for number, run_id in enumerate(run_ids):
            first, second, newer = (reply.body for reply in replies[3 * number : 3 * number + 3])
            assert run_id == first["run_id"]
            assert first == second == newer
        assert len(run_ids) < mlflow.count("runs/get") <= 2 * len(run_ids)
