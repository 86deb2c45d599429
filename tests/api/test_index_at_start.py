"""The service with an index: what it asks MLflow at start, with and without a snapshot, and what it tells."""

import logging
from pathlib import Path
from typing import Any

import pytest

from service.index.run_index import SyncedIndex
from service.index.schedule import Step
from service.index.snapshot import NAME
from service.tracking.search.queries import RunSearch
from tests.api.serving import Client, make_settings, serving
from tests.deploy.balancer import until
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow

SEARCH = RunSearch(("0",))


def index_of(api: Client) -> SyncedIndex:
    """The index of a service that has one."""
    indexing = api.service.indexing
    assert indexing is not None
    return indexing.index


async def complete(api: Client) -> None:
    """Wait until every run has been read, and new ones have been looked for, since somebody searches."""

    async def is_complete() -> bool:
        index_of(api).reading(("0",))
        return index_of(api).condition == "complete"

    await until(is_complete, "every run has been read")


def with_index(folder: Path | None = None) -> dict[str, Any]:
    """Settings with an index, whose snapshot lies in this folder."""
    return {"index": {"snapshot_dir": folder, "tick": 0.1, "share": 1.0, "first_share": 1.0}}


async def test_an_index_reads_every_run(fake: FakeMlflow) -> None:
    """Without a snapshot every run is read from MLflow, and then found."""
    ids = {fake.add_run() for _ in range(3)}
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        page = (await index_of(api).search(SEARCH)).value
        readiness = await (await api.get("/readyz")).json()
    assert ids == {run.run_id for run in page.runs}
    assert (3, True, "complete") == (page.total, page.index.complete, readiness["index"])


async def test_a_restart_with_a_snapshot_costs_a_tick(fake: FakeMlflow, tmp_path: Path) -> None:
    """After a restart the first search has all runs, as old as they are; MLflow is asked for ticks only."""
    for number in range(20):
        fake.add_run(start_time=number + 1, end_time=number + 2)
    async with serving(fake.url, **with_index(tmp_path)) as api:
        await complete(api)
        before = index_of(api).status(("0",))
    fake.before = answering(500)  # so what the index has comes from the snapshot
    async with serving(fake.url, **with_index(tmp_path)) as api:
        await complete(api)
        page = (await index_of(api).search(SEARCH)).value
    assert 20 == page.total == before.runs
    assert before.swept_ms == page.index.swept_ms
    assert page.index.synced_ms is not None
    assert before.synced_ms is not None
    assert page.index.synced_ms >= before.synced_ms
    fake.before = None
    fake.add_run()
    async with serving(fake.url, **with_index(tmp_path)) as api:
        await complete(api)
        while (await index_of(api).search(SEARCH)).value.total != 21:
            await index_of(api).refresh(("0",))
        steps = {step for step, _ in index_of(api).sync.steps}
    assert "tick" in steps
    assert "first" not in steps


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is no snapshot"), (b"runindex\0", "is truncated"), (None, "there is no snapshot")],
)
async def test_a_snapshot_that_cannot_be_used_is_left_aside(
    fake: FakeMlflow, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None, words: str
) -> None:
    """The log says in one line what is wrong, and every run is read."""
    fake.add_run()
    if content is not None:
        (tmp_path / NAME).write_bytes(content)
    with caplog.at_level(logging.INFO, "service.index"):
        async with serving(fake.url, **with_index(tmp_path)) as api:
            await complete(api)
    [line] = [message for message in caplog.messages if "the snapshot" in message or "no snapshot" in message]
    assert words in line
    assert line.endswith(": every run is read")


async def test_an_index_never_makes_a_replica_unready(fake: FakeMlflow) -> None:
    """/readyz tells of an index that has too many runs or cannot ask MLflow, and is still 200."""
    fake.before = answering(500)
    async with serving(fake.url, **with_index()) as api:
        answer = await api.get("/readyz")
        assert (200, "reading") == (answer.status, (await answer.json())["index"])
        index_of(api).sync.schedule.rounds[Step.TICK].failures = 3
        answer = await api.get("/readyz")
        assert (200, "failing") == (answer.status, (await answer.json())["index"])
        assert api.service.indexing is not None
        api.service.indexing.runs.is_too_large = True
        answer = await api.get("/readyz")
        assert (200, "too_large") == (answer.status, (await answer.json())["index"])


async def test_without_an_index_nothing_is_read(fake: FakeMlflow) -> None:
    """Switched off, the index costs MLflow nothing and /readyz says so."""
    async with serving(fake.url) as api:
        readiness = await (await api.get("/readyz")).json()
        assert api.service.indexing is None
    assert "off" == readiness["index"]
    assert [] == fake.calls


def test_settings_of_tests_have_no_index() -> None:
    """Tests that do not ask for an index have none, so that what they count of MLflow's calls is theirs."""
    assert not make_settings().index.enabled
    assert make_settings(index={"tick": 1.0}).index.enabled
