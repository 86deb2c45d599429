"""What goes wrong with replicas, their store and its log, and how all have the same runs again."""

import pytest

from service.errors import StoreFailed
from service.index.shared.log import Deposed
from service.index.shared.roles import ALONE_AFTER, Role
from tests.index.fleet import Fleet
from tests.index.test_shared_index import fleet


async def settled(one: Fleet, seconds: float = 20) -> None:
    """All replicas have the runs of MLflow, in one epoch, of which one writes."""
    await one.until(lambda: one.are_equal() and one.is_in_step(), seconds)


async def test_a_new_replica_asks_mlflow_nothing() -> None:
    """A replica that joins has all runs from the snapshot and the log, at once."""
    one = await fleet()
    one.mlflow.add("after the snapshot")
    await one.pass_time(5)
    calls = one.calls()
    new = one.join("d")
    await new.turn()
    assert new.index.covers(("1",))
    assert calls == one.calls()
    assert one.are_equal()


async def test_the_store_is_emptied() -> None:
    """The replica that writes begins a new epoch from what it has, which the others take over."""
    one = await fleet()
    before = one.writer.runs.changes.epoch
    calls = one.calls()
    one.store.empty()
    one.mlflow.add("new")
    await one.pass_time(2)
    await settled(one)
    assert before != one.writer.runs.changes.epoch
    assert one.calls() - calls < 30


async def test_a_short_loss_changes_nothing() -> None:
    """A store that is away for less than a lease costs no new epoch, no role and no run."""
    one = await fleet()
    before = [(m.role, m.runs.changes.epoch) for m in one.members.values()]
    one.store.is_down = True
    one.mlflow.add("new")
    await one.pass_time(2)
    one.store.is_down = False
    await settled(one)
    assert before == [(m.role, m.runs.changes.epoch) for m in one.members.values()]


async def test_a_long_loss_lets_each_be_alone() -> None:
    """Without the store for seconds each replica asks MLflow by itself, at its part of the share."""
    one = await fleet()
    one.store.is_down = True
    await one.pass_time(ALONE_AFTER + 1)
    assert {Role.ALONE} == {m.role for m in one.members.values()}
    one.mlflow.add("new")
    await one.until(one.are_equal, 15)
    shares = {m.index.sync.schedule.pace.share for m in one.members.values()}
    assert {one.pace.share / 3} == shares
    assert 3 == len({m.runs.changes.epoch for m in one.members.values()})


async def test_the_store_comes_back() -> None:
    """One of the replicas that were alone begins a new epoch, which the others take over."""
    one = await fleet()
    one.store.is_down = True
    await one.pass_time(ALONE_AFTER + 1)
    one.mlflow.add("alone")
    await one.pass_time(5)
    one.store.is_down = False
    await settled(one)
    assert {one.pace.share} == {one.writer.index.sync.schedule.pace.share}


async def test_no_store_at_the_start() -> None:
    """Without a store at the start a replica asks MLflow at once, and shares what it read later."""
    one = Fleet()
    one.log_runs(30)
    one.store.is_down = True
    await one.pass_time(0.3)
    assert {Role.ALONE} == {m.role for m in one.members.values()}
    await one.read()
    one.store.is_down = False
    await settled(one)


async def test_one_replica_is_cut_off() -> None:
    """A replica that alone cannot reach the store goes on by itself, and follows the others later."""
    one = await fleet()
    cut = one.others[0]
    cut.log.is_cut = True
    await one.pass_time(ALONE_AFTER + 1)
    one.mlflow.add("new")
    assert Role.ALONE is cut.role
    await one.until(one.are_equal, 15)
    epoch = one.writer.runs.changes.epoch
    cut.log.is_cut = False
    await settled(one)
    assert epoch == cut.runs.changes.epoch


async def test_the_writer_is_cut_off() -> None:
    """Another replica writes in its place; back again it follows, though it was alone meanwhile."""
    one = await fleet()
    cut = one.writer
    cut.log.is_cut = True
    await one.pass_time(ALONE_AFTER + 2)
    one.mlflow.add("new")
    await one.pass_time(5)
    cut.log.is_cut = False
    await settled(one)
    assert Role.FOLLOWING is cut.role


async def test_a_gap_is_closed_by_a_snapshot() -> None:
    """A replica that stood still while the log lost what it lacks begins again from a newer snapshot."""
    one = await fleet(most=20)
    lagging = one.others[0]
    lagging.is_paused = True
    for number in range(60):
        one.mlflow.add(f"new{number}")
        await one.pass_time(0.5)
    lagging.is_paused = False
    await settled(one, 60)
    assert len(one.store.records) <= 20


async def test_the_log_is_trimmed() -> None:
    """A new replica whose snapshot is older than the log asks for a newer one, and waits for it."""
    one = await fleet()
    for number in range(60):
        one.mlflow.add(f"new{number}")
    await one.pass_time(20)
    one.store.trim(5)
    one.join("d")
    await settled(one, 60)


async def test_an_old_backup_of_the_store() -> None:
    """A store that comes back with old data is not believed: a new epoch begins from what replicas know."""
    one = await fleet()
    backup = one.store.copy()
    for number in range(10):
        one.mlflow.add(f"new{number}")
    await one.pass_time(5)
    before = one.writer.runs.changes.epoch
    one.store.restore(backup)
    await one.pass_time(1)
    await settled(one)
    assert before != one.writer.runs.changes.epoch


async def test_an_old_backup_and_a_new_writer() -> None:
    """Who joined with the old data and writes by now learns from the others that they know more."""
    one = await fleet()
    backup = one.store.copy()
    for number in range(10):
        one.mlflow.add(f"new{number}")
    await one.pass_time(5)
    one.store.restore(backup)
    one.store.writer = ("d", one.clock.now + 3)
    one.join("d")
    await settled(one, 30)


async def test_the_answer_of_a_publish_is_lost() -> None:
    """Records that were taken, and of which the writer does not know, are on all replicas once."""
    one = await fleet()
    one.mlflow.add("new")
    one.writer.log.loses_reply = True
    await settled(one)
    assert [1, 1, 1] == [m.told.count("new") for m in one.members.values()]


@pytest.mark.parametrize(("further", "end"), [(0, b"?"), (1, None)], ids=["rubbish", "of another record"])
async def test_the_snapshot_is_rubbish(further: int, end: bytes | None) -> None:
    """A new replica that cannot read the snapshot asks for another one, and is alone until it comes."""
    one = await fleet()
    epoch, number, data = one.store.kept or ("", 0, b"")
    one.store.kept = (epoch, number + further, data if end is None else data[:-1] + end)
    new = one.join("d")
    await one.pass_time(1)
    assert not new.index.covers(("1",))
    one.mlflow.add("new")
    await settled(one, 60)


async def test_a_record_that_nobody_can_read() -> None:
    """A follower that finds rubbish in the log begins again from a snapshot behind it."""
    one = await fleet()
    await one.writer.log.publish(one.store.epoch, one.store.last, [b"\xc1"])
    one.mlflow.add("new")
    await settled(one, 60)


async def test_the_store_loses_the_snapshot() -> None:
    """Where the snapshot is gone the writer puts another one, so that a new replica can follow."""
    one = await fleet()
    one.store.kept = None
    one.join("d")
    await settled(one)


async def test_a_wish_for_a_snapshot_is_lost() -> None:
    """A replica that needs a newer snapshot asks for it until it is there, though it is alone meanwhile."""
    one = await fleet()
    for number in range(5):
        one.mlflow.add(f"new{number}")
    await one.pass_time(5)
    one.store.trim(1)
    new = one.join("d")
    await new.turn()
    one.store.wishes.clear()
    await settled(one, 30)


@pytest.mark.parametrize("error", [StoreFailed("slow"), Deposed(), RuntimeError("a defect")])
async def test_a_snapshot_that_cannot_be_put(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replica that writes goes on, and puts one a little later, so that a new replica can follow."""
    one = await fleet()
    log = one.writer.log
    put, errors = log.put_snapshot, iter([error])

    async def failing(epoch: str, number: int, data: bytes) -> None:
        if (error := next(errors, None)) is not None:
            raise error
        await put(epoch, number, data)

    monkeypatch.setattr(log, "put_snapshot", failing)
    one.store.kept = None
    one.join("d")
    await settled(one, 30)
    assert next(errors, None) is None
    assert one.store.kept is not None
