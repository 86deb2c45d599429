"""Whenever somebody leaves who has a lease, others need not wait for its end."""

import asyncio
from contextlib import suppress

from service.tracking.questions import ListRuns
from tests.cache.fleet import fleet_of
from tests.cache.scripted import Clock, ScriptedSource, settle
from tests.tracking.values import make_run

RUNS = ListRuns("1", None, None, 40)


async def test_no_lease_stays_behind(clock: Clock) -> None:
    """In whichever turn of the loop a question is given up, its lease is, too; an answer is kept."""
    source = ScriptedSource(*(make_run(f"run{number:02}") for number in range(40)))
    async with fleet_of(1, clock, source) as fleet:
        last = await fleet.replicas[0].cached.answer(RUNS)
        windows = fleet.freshness.windows(RUNS.freshness_of(last.value))
        taken, cancelled = set[int](), 0
        for turns in range(60):
            clock.tick(windows.renewable + 0.25)  # what is stored has to be asked for anew
            task = asyncio.create_task(fleet.add().shared.answer(RUNS))
            for _ in range(turns):
                await asyncio.sleep(0)
            taken.add(len(fleet.server.leases))
            task.cancel()
            with suppress(asyncio.CancelledError):
                assert last.value == (await task).value
            cancelled += task.cancelled()
            await settle()
            assert {} == fleet.server.leases
    assert {0, 1} == taken
    assert 10 <= cancelled < 60
