"""Replicas that share an index run by themselves, in time that passes."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from service.index.shared.log import Head
from service.index.shared.replica import Replica
from service.index.shared.roles import Role
from service.index.shared.upkeep import SharedUpkeep
from service.index.snapshot_keeper import SnapshotKeeper
from tests.index.fleet import SUBJECT, Fleet, Member

PATIENCE = 30.0  # seconds


class Passing:
    """A clock that passes by itself."""

    @property
    def now(self) -> float:
        """Seconds, monotonic."""
        return time.monotonic()

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        """Calls of MLflow take no time."""


def running_fleet() -> Fleet:
    """Two replicas whose time passes."""
    one = Fleet("")
    one.clock = one.store.clock = Passing()  # type: ignore[assignment]
    one.sleep = asyncio.sleep  # type: ignore[method-assign,assignment]
    one.log_runs(20)
    one.join("a")
    one.join("b")
    return one


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_they_share_while_they_run() -> None:
    """One reads for both, a refresh on the other is a tick of that one, and who ends lets the other write."""
    one = running_fleet()
    async with AsyncExitStack() as stack, AsyncExitStack() as first:
        for member in one.members.values():
            await (first if member.name == "a" else stack).enter_async_context(member.upkeep.running())
        await until(lambda: one.is_complete() and one.is_in_step())
        writer, [follower] = one.writer, one.others
        one.mlflow.add("new")
        async with asyncio.timeout(PATIENCE):
            await follower.index.refresh(("1",))
        assert "new" in follower.indexed()
        left = one.members["b"]
        if writer.name == "a":
            await first.aclose()
            one.kill("a")
            await until(lambda: left.role is Role.WRITING)
    assert ("", 0.0) == one.store.writer


async def test_a_defect_ends_no_replica(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody foresaw is logged, and tried again a little later."""
    one = running_fleet()
    log = one.members["a"].log
    lead, calls = log.lead, iter([RuntimeError("a defect")])

    async def failing() -> Head:
        if (error := next(calls, None)) is not None:
            raise error
        return await lead()

    monkeypatch.setattr(log, "lead", failing)
    async with AsyncExitStack() as stack:
        for member in one.members.values():
            await stack.enter_async_context(member.upkeep.running())
        await until(lambda: one.is_complete() and one.is_in_step())
    assert "a defect" in caplog.text


def kept(member: Member, path: Path) -> SnapshotKeeper:
    """A snapshot of a replica, in a file."""
    clock, now = time.monotonic, lambda: member.mlflow.now_ms
    return SnapshotKeeper(path, SUBJECT, member.index, member.runs, clock, now)


async def test_the_file_is_for_a_start_without_the_store(tmp_path: Path) -> None:
    """A replica keeps its file though it shares an index, and begins from it where the store has nothing."""
    one = running_fleet()
    a = one.members["a"]
    keeper = kept(a, tmp_path / "index")
    async with keeper.keeping(), a.upkeep.running():
        await until(lambda: a.index.state() is not None)  # which the first tick gives, after the first read
    assert keeper.bytes > 0
    one.store.empty()
    one.store.is_down = True
    again = one.join("c")
    calls = one.calls()
    again.replica = Replica(
        again.index, again.runs, again.log, SUBJECT, time.monotonic,
        restore=kept(again, tmp_path / "index").restore,
    )  # fmt: skip
    again.upkeep = SharedUpkeep(again.replica, time.monotonic)
    await again.replica.look()
    await again.replica.move()
    assert (Role.ALONE, True, calls) == (again.role, again.index.covers(("1",)), one.calls())
    assert one.mlflow.visible() == again.indexed()
