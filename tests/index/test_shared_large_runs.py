"""Runs whose records are too large for the log that replicas share."""

import logging

import pytest

from service.index.records import MOST_BYTES
from service.index.shared.roles import ALONE_AFTER
from tests.index.fleet import Fleet
from tests.index.test_shared_index import fleet

PARAMS = {f"p{number:03}": "x" * 100_000 for number in range(MOST_BYTES // 100_000 + 1)}


def have_all_but(one: Fleet, run_id: str) -> bool:
    """Whether each replica has the runs that MLflow has, but for this one."""
    expected = {key: run for key, run in one.mlflow.visible().items() if key != run_id}
    return all(member.indexed() == expected for member in one.members.values())


async def test_a_run_that_is_too_large_is_left_out_aloud(caplog: pytest.LogCaptureFixture) -> None:
    """None has it, all have what comes after it; the one that writes goes on, and says so once."""
    one = await fleet(runs=3)
    writer, epoch = one.writer, one.writer.runs.changes.epoch
    with caplog.at_level(logging.WARNING, "service.index"):
        one.mlflow.add("large", params=PARAMS)
        one.mlflow.add("small")
        await one.until(lambda: have_all_but(one, "large"), 10)
        one.mlflow.tag("large", "again")
        one.mlflow.tag("small", "again")
        await one.until(lambda: have_all_but(one, "large"), 10)
    assert one.is_in_step()
    assert (writer, epoch) == (one.writer, one.writer.runs.changes.epoch)
    assert 1 == len([record for record in caplog.messages if "leaves out the run large" in record])
    assert writer.runs.left_out >= 1


async def test_a_run_that_becomes_too_large_goes() -> None:
    """What the index has of it would be out of date: all replicas drop it, and have it again once it fits."""
    one = await fleet(runs=3)
    one.mlflow.add("grows")
    await one.until(one.are_equal, 10)
    before = one.mlflow.stored["grows"].params
    one.mlflow.change("grows", params=PARAMS)
    await one.until(lambda: have_all_but(one, "grows"), 10)
    assert one.is_in_step()
    one.mlflow.change("grows", params=before)
    await one.until(lambda: one.are_equal() and one.is_in_step(), 10)


async def test_a_snapshot_may_have_a_run_that_is_too_large_for_the_log() -> None:
    """A replica that was alone has it, and begins the shared index with it: all have it from the snapshot."""
    one = await fleet(runs=3)
    one.store.is_down = True
    await one.pass_time(ALONE_AFTER + 1)
    one.mlflow.add("large", params=PARAMS)
    await one.until(one.are_equal, 15)
    one.store.is_down = False
    await one.until(lambda: one.are_equal() and one.is_in_step(), 20)
    one.mlflow.tag("large", "again")
    await one.until(lambda: have_all_but(one, "large") and one.is_in_step(), 10)
