"""What the index costs MLflow, by MLflow's own clock."""

from math import inf

from service.index.schedule import Pace, Step
from service.tracking.questions import SearchRuns
from tests.index.scripted import BASE_MS, World

HOUR = 3_600.0


def world_of(runs: int) -> World:
    """An index over so many runs of the last month, some of which are active."""
    world = World(pace=Pace(tick=2.0, share=0.1, first_share=0.25))
    for each in range(runs):
        start = BASE_MS - 30 * 86_400_000 + each * 86_400
        if each % 50 == 3:
            world.mlflow.add(f"r{each}", start_time=start)
        else:
            world.mlflow.add(f"r{each}", status="FINISHED", start_time=start, end_time=start + 1)
    return world


async def test_a_busy_hour_costs_a_tenth_of_a_worker() -> None:
    """While people search for an hour, and runs begin and end, MLflow works for the index for six minutes."""
    world = world_of(400)
    await world.read()
    began = world.clock.now
    for each in range(60):
        world.mlflow.add(f"new{each}")
        if each > 5:
            world.mlflow.end(f"new{each - 5}")
        if each % 7 == 0:
            await world.search()
        await world.pass_time(HOUR / 60)
    took = world.clock.now - began
    assert world.mlflow.seconds(began) <= 0.1 * took + 1.0


async def test_a_sweep_goes_on_beside_ticks() -> None:
    """Between two ticks there is time for a page, whatever part of the share ticks use."""
    for runs in (5, 400):
        world = world_of(runs)
        await world.read()
        await world.pass_time(HOUR / 4)
        assert world.index.sync.steps[Step.SWEEP, "done"] > 3, runs


async def test_the_first_read_costs_a_quarter_of_a_worker() -> None:
    """Until every run has been read the greater share holds, and it is used."""
    world = world_of(1_500)
    began = world.clock.now
    await world.read()
    share = world.mlflow.seconds(began) / (world.clock.now - began)
    assert 0.15 <= share <= 0.25 + 1.0 / (world.clock.now - began)


async def test_nobody_searches() -> None:
    """An index that nobody searches makes two calls a minute at most, experiments included."""
    world = world_of(300)
    await world.read()
    await world.pass_time(180, in_use=False)
    began = world.clock.now
    await world.pass_time(HOUR, in_use=False)
    times = [at for at, _, _ in world.mlflow.calls if at >= began]
    assert 60 < len(times) <= 120
    assert all(sum(at <= one < at + 59.9 for one in times) <= 2 for at in times)


async def test_a_tick_makes_three_calls_at_most() -> None:
    """Between two pauses of a busy index there are never more than three calls of ticks."""
    world = world_of(300)
    await world.read()
    await world.pass_time(60)
    for each in range(120):
        before = len(world.mlflow.calls)
        ticks = world.index.sync.schedule.rounds[Step.TICK].began
        world.mlflow.add(f"new{each}")
        if each > 3:
            world.mlflow.end(f"new{each - 3}")
        while world.index.sync.schedule.rounds[Step.TICK].began == ticks:
            before = len(world.mlflow.calls)
            world.index.reading(("1",))
            world.clock.tick(await world.index.sync.step())
        assert len(world.mlflow.calls) - before <= 3


async def test_a_tick_reads_few_runs_again() -> None:
    """Of hundreds of runs that ended a moment ago a tick reads ten again, and no more."""
    world = world_of(0)
    for each in range(400):
        world.mlflow.add(f"r{each:03}", status="FINISHED", end_time=world.mlflow.now_ms + each)
        world.clock.tick(0.2)
    await world.read()
    await world.pass_time(50)
    for step in (Step.HOUR, Step.DAY, Step.SWEEP):
        world.index.sync.schedule.rounds[step].not_before = inf
    began = world.clock.now
    await world.pass_time(5)
    calls = [call for call in world.mlflow.calls if call[0] >= began]
    searches = [seconds for _, question, seconds in calls if isinstance(question, SearchRuns)]
    assert searches
    assert max(searches) < 0.1


async def test_a_slow_mlflow_gets_fewer_ticks() -> None:
    """Where one call takes MLflow a second, a tick is made each half minute at most."""
    world = world_of(0)
    for each in range(50):
        world.mlflow.add(f"active{each}", start_time=BASE_MS - each)
    await world.read()
    await world.pass_time(60)
    began = world.clock.now
    await world.pass_time(600)
    assert world.mlflow.seconds(began) <= 0.1 * 600 + 1.0


async def test_runs_that_were_imported_at_once_are_not_read_by_each_tick() -> None:
    """Where hundreds of runs ended in one millisecond, ticks read them once, and new runs are still found."""
    world = World(pace=Pace(tick=2.0, share=0.1, first_share=0.25))
    for each in range(300):
        world.mlflow.add(f"r{each}", status="FINISHED", start_time=BASE_MS - each, end_time=BASE_MS)
    await world.read()
    await world.pass_time(60)
    world.index.sync.schedule.rounds[Step.SWEEP].not_before = inf
    began = world.clock.now
    await world.pass_time(20)
    assert world.mlflow.seconds(began) < 2.0
    world.mlflow.add("new", status="FINISHED", end_time=world.mlflow.now_ms)
    assert 3.0 >= await world.until(lambda: world.has("new"), 60)
