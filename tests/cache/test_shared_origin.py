"""What an answer that the store had says of itself: it was no miss, its age, and how long it lasts."""

import asyncio

from service.answer import Origin
from service.tracking.questions import GetRun
from tests.cache.fleet import fleet_of
from tests.cache.scripted import Clock, ScriptedSource


async def test_who_waited_for_another_replica_was_collapsed_with_it(
    clock: Clock, source: ScriptedSource
) -> None:
    """MLflow was asked once for both: the answers say so, whichever replica its caller had come to."""
    async with fleet_of(2, clock, source) as fleet:
        source.holds = True
        asked = [
            asyncio.create_task(one.cached.answer(GetRun("done"))) for one in fleet.replicas for _ in "ab"
        ]
        await fleet.passes(1.0)
        source.release()
        await fleet.passes(1.0)
        origins = [(await one).origin for one in asked]
    assert [Origin.MISS, *[Origin.COLLAPSED] * 3] == origins


async def test_what_the_store_had_is_no_miss(clock: Clock, source: ScriptedSource) -> None:
    """The first replica asks MLflow; the second gets the same from the store, as old as it is by then."""
    async with fleet_of(2, clock, source) as fleet:
        first, second = fleet.replicas
        assert Origin.MISS is (await first.cached.answer(GetRun("done"))).origin
        await fleet.passes(3.0)
        answer = await second.cached.answer(GetRun("done"))
        assert Origin.SHARED is answer.origin
        assert 2.9 <= answer.age <= 3.1
        fresh = fleet.freshness.windows(GetRun("done").freshness_of(answer.value)).fresh
        assert fresh - 3.1 <= answer.left <= fresh - 2.9
        again = await second.cached.answer(GetRun("done"))
        assert Origin.HIT is again.origin
