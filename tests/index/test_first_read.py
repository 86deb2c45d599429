"""Every run is read once, whatever happens meanwhile."""

import pytest

from service.errors import IndexNotReady, IndexTooLarge
from service.index.run_index import SyncedIndex
from service.tracking.questions import SearchRuns
from service.tracking.search.queries import RunSearch
from tests.index.scripted import BASE_MS, World

HISTORY = 10**9  # milliseconds


def world_of(runs: int, **options: int) -> World:
    """An index that has read nothing yet of so many runs that ended long ago."""
    world = World(**options)  # type: ignore[arg-type] # max_bytes
    span = HISTORY // max(runs, 1)
    for each in range(runs):
        start = BASE_MS - HISTORY + each * span
        world.mlflow.add(f"r{each:05}", status="FINISHED", start_time=start, end_time=start + 1)
    return world


async def halfway(world: World, share: float = 0.3) -> SyncedIndex:
    """The index once so much of it has been read, while nobody searches."""
    while world.index.status(("1",)).share_read < share:
        await world.pass_time(1, in_use=False)
    assert not world.index.covers(("1",))
    return world.index


async def test_it_begins_with_the_newest() -> None:
    """The runs that somebody asks for first are there first."""
    world = world_of(1_000)
    await halfway(world)
    assert world.has("r00999")
    assert not world.has("r00000")


async def test_a_search_before_its_end_says_how_far_it_is() -> None:
    """What the index cannot answer yet is refused with the share that has been read."""
    world = world_of(1_000)
    index = await halfway(world)
    with pytest.raises(IndexNotReady) as refusal:
        await index.search(RunSearch(("1",)))
    assert 0.3 <= refusal.value.share_read < 1.0
    assert refusal.value.retry_after > 0
    assert "reading" == index.condition


async def test_runs_that_come_and_go_meanwhile() -> None:
    """Runs that begin, end, or vanish while runs are read are in the end as MLflow has them."""
    world = world_of(1_000)
    for each in range(40):
        await world.pass_time(0.5, in_use=False)
        world.mlflow.add(f"new{each}")
        del world.mlflow.stored[f"r{999 - each:05}"]
        world.mlflow.change(f"r{each * 9:05}", is_deleted=True)
    await world.read()
    await world.pass_time(300)
    assert world.mlflow.visible() == world.indexed()


async def test_a_run_that_vanishes_behind_the_reader_is_gone_after_a_sweep() -> None:
    """A run that was read and deleted before the first read was over leaves with the next sweep."""
    world = world_of(1_000)
    await halfway(world)
    del world.mlflow.stored["r00999"]
    await world.read()
    await world.pass_time(300)
    assert world.mlflow.visible() == world.indexed()


async def test_many_runs_in_one_millisecond() -> None:
    """A millisecond that has more runs than a page is read to its end, and what is before it, too."""
    world = world_of(500)
    for each in range(1_500):
        start = BASE_MS - HISTORY // 2
        world.mlflow.add(f"same{each:04}", status="FINISHED", start_time=start, end_time=start + 1)
    await world.read()
    assert world.mlflow.visible() == world.indexed()


async def test_runs_without_a_start_time_come_with_the_last_page() -> None:
    """A run that has no start time, which MLflow itself never lets be, is read where the pages reach it."""
    world = world_of(50)
    world.mlflow.add("timeless", start_time=None)
    await world.read()
    assert world.has("timeless")


async def test_no_call_takes_much_longer_than_a_second() -> None:
    """Pages are halved where MLflow is slow, so that no call holds a worker for long."""
    world = world_of(2_000)
    await world.read()
    slow = [seconds for _, question, seconds in world.mlflow.calls if isinstance(question, SearchRuns)]
    assert max(slow) <= 1.3


async def test_unreadable_runs_are_not_taken_for_deleted() -> None:
    """A run that cannot be read any more stays as it was, while its deleted neighbours leave."""
    world = world_of(300)
    await world.read()
    kept = world.runs.table.run("r00007")
    world.mlflow.unreadable.add("r00007")
    for each in (5, 6, 8, 200):
        del world.mlflow.stored[f"r{each:05}"]
    await world.pass_time(300)
    assert world.mlflow.visible() | {"r00007": kept} == world.indexed()


async def test_too_many_runs_switch_the_index_off(caplog: pytest.LogCaptureFixture) -> None:
    """Above its memory the index is emptied, says so once, asks nothing more, and refuses searches."""
    world = world_of(5_000, max_bytes=200_000)
    while not world.runs.is_too_large:
        await world.pass_time(1, in_use=False)
    await world.index.run()
    assert 0 == len(world.runs.table)
    assert "too_large" == world.index.condition
    with pytest.raises(IndexTooLarge):
        await world.search()
    [record] = [one for one in caplog.records if one.levelname == "ERROR"]
    assert "TRACKING_INDEX__MAX_BYTES" in record.getMessage()
