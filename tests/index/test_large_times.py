"""Start times beyond 2^53, where doubles are more than 1 apart: importers that log nanoseconds have them."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.index.schedule import Step
from service.index.table import RunTable
from service.index.windows import Walk, next_mark
from service.tracking.questions import SearchRuns
from service.tracking.search.expressions import Operator
from tests.cache.scripted import Clock
from tests.fakes.mlflow import FakeMlflow
from tests.index.scripted import ScriptedMlflow, World
from tests.index.test_over_the_fake import indexed
from tests.tracking.values import make_run

NS = 1_764_201_600_000_000_000  # a time in nanoseconds, where doubles lie 256 apart
FIRST, LAST = -(2**63), 2**63 - 1  # of int64

IMPORTED = {
    "one nanosecond": [NS + 1] * 1_500,
    "one nanosecond below its double": [NS + 129] * 1_500,
    "a nanosecond apart": [NS + 1] * 100 + [NS + each for each in range(1_500)],
    "half of them a nanosecond apart": [NS] * 1_250 + [NS + each for each in range(1_250)],
    "two apart above 2^53": [2**53 + 1 + 2 * each for each in range(1_500)],
    "the last of int64": [LAST] * 1_500,
    "the first of int64": [0] * 300 + [FIRST] * 1_500,
    "both ends of int64": [each for each in (LAST, LAST - 1, 0, FIRST + 1, FIRST) for _ in range(300)],
    "seconds, milliseconds and nanoseconds": [
        NS // 10**power + each for power in (9, 6, 0) for each in range(500)
    ],
}


def imported(starts: Sequence[int]) -> World:
    """An index that has read nothing yet of runs that started then."""
    world = World()
    for each, start in enumerate(starts):
        world.mlflow.add(f"r{each:05}", status="FINISHED", start_time=start, end_time=start)
    return world


def asked_by_id(world: World) -> int:
    """How many searches for ids MLflow has been asked."""
    questions = [question for _, question, _ in world.mlflow.calls if isinstance(question, SearchRuns)]
    conditions = [condition for question in questions for condition in question.conditions]
    return sum(condition.operator is Operator.IN for condition in conditions)


@pytest.mark.parametrize("starts", IMPORTED.values(), ids=IMPORTED)
async def test_every_run_is_read(starts: Sequence[int]) -> None:
    """An index that is complete has every run, whatever int64 their start times are."""
    world = imported(starts)
    await world.until(lambda: world.index.condition == "complete", 1_000)
    assert world.mlflow.visible().keys() == world.indexed().keys()


@pytest.mark.parametrize("starts", IMPORTED.values(), ids=IMPORTED)
async def test_no_run_that_is_there_is_doubted(starts: Sequence[int]) -> None:
    """The first read and the sweeps after it ask for pages alone: no run is suspected of being deleted."""
    world = imported(starts)
    await world.until(lambda: world.index.condition == "complete", 1_000)
    await world.pass_time(300)
    assert 0 == asked_by_id(world)


@pytest.mark.parametrize("start", [NS + 129, NS + 127, LAST])
async def test_no_active_run_that_is_there_is_doubted(start: int) -> None:
    """Ticks read the newest active runs, and miss none of those that started in the same nanosecond."""
    world = World()
    for each in range(120):
        world.mlflow.add(f"r{each:05}", start_time=start)
    await world.read()
    await world.pass_time(30)
    assert 0 == asked_by_id(world)


async def test_ticks_go_on_where_every_run_started_at_the_first_of_int64(fake: FakeMlflow) -> None:
    """The mark of such runs is an int64 that MLflow can be asked for, so that a new run is found."""
    for _ in range(3):
        fake.add_run(start_time=FIRST, end_time=FIRST)
    async with indexed(fake) as one:
        new = fake.add_run(status="RUNNING")
        await one.until(lambda: one.run(new) is not None)
        fake.store.runs[new].update(status="FINISHED", end_time=fake.store.now())
        await one.until(lambda: (run := one.run(new)) is not None and run.is_terminal)
        assert 0 == one.index.sync.schedule.rounds[Step.TICK].failures


@pytest.mark.parametrize("runs", [1, 10, 20])
def test_a_mark_is_an_int64(runs: int) -> None:
    """A mark is never before all times that there can be."""
    assert FIRST == next_mark(None, [FIRST] * runs, NS)


@pytest.mark.parametrize("start", [NS + 1, NS + 129, 2**53 + 1, LAST, FIRST])
def test_a_run_that_is_read_again_has_not_changed(start: int) -> None:
    """The index rounds its times, and what rounds to the same is the same."""
    table = RunTable()
    run = make_run("a", start_time=start, end_time=start)
    assert table.put(run, 1.0) is not None
    assert not table.is_news(run, 2.0)
    assert table.put(run, 3.0) is None
    kept = table.run("a")
    assert kept is not None
    assert FIRST <= (kept.start_time or 0) <= LAST


async def test_a_deleted_run_among_them_leaves() -> None:
    """A sweep drops a run that is gone, though its start time is a double with many others."""
    world = imported([NS + each for each in range(1_500)])
    await world.read()
    for each in (0, 700, 1_000, 1_499):
        del world.mlflow.stored[f"r{each:05}"]
    await world.pass_time(300)
    assert world.mlflow.visible().keys() == world.indexed().keys()


AROUND = st.builds(
    lambda base, offset: min(max(base + offset, FIRST), LAST),
    st.sampled_from([FIRST, -NS, -(2**54), -(2**53), 0, 2**53, 2**54, NS, 2**62, LAST]),
    st.integers(-600, 600),
)


@given(
    st.lists(st.one_of(AROUND, st.integers(FIRST, LAST)), min_size=1, max_size=60),
    st.integers(1, 12),
)
@example([NS, NS + 1, NS + 2, NS + 128, NS + 129, NS + 256] * 4, 3)
@example([LAST, LAST, LAST - 1, FIRST, FIRST + 1, FIRST, FIRST], 2)
@settings(deadline=None)
def test_a_window_has_come_when_it_says_so(starts: Sequence[int], size: int) -> None:
    """Each run that the index has in a window came since the window was begun, and every run is in one."""
    mlflow = ScriptedMlflow(Clock())
    for each, start in enumerate(starts):
        mlflow.add(f"r{each}", start_time=start)
    came: dict[str, float] = {}
    covered: set[str] = set()

    async def read() -> None:
        walk = Walk(("1",), 0.0, 0)
        for call in range(3 * len(starts)):
            page = (await mlflow.answer(walk.question(size))).value
            came.update({run.run_id: float(call) for run in page.runs})
            window = walk.take(page, float(call))
            if window is not None:
                within = {
                    run_id
                    for run_id, run in mlflow.stored.items()
                    if window.lo <= float(run.start_time or 0) < window.hi
                }
                assert within == {run_id for run_id in within if came.get(run_id, -1.0) >= window.since}
                covered.update(within)
            if walk.is_done:
                return
        pytest.fail("the walk does not end")

    asyncio.run(read())
    assert mlflow.stored.keys() == covered


@pytest.mark.parametrize(
    "starts",
    [IMPORTED["a nanosecond apart"], IMPORTED["both ends of int64"]],
    ids=["nanoseconds", "ends of int64"],
)
async def test_it_is_read_through_mlflows_own_filters(fake: FakeMlflow, starts: Sequence[int]) -> None:
    """The text that MLflow is asked has the exact time, so that every run comes over HTTP, too."""
    expected = {fake.add_run(start_time=start, end_time=start) for start in starts}
    async with indexed(fake) as one:
        assert expected == set(one.index.table.run_ids())
