"""What the index logs for listeners: each change once, and nothing that is no news."""

from service.errors import UpstreamError
from service.index.indexed_runs import IndexedRuns
from service.index.run_index import SyncedIndex
from service.index.schedule import Step
from service.tracking.events import EventName, RunChange, SyncChange, Untold
from service.tracking.runs import Experiment
from tests.index.scripted import BASE_MS, RESEARCH, World


def told(one: World) -> list[tuple[str, str]]:
    """What has been logged: names of events, each with the run that it is about."""
    entries = one.runs.changes.since(0)
    assert entries is not None
    return [
        (change.name, change.run.run_id if isinstance(change, RunChange) else "")
        for change in (entry.change for entry in entries)
        if not isinstance(change, Untold)
    ]


async def read(runs: int = 3, max_bytes: int = 2**30) -> World:
    """An index that has read so many runs for the first time. max_bytes: of memory, for all of them."""
    one = World(max_bytes=max_bytes)
    for number in range(runs):
        one.mlflow.add(f"r{number}", status="FINISHED", end_time=BASE_MS, start_time=BASE_MS - number - 1)
    await one.read()
    return one


async def test_the_first_read_is_no_news() -> None:
    """Runs that are read for the first time are not logged as created, however many they are."""
    assert [] == told(await read(30))


async def test_each_change_is_logged_once() -> None:
    """A run that comes, changes, ends and is deleted is logged four times, though it is looked at often."""
    one = await read()
    one.mlflow.add("new")
    await one.pass_time(10)
    one.mlflow.tag("new", "x")
    await one.pass_time(10)
    one.mlflow.end("new")
    await one.pass_time(10)
    one.mlflow.change("new", is_deleted=True)
    await one.pass_time(100)
    assert [
        ("run.created", "new"),
        ("run.updated", "new"),
        ("run.ended", "new"),
        ("run.deleted", "new"),
    ] == told(one)


async def test_a_change_has_the_run_before_and_after() -> None:
    """What a filter found of a run before a change is known, so that whoever shows it can be told."""
    one = await read()
    first = one.mlflow.add("new")
    await one.pass_time(10)
    one.mlflow.tag("new", "x")
    await one.pass_time(10)
    entries = one.runs.changes.since(1) or ()
    assert [RunChange(first, one.mlflow.stored["new"])] == [entry.change for entry in entries]


async def test_a_snapshot_is_no_news() -> None:
    """Runs of a snapshot are not logged, and what changed since is."""
    one = await read()
    state = one.index.state()
    assert state is not None
    one.mlflow.add("new")
    runs = IndexedRuns(2**30)
    again = SyncedIndex(
        runs, one.mlflow, one.mlflow, (RESEARCH,), clock=one.clock, now=lambda: one.mlflow.now_ms
    )
    again.restore(one.runs.table, state)
    one.runs, one.index = runs, again
    await one.pass_time(10)
    assert [("run.created", "new")] == told(one)


async def test_an_experiment_that_leaves_and_comes_back() -> None:
    """Its runs are not logged one by one, neither as deleted nor as created: its listeners read anew."""
    one = await read()
    [experiment] = one.mlflow.experiments
    one.mlflow.experiments = []
    await one.pass_time(100)
    one.mlflow.experiments = [experiment, Experiment("2", "other", "s3://2", "active", BASE_MS)]
    await one.pass_time(100)
    assert one.index.covers(("1",))
    assert [Untold(("1",))] == [entry.change for entry in one.runs.changes.since(0) or ()]


async def test_an_index_that_is_too_large() -> None:
    """An index that gives its runs up does not log them as deleted; its listeners read anew."""
    one = await read(max_bytes=(await read()).runs.table.bytes_used)
    one.mlflow.add("new", params={f"p{number}": "x" * 400 for number in range(100)})
    await one.pass_time(10)
    assert one.index.is_too_large
    assert Untold(("1",)) == (one.runs.changes.since(1) or ())[0].change


async def test_mlflow_fails_and_answers_again() -> None:
    """It is logged once that MLflow does not answer, with when it last did, and once that it does again."""
    one = await read()
    await one.pass_time(5)
    synced_ms = one.index.sync.synced_ms
    one.mlflow.fails = UpstreamError(cause="down")
    await one.pass_time(60)
    assert SyncChange(EventName.STALE, synced_ms) == one.runs.changes.staleness
    one.mlflow.fails = None
    await one.pass_time(60)
    assert [("stale", ""), ("fresh", "")] == told(one)
    last = (one.runs.changes.since(1) or ())[0].change
    assert isinstance(last, SyncChange)
    assert last.since_ms is not None
    assert synced_ms is not None
    assert last.since_ms > synced_ms


async def test_one_failure_is_no_staleness() -> None:
    """A tick that fails by itself is not worth telling."""
    one = await read()
    one.mlflow.fails = UpstreamError(cause="down")
    await one.until(lambda: one.index.sync.steps[Step.TICK, "failed"] == 1, 10)
    one.mlflow.fails = None
    await one.pass_time(30)
    assert [] == told(one)
