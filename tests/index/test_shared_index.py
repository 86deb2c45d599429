"""Several replicas share one index: one asks MLflow, and all have the same runs."""

from service.index.shared.roles import Role
from tests.index.fleet import Fleet


async def fleet(runs: int = 40, names: str = "abc", most: int = 10_000) -> Fleet:
    """Replicas that have read so many runs."""
    one = Fleet(names, most=most)
    one.log_runs(runs)
    await one.read()
    await one.pass_time(5)
    return one


async def test_one_replica_asks_mlflow() -> None:
    """Of three replicas one reads MLflow; all have each run, and the same position of events."""
    one = await fleet()
    assert [Role.FOLLOWING, Role.FOLLOWING, Role.WRITING] == sorted(m.role for m in one.members.values())
    assert one.are_equal()
    assert 1 == len({(m.runs.changes.epoch, m.runs.changes.last) for m in one.members.values()})


async def test_three_replicas_cost_what_one_does() -> None:
    """MLflow is asked no more often for three replicas than for one."""
    three, alone = await fleet(), await fleet(names="a")
    calls = []
    for one in (three, alone):
        before = one.calls()
        await one.pass_time(60)
        calls.append(one.calls() - before)
    assert calls[0] <= calls[1] * 1.1


async def test_changes_are_on_all_replicas() -> None:
    """A run that comes, changes, ends or is deleted does so on all replicas, within a tick."""
    one = await fleet()
    one.mlflow.add("new")
    await one.until(one.are_equal, 4)
    one.mlflow.tag("new", "x")
    await one.until(one.are_equal, 4)
    one.mlflow.end("new")
    await one.until(one.are_equal, 4)
    one.mlflow.change("new", is_deleted=True)
    await one.until(one.are_equal, 90)


async def test_what_changes_nothing_is_not_published() -> None:
    """Runs that are looked at and are as they were take no place in the log."""
    one = await fleet()
    before = one.store.published
    await one.pass_time(300)
    assert before == one.store.published


async def test_followers_say_what_the_writer_says() -> None:
    """Age, completeness and condition of an index are the same on all replicas."""
    one = await fleet()
    ages = {round(m.index.age, 3) for m in one.members.values()}
    assert 1 == len(ages)
    assert max(ages) < 4
    statuses = {m.index.status(("1",)) for m in one.members.values()}
    assert 1 == len(statuses)
    assert {"complete"} == {m.index.condition for m in one.members.values()}


async def test_the_writer_is_killed() -> None:
    """Another replica goes on within four seconds, from where the first one was."""
    one = await fleet()
    one.kill(one.writer.name)
    one.mlflow.add("new")
    assert 4 >= await one.until(lambda: any(m.role is Role.WRITING for m in one.members.values()), 10)
    await one.until(one.are_equal, 4)


async def test_a_first_read_that_was_broken_off_is_made_anew() -> None:
    """Where the writer dies before it has read all runs, the next one reads them all."""
    one = Fleet()
    one.log_runs(1_500)
    await one.until(lambda: len(one.store.records) > 300, 100, in_use=False)
    one.kill(one.writer.name)
    await one.read()
    assert one.are_equal()


async def test_a_writer_that_was_paused_writes_nothing_more() -> None:
    """What it learned before it stood still is refused, and nothing of that is in its index or in others."""
    one = await fleet()
    old = one.writer
    one.mlflow.add("seen")

    before = old.runs.changes.last

    async def stands_still() -> None:
        old.is_paused = True
        await one.pass_time(5)
        old.is_paused = False
        one.mlflow.change("seen", is_deleted=True)
        assert before == old.runs.changes.last

    old.log.meanwhile = stands_still
    await one.until(lambda: old.log.meanwhile is None, 5)
    assert Role.FOLLOWING is old.role
    assert one.writer is not old
    await one.until(one.are_equal, 30)
