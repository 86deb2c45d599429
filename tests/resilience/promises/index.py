"""Promise 12: however MLflow fails, in the end the index of runs is as MLflow is, row by row."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from service.index.indexed_runs import IndexedRuns
from service.index.run_index import SyncedIndex
from service.index.schedule import Pace
from service.tracking.questions import SearchRuns
from service.tracking.runs import Run
from service.tracking.search.queries import RunSearch
from service.upstream.client import MlflowClient
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes.mlflow import FakeMlflow
from tests.resilience import proxy as wire
from tests.resilience.measure import eventually
from tests.resilience.promises.figures import Figure, Figures
from tests.resilience.proxy import FaultProxy

_RUNS = 400
_PACE = Pace(tick=0.2, share=1.0, first_share=1.0, terminal_ttl=1.0, active_ttl=0.2)
_LIMITS = Limits(deadline=2.0, connect_timeout=0.2, read_timeout=1.0)
_QUIET = 150.0  # seconds in which the longest pause ends, and two sweeps

Misbehave = Callable[[FakeMlflow, FaultProxy], Awaitable[None]]


async def index(seconds: float, misbehave: Misbehave) -> Figures:
    """Runs come, change and go for so long while MLflow misbehaves; then the index has what MLflow has."""
    async with (
        FakeMlflow().serve() as fake,
        FaultProxy(fake.url) as proxy,
        MlflowTransport(proxy.url, _LIMITS) as transport,
        MlflowTransport(fake.url, Limits()) as direct,
    ):
        for each in range(_RUNS):
            _add(fake, _now() - each * 1_000, "FINISHED")
        client = MlflowClient(transport)
        synced = SyncedIndex(IndexedRuns(2**30), client, client, ("Default",), _PACE)
        async with synced.running():
            searching = asyncio.create_task(_search(synced))
            troubles = [asyncio.ensure_future(misbehave(fake, proxy)), asyncio.create_task(_live(fake))]
            await asyncio.sleep(seconds)
            for trouble in troubles:
                trouble.cancel()
            await asyncio.gather(*troubles, return_exceptions=True)
            fake.before = None
            await proxy.refuse()
            await proxy.listen()
            await proxy.behave(wire.forward)
            runs = await _every_run(MlflowClient(direct))
            began = time.monotonic()
            await eventually(
                lambda: not differing(synced, runs), lambda: f"{differing(synced, runs)}", _QUIET
            )
            took = time.monotonic() - began
            searching.cancel()
    steps = synced.sync.steps
    failed = sum(number for (_, outcome), number in steps.items() if outcome != "done")
    print(f"{len(runs)} runs; of {steps.total()} steps of the index {failed} failed or were held back")
    return [Figure("the index is as MLflow is after", took, _QUIET, " s")]


def differing(synced: SyncedIndex, runs: dict[str, Run]) -> list[str]:
    """The ids of the runs that the index has otherwise than MLflow."""
    known = {run_id: synced.table.run(run_id) for run_id in synced.table.run_ids()}
    return [run_id for run_id in known.keys() | runs.keys() if known.get(run_id) != runs.get(run_id)]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _add(fake: FakeMlflow, start_time: int, status: str) -> None:
    fake.add_run(start_time=start_time, status=status, end_time=_now() if status == "FINISHED" else None)


async def _live(fake: FakeMlflow) -> None:
    """What people do: begin runs, end them, tag and delete old ones, restore what was deleted."""
    while True:
        await asyncio.sleep(random.expovariate(5.0))
        run = random.choice(list(fake.store.runs.values()))
        match random.randrange(5):
            case 0:
                _add(fake, _now(), "RUNNING")
            case 1:
                run.update(status="FINISHED", end_time=_now())
            case 2:
                run.update(status="RUNNING")
            case 3:
                run.set_tag("verdict", f"{random.random()}")
            case _:
                run.move_to(random.choice(["deleted", "active"]))


async def _search(synced: SyncedIndex) -> None:
    """Somebody looks at the newest runs all the time."""
    while True:
        synced.reading(("0",))
        if synced.covers(("0",)):
            await synced.search(RunSearch(("0",)))
        await asyncio.sleep(0.2)


async def _every_run(client: MlflowClient) -> dict[str, Run]:
    runs: dict[str, Run] = {}
    token = ""
    while True:
        page = (await client.answer(SearchRuns(("0",), limit=500, page_token=token))).value
        runs |= {run.run_id: run for run in page.runs}
        token = page.next_page_token
        if not token:
            return runs
