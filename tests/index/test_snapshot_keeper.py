"""When a snapshot is written and read, and what becomes of the index meanwhile."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from service.index import snapshot_writing
from service.index.indexed_runs import IndexedRuns
from service.index.run_index import SyncedIndex, SyncState
from service.index.snapshot import NAME, Stamp, write_snapshot
from service.index.snapshot_columns import sections_of
from service.index.snapshot_keeper import SnapshotKeeper, Subject
from service.index.table import RunTable
from service.index.ticks import Marks
from tests.deploy.balancer import until
from tests.index.test_snapshot_columns import run_of
from tests.tracking.values import RunsInMemory

NOON = 1_772_712_000_000  # milliseconds


class AtRest(SyncedIndex):
    """An index that asks MLflow nothing while it runs."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        yield


class Kept:
    """An index that does not run, at noon or so many milliseconds later, and the keeper of its snapshot."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.later = 0
        self.runs = IndexedRuns(2**30)
        source = RunsInMemory()
        self.index = AtRest(self.runs, source, source, ("Default",), clock=self.clock, now=self.now)
        subject = Subject("m", ("Default",), 86_400.0, options.pop("max_bytes", 2**30))
        self.path = folder / NAME
        self.keeper = SnapshotKeeper(
            self.path, subject, self.index, self.runs, self.clock, self.now, **options
        )

    def clock(self) -> float:
        """Seconds since some moment."""
        return 500.0 + self.later / 1_000

    def now(self) -> int:
        """Milliseconds since 1970."""
        return NOON + self.later

    def have(self, number: int) -> None:
        """All runs of the experiment have been read now: so many."""
        table = RunTable()
        for one in range(number):
            table.put(run_of(one), self.clock())
        self.index.restore(table, SyncState(self.now(), {"0": self.now()}, Marks(7, 8)))

    def sync(self) -> None:
        """New and active runs have been looked for now."""
        self.index.sync.synced_ms = self.now()


def ids(runs: IndexedRuns) -> set[str]:
    """The ids of the runs of an index."""
    return set(runs.table.run_ids())


async def test_what_was_kept_is_restored(tmp_path: Path) -> None:
    """The next process has the runs, up to where ticks had read, and since when runs have been looked at."""
    before, after = Kept(tmp_path), Kept(tmp_path)
    before.have(5)
    await before.keeper.write()
    after.later = 60_000
    await after.keeper.restore()
    assert ids(before.runs) == ids(after.runs)
    assert before.index.state() == after.index.state()
    assert after.index.covers(("0",))
    assert (60.0, 60.0, 60.0) == (after.index.age, after.index.swept_age, after.keeper.age)
    assert after.runs.table.asked_of("id0") == before.clock()


async def test_before_every_run_was_read_nothing_is_kept(tmp_path: Path) -> None:
    """An index that is not complete, or has given up, writes no snapshot: the next start would believe it."""
    kept = Kept(tmp_path)
    await kept.keeper.write()
    kept.have(3)
    kept.runs.is_too_large = True
    await kept.keeper.write()
    assert not kept.path.exists()


async def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    """A snapshot that would say the same is left; one that would say another time is written at the end."""
    kept = Kept(tmp_path)
    kept.have(3)
    await kept.keeper.write()
    kept.path.unlink()
    await kept.keeper.write()
    assert not kept.path.exists()
    kept.later += 1_000
    kept.sync()
    await kept.keeper.write()
    assert kept.path.exists()


async def test_when_the_next_one_is_due(tmp_path: Path) -> None:
    """As soon as a run has changed; else after an hour, so that it does not fall behind."""
    kept = Kept(tmp_path)
    assert not kept.keeper.is_due()
    kept.have(3)
    assert kept.keeper.is_due()
    await kept.keeper.write()
    assert not kept.keeper.is_due()
    kept.later += 3_600_000
    kept.sync()
    assert not kept.keeper.is_due()
    kept.later += 1_000
    kept.sync()
    assert kept.keeper.is_due()
    await kept.keeper.write()
    kept.runs.put(run_of(9), kept.clock())
    assert kept.keeper.is_due()


async def test_it_is_written_from_time_to_time_and_at_the_end(tmp_path: Path) -> None:
    """While the index runs a snapshot appears by itself, and what came after that is in the last one."""
    kept, after = Kept(tmp_path, interval=0.001), Kept(tmp_path)

    async def is_written() -> bool:
        return kept.path.exists()

    kept.have(3)
    async with kept.keeper.running():
        await until(is_written, "a snapshot is written")
        kept.runs.put(run_of(9), kept.clock())
    await after.keeper.restore()
    assert {"id0", "id1", "id2", "id9"} == ids(after.runs)


async def test_changes_that_arrive_meanwhile_are_taken_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a snapshot is being written the loop goes on, and the table stays as the snapshot has it."""
    begun, may_go_on = threading.Event(), threading.Event()

    def slowly(table: RunTable, since: float) -> Iterator[tuple[str, bytes | memoryview]]:
        begun.set()
        may_go_on.wait(10)
        yield from sections_of(table, since)

    monkeypatch.setattr(snapshot_writing, "sections_of", slowly)
    kept, after = Kept(tmp_path), Kept(tmp_path)
    kept.have(3)
    writing = asyncio.create_task(kept.keeper.write())
    await asyncio.to_thread(begun.wait, 10)
    kept.runs.put(run_of(7), kept.clock() + 1)
    kept.runs.drop("id0", kept.clock() + 1)
    assert {"id0", "id1", "id2"} == ids(kept.runs)
    may_go_on.set()
    await writing
    assert {"id1", "id2", "id7"} == ids(kept.runs)
    await after.keeper.restore()
    assert {"id0", "id1", "id2"} == ids(after.runs)


async def test_the_end_waits_for_the_last_one_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that does not answer holds up no shutdown, and the snapshot of before stays."""
    released = threading.Event()

    def stuck(*_: object) -> Iterator[tuple[str, bytes]]:
        yield "a", b""
        released.wait(10)
        yield "b", b""

    kept = Kept(tmp_path, patience=0.05)
    kept.have(3)
    await kept.keeper.write()
    before = kept.path.read_bytes()
    kept.runs.put(run_of(7), kept.clock())
    monkeypatch.setattr(snapshot_writing, "sections_of", stuck)
    async with kept.keeper.running():
        pass
    released.set()
    assert "0 s were too short" in caplog.text
    assert before == kept.path.read_bytes()


async def test_runs_that_take_too_much_memory_are_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A snapshot whose runs would take more than the index may have is not used."""
    before = Kept(tmp_path)
    before.have(200)
    await before.keeper.write()
    after = Kept(tmp_path, max_bytes=before.path.stat().st_size + 1)
    await after.keeper.restore()
    assert set() == ids(after.runs)
    assert "which is more than the index may take: every run is read" in caplog.text


@pytest.mark.parametrize("sections", [[], [("state", b"\xc1")], [("state", b"\x90"), ("ids/0", b"?")]])
async def test_a_snapshot_that_only_a_defect_could_write(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, sections: list[tuple[str, bytes]]
) -> None:
    """One that is whole and cannot be understood is left aside, and the log has the reason."""
    kept = Kept(tmp_path)
    write_snapshot(kept.path, Stamp(mlflow="m", experiments=("Default",), synced_ms=NOON), sections)
    with caplog.at_level(logging.INFO):
        await kept.keeper.restore()
    assert "cannot be understood: every run is read" in caplog.text
    assert kept.keeper.age is None


async def test_a_snapshot_waits_for_another_reader_of_the_table(tmp_path: Path) -> None:
    """Such as the one that writes it for the store: what came meanwhile is in the file."""
    one = Kept(tmp_path)
    one.have(3)
    with one.runs.frozen():
        writing = asyncio.create_task(one.keeper.write())
        one.runs.put(run_of(3), one.clock() + 1)
        await asyncio.sleep(0)
        assert not one.path.exists()
    await writing
    again = Kept(tmp_path)
    await again.keeper.restore()
    assert 4 == len(again.runs.table)


async def test_a_failure_of_one_snapshot_is_not_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it is, it is logged and counted, and the next snapshot is written."""
    one = Kept(tmp_path, interval=0.001)
    one.have(3)
    whole = snapshot_writing.written_while_frozen
    failures = [TypeError("a defect")]

    async def failing_once(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await whole(*arguments)

    async def is_there() -> bool:
        return one.path.exists()

    monkeypatch.setattr("service.index.snapshot_keeper.written_while_frozen", failing_once)
    async with one.keeper.keeping():
        await until(is_there, "the second snapshot")
    assert 1 == one.keeper.failures
    assert "a defect" in caplog.text
