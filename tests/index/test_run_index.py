"""What answers from the index say of themselves, and how a caller gets what MLflow says now."""

import asyncio
from contextlib import suppress

import pytest

from service.answer import Origin
from service.context import DEADLINE, IS_RENEWAL
from service.errors import UpstreamError, UpstreamTimeout
from service.index.indexed_runs import IndexedRuns
from service.index.run_index import SyncedIndex
from service.tracking.questions import Question
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.queries import Grouping, RunSearch
from tests.index.scripted import BASE_MS, RESEARCH, World


async def world(runs: int = 100) -> World:
    world = World()
    for each in range(runs):
        start = BASE_MS - 10**9 + each * 1_000
        world.mlflow.add(f"r{each:03}", status="FINISHED", start_time=start, end_time=start + 1)
    await world.read()
    await world.pass_time(5)
    return world


async def test_an_answer_is_as_old_as_the_last_tick() -> None:
    """Age counts from the moment when new and active runs were last looked for."""
    one = await world()
    before = one.index.reading(("1",)).age
    one.clock.tick(7)
    answer = await one.search()
    assert (round(before + 7, 6), Origin.HIT) == (round(answer.age, 6), answer.origin)


async def test_a_search_tells_how_fresh_the_index_is() -> None:
    """The page has all hits' number, when runs were last looked for, and since when all were looked at."""
    one = await world()
    page = (await one.search()).value
    assert (100, 50, True) == (page.total, len(page.runs), page.index.complete)
    assert page.index.synced_ms is not None
    assert page.index.swept_ms is not None
    assert BASE_MS < page.index.swept_ms <= page.index.synced_ms <= one.mlflow.now_ms


async def test_groups_are_answered_from_the_same_runs() -> None:
    """A grouping counts all runs of the experiments, and is as old as a page."""
    one = await world()
    answer = await one.index.groups(Grouping(("1",), (Field(FieldKind.ATTRIBUTE, "status"),)))
    assert one.index.age == answer.age
    assert [("FINISHED", 100)] == [(group.key[0], group.runs) for group in answer.value.groups]


async def test_the_version_changes_with_what_an_answer_says() -> None:
    """While nothing happens it is one object; a tick and a change make it another."""
    one = await world()
    before = one.index.version
    await one.search()
    assert before is one.index.version
    await one.pass_time(3)
    after_tick = one.index.version
    assert before is not after_tick
    one.runs.put(one.mlflow.add("new"), one.clock.now)
    assert after_tick is not one.index.version


async def test_a_refresh_brings_what_happened_just_now() -> None:
    """A caller who wants MLflow's own word gets a tick at once, whenever the next one is due."""
    one = await world()
    one.mlflow.add("new")
    answer = await one.index.refresh(("1",))
    assert one.has("new")
    assert Origin.FORCED == answer.origin
    assert answer.age < 0.5


async def test_callers_join_one_refresh() -> None:
    """Who asks before the tick begins shares it; who asks after gets another one."""
    one = await world()
    before = len(one.mlflow.calls)
    await asyncio.gather(*(one.index.refresh(("1",)) for _ in range(20)))
    assert len(one.mlflow.calls) - before <= 3
    await one.index.refresh(("1",))
    assert len(one.mlflow.calls) - before > 3


async def test_whoever_asks_during_a_tick_gets_the_next() -> None:
    """A tick that began before the call may have looked too early, so that it is not joined."""
    one = await world()
    later: list[asyncio.Task[object]] = []

    def while_the_tick_looks() -> None:
        one.mlflow.add("new")
        later.append(asyncio.ensure_future(one.index.refresh(("1",))))

    await one.index.sync.step()
    one.mlflow.meanwhile = while_the_tick_looks
    await one.index.refresh(("1",))
    await asyncio.gather(*later)
    assert one.has("new")


async def test_a_refresh_fails_as_mlflow_does() -> None:
    """Where MLflow fails the caller gets the error and no older answer."""
    one = await world()
    one.mlflow.fails = UpstreamError("cause")
    with pytest.raises(UpstreamError):
        await one.index.refresh(("1",))


async def test_a_refresh_ends_by_the_deadline() -> None:
    """A caller waits no longer than its deadline for the step that is under way."""
    one = await world()
    DEADLINE.set(asyncio.get_running_loop().time() + 0.01)
    async with one.index.sync.alone:
        with pytest.raises(UpstreamTimeout):
            await one.index.refresh(("1",))


async def test_the_index_gives_way_to_callers() -> None:
    """What the index asks by itself is a renewal, for which nobody waits; a refresh is none."""
    one = await world()
    renewals: list[bool] = []
    one.mlflow.meanwhile = lambda: renewals.append(IS_RENEWAL.get())
    await one.index.refresh(("1",))
    assert [False] == renewals
    asked = asyncio.Event()

    def note() -> None:
        renewals.append(IS_RENEWAL.get())
        asked.set()

    one.mlflow.meanwhile = note
    one.clock.tick(100)
    async with one.index.running():
        await asked.wait()
    assert [False, True] == renewals


async def test_a_search_wakes_the_index() -> None:
    """A search after a quiet time makes the index look at once, though it would sleep for a minute."""
    one = await world()
    await one.pass_time(180, in_use=False)
    looked = asyncio.Event()
    async with one.index.running():
        while await one.index.sync.step() < 1:
            pass
        await asyncio.sleep(0)
        one.mlflow.meanwhile = looked.set
        one.index.reading(("1",))
        async with asyncio.timeout(5):
            await looked.wait()


async def test_nothing_runs_once_it_is_closed() -> None:
    """When the context ends so do its tasks, a refresh under way among them."""
    one = await world()
    before = asyncio.all_tasks()
    async with one.index.running():
        waiting = asyncio.ensure_future(one.index.refresh(("1",)))
        await asyncio.sleep(0)
    with suppress(asyncio.CancelledError):
        await waiting
    assert before == asyncio.all_tasks()


async def test_a_frozen_table_takes_what_came_at_the_end() -> None:
    """While a snapshot is written no row changes; what arrives meanwhile is taken then, in order."""
    one = await world()
    with one.runs.frozen() as table:
        one.runs.put(one.mlflow.add("new"), one.clock.now)
        one.runs.drop("r001", one.clock.now)
        assert (100, None) == (len(table), table.run("new"))
    assert one.has("new")
    assert one.runs.table.run("r001") is None


async def test_a_table_is_frozen_by_one_at_a_time() -> None:
    """Of three who wait each has the table as it is, and what comes meanwhile is taken between them."""
    one = await world()
    seen: list[tuple[int, int]] = []

    async def read(name: str) -> None:
        await one.runs.thawed()
        with one.runs.frozen() as table:
            before = len(table)
            one.runs.put(one.mlflow.add(name), one.clock.now)
            await asyncio.sleep(0)
            seen.append((before, len(table)))

    await asyncio.gather(*map(read, ("a", "b", "c")))
    assert [(100, 100), (101, 101), (102, 102)] == seen
    with one.runs.frozen(), pytest.raises(RuntimeError, match="frozen already"), one.runs.frozen():
        pass


async def test_a_restored_index_needs_ticks_only() -> None:
    """An index that begins from a snapshot answers at once, and reads what it missed since."""
    one = await world()
    state = one.index.state()
    assert state is not None
    one.mlflow.add("new", status="FINISHED", end_time=one.mlflow.now_ms)
    one.clock.tick(50)
    runs = IndexedRuns(2**30)
    again = SyncedIndex(
        runs, one.mlflow, one.mlflow, (RESEARCH,), clock=one.clock, now=lambda: one.mlflow.now_ms
    )
    again.restore(one.runs.table, state)
    assert again.covers(("1",))
    assert 50 <= again.age < 60
    before = len(one.mlflow.calls)
    one.runs, one.index = runs, again
    await one.pass_time(3)
    assert one.has("new")
    assert len(one.mlflow.calls) - before <= 8
    assert 101 == (await one.index.search(RunSearch(("1",)))).value.total
    questions: list[Question[object]] = [question for _, question, _ in one.mlflow.calls[before:]]
    assert max(getattr(question, "limit", 0) for question in questions[:4]) <= 200
