"""What happens in MLflow is in the index within the time that is promised."""

from math import inf

from service.index.schedule import Pace, Step
from tests.index.scripted import BASE_MS, World

TICK = 2.0
ONE_TICK = TICK + 1.0  # seconds within which a tick finds what it can find
HOUR_MS = 3_600_000


async def world(runs: int = 300, age_ms: int = 30 * 24 * HOUR_MS, *, sweeps: bool = False) -> World:
    """An index that has read runs that all ended long ago. sweeps: whether it reads all of them again."""
    world = World(pace=Pace(tick=TICK))
    for each in range(runs):
        start = BASE_MS - age_ms + each * 1_000
        world.mlflow.add(f"old{each}", status="FINISHED", start_time=start, end_time=start + 500)
    await world.read()
    await world.pass_time(15)
    if not sweeps:
        world.index.sync.schedule.rounds[Step.SWEEP].not_before = inf
    return world


async def test_the_first_read_brings_every_run() -> None:
    """Once the index is complete it has each run as MLflow has it, and says when it began to read."""
    one = await world(1_234)
    assert one.mlflow.visible() == one.indexed()
    status = one.index.status(("1",))
    assert (True, 1_234, 1.0) == (status.complete, status.runs, status.share_read)


async def test_a_new_run_is_visible_within_a_tick() -> None:
    """A run that has just been created is found as an active one."""
    one = await world()
    one.mlflow.add("new")
    assert ONE_TICK >= await one.until(lambda: one.has("new"), 60)


async def test_a_run_that_lives_shorter_than_a_tick_is_visible_within_a_tick() -> None:
    """A run that began and ended between two ticks is found by its end."""
    one = await world()
    one.mlflow.add("short")
    one.mlflow.end("short")
    assert ONE_TICK >= await one.until(lambda: one.has("short"), 60)


async def test_a_change_of_an_active_run_is_visible_within_a_tick() -> None:
    """Active runs are read as wholes by each tick."""
    one = await world()
    one.mlflow.add("new")
    await one.until(lambda: one.has("new"), 60)
    one.mlflow.change("new", metrics={"loss": 0.5})
    assert ONE_TICK >= await one.until(lambda: one.has("new"), 60)


async def test_the_end_of_a_run_is_visible_within_a_tick() -> None:
    """A run that has ended is found by its end."""
    one = await world()
    one.mlflow.add("new")
    await one.until(lambda: one.has("new"), 60)
    one.mlflow.end("new")
    assert ONE_TICK >= await one.until(lambda: one.has("new"), 60)


async def test_the_end_of_a_run_by_a_late_clock_is_visible_within_a_tick() -> None:
    """A run that is no longer among the active ones is asked for by its id."""
    one = await world()
    one.mlflow.add("new")
    await one.until(lambda: one.has("new"), 60)
    one.mlflow.end("new", end_time=one.mlflow.now_ms - 50 * 24 * HOUR_MS)
    assert ONE_TICK >= await one.until(lambda: one.has("new"), 60)


async def test_a_deleted_active_run_is_gone_within_a_tick() -> None:
    """So is one that is no longer there at all."""
    one = await world()
    one.mlflow.add("new")
    one.mlflow.add("newer")
    await one.until(lambda: one.has("new") and one.has("newer"), 60)
    one.mlflow.change("new", is_deleted=True)
    del one.mlflow.stored["newer"]
    assert ONE_TICK >= await one.until(lambda: one.has("new") and one.has("newer"), 60)


async def test_a_resumed_run_is_visible_within_ten_seconds_and_a_tick() -> None:
    """A run that goes on keeps its old end_time, and is found among the active ones."""
    one = await world()
    one.mlflow.change("old3", status="RUNNING")
    assert ONE_TICK + 10 >= await one.until(lambda: one.has("old3"), 60)


async def test_a_tag_on_a_run_that_ended_just_now_is_visible_within_a_minute() -> None:
    """Runs that ended in the last hour are read each minute."""
    one = await world()
    one.mlflow.add("new")
    one.mlflow.end("new")
    await one.pass_time(20 * 60)
    for each in range(20):
        one.mlflow.add(f"newer{each}", status="FINISHED", end_time=one.mlflow.now_ms)
    await one.pass_time(60)
    one.mlflow.tag("new", "champion")
    assert 62 >= await one.until(lambda: one.has("new"), 600)


async def test_a_run_deleted_just_after_its_end_is_gone_within_a_minute() -> None:
    """A run that should be among those of the last hour and is not is asked for by its id."""
    one = await world()
    one.mlflow.add("new")
    one.mlflow.end("new")
    await one.pass_time(200)
    one.mlflow.change("new", is_deleted=True)
    assert 75 >= await one.until(lambda: one.has("new"), 600)


async def test_a_late_tag_is_visible_within_a_sweep() -> None:
    """A tag that is set on an old run changes nothing that can be searched for: the sweep finds it."""
    one = await world(sweeps=True)
    one.mlflow.tag("old7", "champion")
    assert 120 >= await one.until(lambda: one.has("old7"), 3_600)


async def test_deleted_and_restored_runs_are_found_by_the_sweep() -> None:
    """A run that is deleted leaves the index, be it for good, and one that is restored comes back."""
    one = await world(sweeps=True)
    del one.mlflow.stored["old5"]
    one.mlflow.change("old6", is_deleted=True)
    assert 120 >= await one.until(lambda: one.has("old5") and one.has("old6"), 3_600)
    one.mlflow.change("old6", is_deleted=False)
    assert 120 >= await one.until(lambda: one.has("old6"), 3_600)


async def test_a_run_with_an_old_date_is_found_by_the_sweep() -> None:
    """A run that is imported with the dates of last year comes within a sweep."""
    one = await world(sweeps=True)
    one.mlflow.add("import", status="FINISHED", start_time=BASE_MS - 10**10, end_time=BASE_MS - 10**10 + 5)
    assert 120 >= await one.until(lambda: one.has("import"), 3_600)


async def test_a_shown_row_is_verified_behind_the_answer() -> None:
    """A tag on an old run is visible from the second look on, long before the sweep gets there."""
    one = await world(3_000, age_ms=60 * 24 * HOUR_MS)
    await one.pass_time(35)
    newest = "old2999"
    one.mlflow.tag(newest, "champion")
    page = (await one.search()).value
    assert newest == page.runs[0].run_id
    assert "verdict" not in page.runs[0].tags
    assert 10 >= await one.until(lambda: one.has(newest), 3_600)
    assert "champion" == (await one.search()).value.runs[0].tags["verdict"]


async def test_shown_rows_that_are_too_much_for_one_answer_are_verified_in_parts() -> None:
    """Runs with large parameters may be more than an answer may hold long before they are a hundred."""
    one = await world(3_000, age_ms=60 * 24 * HOUR_MS)
    await one.pass_time(35)
    one.mlflow.most_runs = 20
    last = (await one.search()).value.runs[-1].run_id
    one.mlflow.tag(last, "champion")
    await one.search()
    assert 60 >= await one.until(lambda: one.has(last), 3_600)
    assert "complete" == one.index.condition


async def test_active_runs_that_are_too_much_for_one_answer_are_verified_in_parts() -> None:
    """Runs that were deleted while they were active leave the index, and ticks go on."""
    one = await world()
    for each in range(40):
        one.mlflow.add(f"active{each:02}")
    await one.pass_time(10)
    one.mlflow.most_runs = 15
    for each in range(10):
        del one.mlflow.stored[f"active{each:02}"]
    for each in range(10, 40):
        one.mlflow.change(f"active{each:02}", status="FINISHED", end_time=5)  # long before the mark
    assert 120 >= await one.until(lambda: one.indexed() == one.mlflow.visible(), 3_600)


async def test_more_active_runs_than_a_tick_reads_are_read_each_minute() -> None:
    """With 80 active runs the newest 50 belong to the tick, the others to a minute."""
    one = await world()
    for each in range(80):
        one.mlflow.add(f"zombie{each:02}", start_time=one.mlflow.now_ms - 10**9 + each)
    await one.pass_time(120)
    one.mlflow.end("zombie00", end_time=5)
    one.mlflow.tag("zombie01", "champion")
    assert 75 >= await one.until(lambda: one.has("zombie00") and one.has("zombie01"), 600)


async def test_a_burst_of_runs_is_visible_within_a_tick() -> None:
    """More runs than a page that began and ended since the last tick all come."""
    one = await world()
    for each in range(700):
        one.mlflow.add(f"burst{each}", status="FINISHED", end_time=one.mlflow.now_ms)
    began, seen = one.clock.now, list[float]()

    def look() -> None:  # with each call, for the step that brings them may go on for longer
        if one.mlflow.visible() == one.indexed():
            seen.append(one.clock.now - began)
        else:
            one.mlflow.meanwhile = look

    one.mlflow.meanwhile = look
    await one.until(lambda: bool(seen), 60)
    assert 8 >= seen[0]


async def test_a_clock_that_is_ahead_hides_no_run() -> None:
    """Runs that start next year, by their client's clock, cost a tick nothing and hide no new run."""
    one = await world(sweeps=True)
    for each in range(400):
        year = one.mlflow.now_ms + 365 * 24 * HOUR_MS
        one.mlflow.add(f"ahead{each}", status="FINISHED", start_time=year, end_time=year + 1)
    await one.pass_time(300)
    assert one.mlflow.visible() == one.indexed()
    for each in range(3):
        one.mlflow.add(f"new{each}", status="FINISHED", end_time=one.mlflow.now_ms)
        assert ONE_TICK >= await one.until(lambda run_id=f"new{each}": one.has(run_id), 60)  # type: ignore[misc]


async def test_an_index_that_starts_among_runs_of_the_future() -> None:
    """Where the newest runs are all dated ahead, the first tick begins at those that are not."""
    one = World()
    for each in range(50):
        one.mlflow.add(
            f"ahead{each}", start_time=one.mlflow.now_ms + 10**10, status="FINISHED", end_time=10**14
        )
    one.mlflow.add("old", status="FINISHED", end_time=one.mlflow.now_ms)
    await one.read()
    await one.pass_time(5)
    one.index.sync.schedule.rounds[Step.SWEEP].not_before = inf
    one.mlflow.add("new", status="FINISHED", end_time=one.mlflow.now_ms)
    assert ONE_TICK >= await one.until(lambda: one.has("new"), 60)
