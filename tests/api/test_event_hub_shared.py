"""A hub over changes that replicas share: its listeners may know more than this replica, or other numbers."""

import pytest

from service.api.event_hub import BEAT_SECONDS, FLUSH_SECONDS
from service.index.change_log import ChangeLog
from service.tracking.events import EventName, Position, SyncChange
from tests.api.hearing import Hearing
from tests.api.searching import make_run


def shared(last: int = 0) -> ChangeLog:
    """A log of changes that replicas share, up to this number."""
    changes = ChangeLog()
    changes.begin("e", last, is_shared=True)
    return changes


async def test_who_is_ahead_waits() -> None:
    """Who comes with an id that this replica has not reached yet is told nothing twice, and then the rest."""
    async with Hearing(shared()).running() as one:
        one.put(make_run(0))
        stream = await one.open(last_id="e-3")
        for number in range(1, 5):
            one.put(make_run(number))
        await one.naps.end(FLUSH_SECONDS)
    assert [("e-4", "run.created"), ("e-5", "run.created")] == [(e.id, e.name) for e in stream.heard]
    assert 0 == one.hub.resets


async def test_a_poll_that_is_ahead_waits() -> None:
    """A poll with a position that this replica has not reached yet gets no event, and the same position."""
    async with Hearing(shared()).running() as one:
        one.put(make_run(0))
        listening = await one.listening()
        told = await one.hub.told(listening, Position("e", 2))
        assert ([], "e-2", False) == told
        one.put(make_run(1))
        one.put(make_run(2))
        told = await one.hub.told(listening, Position("e", 2))
    assert (["e-3"], "e-3", False) == ([event.id for event in told.events], told.next, told.is_reset)


async def test_far_ahead_is_none_that_was_told() -> None:
    """A number that is further ahead than a log is long was told by no replica: its caller reads anew."""
    async with Hearing(shared()).running() as one:
        stream = await one.open(last_id="e-99999")
    assert ["reset"] == stream.names


async def test_another_epoch_is_one_reset() -> None:
    """Where the replica begins again from another epoch each listener reads anew, once."""
    async with Hearing(shared(7)).running() as one:
        stream = await one.open()
        one.put(make_run(0))
        await one.naps.end(FLUSH_SECONDS)
        one.changes.begin("f", 2, is_shared=True)
        await one.naps.end(FLUSH_SECONDS)
        one.put(make_run(1))
        await one.naps.end(FLUSH_SECONDS)
    told = [(event.id, event.name) for event in stream.heard]
    assert [("e-7", "snapshot"), ("e-8", "run.created"), ("f-2", "reset"), ("f-3", "run.created")] == told
    assert 1 == one.hub.resets


async def test_a_reset_of_another_epoch_says_whether_mlflow_answers() -> None:
    """While MLflow does not answer, who begins again from another epoch is told that, too."""
    async with Hearing(shared(7)).running() as one:
        stream = await one.open()
        await one.naps.end(FLUSH_SECONDS)
        one.changes.begin("f", 2, SyncChange(EventName.STALE, 9), is_shared=True)
        await one.naps.end(FLUSH_SECONDS)
    assert ["snapshot", "reset", "stale"] == stream.names


@pytest.mark.parametrize(("number", "names"), [(30, ["snapshot", "reset"]), (8, ["snapshot"])])
async def test_a_snapshot_of_the_same_epoch(number: int, names: list[str]) -> None:
    """Only whom changes are missing reads anew where the replica begins again from a snapshot."""
    async with Hearing(shared(7)).running() as one:
        stream = await one.open()
        one.changes.reach(8)
        await one.naps.end(FLUSH_SECONDS)
        one.changes.begin("e", number, is_shared=True)
        await one.naps.end(FLUSH_SECONDS)
    assert names == stream.names


async def test_a_slow_stream_of_an_epoch_before_is_told_later() -> None:
    """Who cannot take the reset at once gets it once it can, and no event before it."""
    async with Hearing(shared()).running() as one:
        stream = await one.open()
        await one.naps.end(FLUSH_SECONDS)
        stream.is_slow = True
        one.changes.begin("f", 0, is_shared=True)
        await one.naps.end(FLUSH_SECONDS)
        one.put(make_run(0))
        await one.naps.end(FLUSH_SECONDS)
        stream.is_slow = False
        await one.naps.end(FLUSH_SECONDS)
        one.put(make_run(1))
        await one.naps.end(FLUSH_SECONDS)
    assert ["snapshot", "reset", "run.created"] == stream.names


async def test_the_sign_of_life_has_the_epoch_of_what_was_told() -> None:
    """A stream that is ahead keeps its own position while it waits."""
    async with Hearing(shared()).running() as one:
        stream = await one.open(last_id="e-3")
        one.put(make_run(0))
        await one.naps.end(FLUSH_SECONDS)
        await one.naps.end(BEAT_SECONDS)
    assert "e-3" == stream.reader.last_id


async def test_numbers_of_two_epochs_are_of_different_runs() -> None:
    """The text of a run is not taken for one of another epoch that has the same number."""
    async with Hearing(shared()).running() as one:
        stream = await one.open()
        one.put(make_run(0))
        await one.naps.end(FLUSH_SECONDS)
        one.changes.begin("f", 0, is_shared=True)
        await one.naps.end(FLUSH_SECONDS)
        one.put(make_run(5))
        await one.naps.end(FLUSH_SECONDS)
    assert ["run000", "run005"] == [event.run_id for event in stream.heard if event.name == "run.created"]
