"""The index over MlflowClient and a served MLflow: HTTP, MLflow's filters, real time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.index.indexed_runs import IndexedRuns
from service.index.run_index import SyncedIndex
from service.index.schedule import Pace, Step
from service.tracking.questions import SearchRuns
from service.tracking.runs import Run
from service.tracking.search.queries import RunSearch
from service.upstream.client import MlflowClient
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes.mlflow import FakeMlflow

HURRY = Pace(tick=0.02, share=1.0, first_share=1.0, terminal_ttl=0.05, active_ttl=0.05)
DAY = 86_400_000


@dataclass
class Indexed:
    """An index that keeps in step with a served MLflow, and the client that it asks."""

    index: SyncedIndex
    client: MlflowClient

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Search until something is so."""
        async with asyncio.timeout(120):
            while not is_so():
                self.index.reading(("0",))
                if self.index.covers(("0",)):
                    await self.index.search(RunSearch(("0",)))
                await asyncio.sleep(0.01)

    def run(self, run_id: str) -> Run | None:
        """A run as the index has it."""
        return self.index.table.run(run_id)


@asynccontextmanager
async def indexed(fake: FakeMlflow) -> AsyncIterator[Indexed]:
    """An index of the default experiment, complete."""
    async with MlflowTransport(fake.url, Limits()) as transport:
        client = MlflowClient(transport)
        index = SyncedIndex(
            IndexedRuns(2**30), client, client, ("Default",), HURRY, now=lambda: fake.store.now() + DAY
        )
        one = Indexed(index, client)
        async with index.running():
            await one.until(lambda: index.covers(("0",)) and index.sync.synced is not None)
            yield one


async def every_run(client: MlflowClient) -> dict[str, Run]:
    """All runs of the default experiment, page by page, as the client reads them."""
    runs: dict[str, Run] = {}
    token = ""
    while True:
        page = (await client.answer(SearchRuns(("0",), limit=1_000, page_token=token))).value
        runs |= {run.run_id: run for run in page.runs}
        token = page.next_page_token
        if not token:
            return runs


async def test_the_index_equals_mlflow_row_by_row(fake: FakeMlflow) -> None:
    """Runs of many pages, 450 of them in one millisecond, are as MLflow answers them, metrics and all."""
    for each in range(700):
        fake.add_run(
            start_time=1_000 if each % 14 < 9 else 5_000 + each // 3,
            end_time=90_000,
            params={"lr": f"0.{each}"},
            metrics={"loss": each / 7, "nan": float("nan")},
            tags={"run_type": f"t{each % 3}"},
        )
    fake.add_run(lifecycle_stage="deleted")
    async with indexed(fake) as one:
        expected = await every_run(one.client)
        assert 700 == len(expected)
        assert expected == {run_id: one.run(run_id) for run_id in one.index.table.run_ids()}


async def test_what_happens_in_mlflow_is_seen(fake: FakeMlflow) -> None:
    """New, changed, ended and deleted runs, and a late tag, are found through MLflow's own filters."""
    old = [fake.add_run(end_time=fake.store.now()) for _ in range(30)]
    async with indexed(fake) as one:
        new = fake.add_run(status="RUNNING")
        await one.until(lambda: one.run(new) is not None)
        fake.store.runs[new].set_tag("verdict", "champion")
        await one.until(lambda: (run := one.run(new)) is not None and "verdict" in run.tags)
        fake.store.runs[new].update(status="FINISHED", end_time=fake.store.now())
        await one.until(lambda: (run := one.run(new)) is not None and run.is_terminal)
        fake.store.runs[old[2]].set_tag("verdict", "late")
        await one.until(lambda: (run := one.run(old[2])) is not None and "verdict" in run.tags)
        fake.store.runs[old[3]].move_to("deleted")
        await one.until(lambda: one.run(old[3]) is None)
        page = (await one.index.search(RunSearch(("0",), page_size=5))).value
        assert (30, new) == (page.total, page.runs[0].run_id)


async def test_an_mlflow_that_starts_later(fake: FakeMlflow) -> None:
    """An index that finds no MLflow tries again until there is one."""
    run_id = fake.add_run()
    await fake.stop()
    async with MlflowTransport(fake.url, Limits(attempts=1)) as transport:
        client = MlflowClient(transport)
        one = Indexed(SyncedIndex(IndexedRuns(2**30), client, client, ("Default",), HURRY), client)
        async with one.index.running():
            await one.until(lambda: bool(one.index.sync.schedule.rounds[Step.SCOPE].failures))
            await fake.start()
            await one.until(lambda: one.run(run_id) is not None)
            await one.until(lambda: one.index.covers(("0",)))
