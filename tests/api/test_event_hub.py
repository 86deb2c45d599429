"""The hub of events: what is worked out once for many streams, and what each stream is sent."""

from typing import Any

import pytest

from service.answer import Answer
from service.api import event_frames
from service.api.event_hub import BEAT_SECONDS, FLUSH_SECONDS
from service.errors import IndexNotReady, IndexTooLarge, InvalidRequest
from service.index.change_log import ChangeLog
from service.tracking.events import MOST_RUNS, Entry, Event, Listening, Position, event_of
from tests.api.hearing import Hearing, known
from tests.api.searching import make_run

EVEN = "params.method = 'expanding'"


async def test_a_filter_is_evaluated_once_for_all_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change is held against each filter once, and streams of one filter get the very same bytes."""
    asked: list[tuple[int, object]] = []

    def counted(entry: Entry, listening: Listening) -> Event | None:
        asked.append((entry.number, listening.filter))
        return event_of(entry, listening)

    monkeypatch.setattr(event_frames, "event_of", counted)
    async with Hearing().running() as one:
        every = [await one.open() for _ in range(70)]
        even = [await one.open(EVEN) for _ in range(70)]
        one.put(make_run(2))
        await one.naps.end(FLUSH_SECONDS)
    assert 2 == len(asked) == len(set(asked))
    for streams in (every, even):
        assert {"snapshot,run.created"} == {",".join(stream.names) for stream in streams}
        assert 1 == len({id(stream.frames[-1].chunk) for stream in streams})


async def test_a_stream_hears_at_once_and_then_four_times_a_second() -> None:
    """The first change is sent without a wait, and those of the next quarter of a second together."""
    async with Hearing().running() as one:
        stream = await one.open()
        await one.naps.end(FLUSH_SECONDS)
        frames = len(stream.frames)
        one.put(make_run(1))
        await one.naps.end(0.0)
        assert frames + 1 == len(stream.frames)
        for step in range(5):
            one.put(make_run(1, params={"step": str(step)}))
            await one.naps.end(0.0)
        assert frames + 1 == len(stream.frames)
        await one.naps.end(FLUSH_SECONDS)
    assert frames + 2 == len(stream.frames)
    assert ["snapshot", "run.created", "run.updated"] == stream.names
    assert {"run001": {"step": "4"}} == known(stream.heard)


async def test_a_snapshot_counts_once_for_many() -> None:
    """Streams that begin at one time have the index count the runs that match once."""
    async with Hearing().running() as one:
        for number in range(10):
            one.put(make_run(number))
        streams = [await one.open(EVEN) for _ in range(30)]
        assert 1 == one.index.searches
        one.put(make_run(12))
        later = await one.open(EVEN)
    assert ({5}, 6) == ({stream.heard[0].data["total"] for stream in streams}, later.heard[0].data["total"])


async def test_a_stream_goes_on_behind_the_last_event() -> None:
    """Who comes back with the id of an event gets what came after it, without a snapshot."""
    async with Hearing().running() as one:
        one.put(make_run(0))
        one.put(make_run(2))
        one.put(make_run(3))
        stream = await one.open(EVEN, last_id="e-1")
        await one.naps.end(FLUSH_SECONDS)
    assert [("e-2", "run.created")] == [(event.id, event.name) for event in stream.heard]


@pytest.mark.parametrize("last_id", ["other-1", "e-99", "e-3"])
async def test_who_cannot_be_told_reads_anew(last_id: str) -> None:
    """A reset answers an id of another epoch, one that never was, and one whose followers are gone."""
    changes = ChangeLog("e", last=3, most_entries=10)
    async with Hearing(changes).running() as one:
        for number in range(30):
            one.put(make_run(number))
        stream = await one.open(last_id=last_id)
        assert (["reset"], f"e-{changes.last}") == (stream.names, stream.reader.last_id)
        one.put(make_run(31))
        await one.naps.end(FLUSH_SECONDS)
    assert ["reset", "run.created"] == stream.names
    assert 1 == one.hub.resets


async def test_a_burst_of_too_many_runs_is_a_reset() -> None:
    """Where more than 1,000 runs change at once a stream is told to read anew, and goes on from there."""
    async with Hearing().running() as one:
        stream = await one.open()
        await one.naps.end(FLUSH_SECONDS)
        one.put(make_run(0))
        await one.naps.end(0.0)
        for number in range(MOST_RUNS + 1):
            one.put(make_run(number, run_id=f"many{number}"))
        await one.naps.end(FLUSH_SECONDS)
        one.put(make_run(1))
        await one.naps.end(FLUSH_SECONDS)
    assert ["snapshot", "run.created", "reset", "run.created"] == stream.names
    assert ("run001", 1) == (stream.heard[-1].run_id, one.hub.resets)


async def test_a_reset_says_whether_mlflow_answers() -> None:
    """Who is told to read anew while MLflow does not answer is told that, too: the word of it was missed."""
    async with Hearing().running() as one:
        stream = await one.open()
        await one.naps.end(FLUSH_SECONDS)
        one.put(make_run(0))
        await one.naps.end(0.0)
        one.changes.stale(7)
        for number in range(MOST_RUNS + 1):
            one.put(make_run(number, run_id=f"many{number}"))
        await one.naps.end(FLUSH_SECONDS)
    assert ["snapshot", "run.created", "reset", "stale"] == stream.names


async def test_a_filter_that_fails_ends_its_own_streams(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect in one filter is logged, and streams of other filters go on."""

    def failing(entry: Entry, listening: Listening) -> Event | None:
        if listening.filter is not None:
            raise RuntimeError("a defect")
        return event_of(entry, listening)

    monkeypatch.setattr(event_frames, "event_of", failing)
    async with Hearing().running() as one:
        even, every = await one.open(EVEN), await one.open()
        one.put(make_run(2))
        await one.naps.end(FLUSH_SECONDS)
        one.put(make_run(4))
        await one.naps.end(FLUSH_SECONDS)
    assert (True, False) == (even.is_ended, every.is_ended)
    assert ["snapshot", "run.created", "run.created"] == every.names
    assert "a defect" in caplog.text


async def test_a_slow_stream_holds_up_nobody() -> None:
    """A caller who takes nothing gets what it lacks once it takes something, conflated."""
    async with Hearing().running() as one:
        slow, quick = await one.open(), await one.open()
        slow.is_slow = True
        for step in range(20):
            one.put(make_run(1, params={"step": str(step)}))
            await one.naps.end(FLUSH_SECONDS)
        assert (1, 21) == (len(slow.heard), len(quick.heard))
        slow.is_slow = False
        await one.naps.end(FLUSH_SECONDS)
    assert ["snapshot", "run.created", "run.updated"] == slow.names
    assert known(quick.heard) == known(slow.heard) == {"run001": {"step": "19"}}


async def test_a_silent_stream_shows_that_it_is_open() -> None:
    """Each five seconds there is a comment; it says where to go on if changes were not for this stream."""
    async with Hearing().running() as one:
        stream = await one.open(EVEN)
        await one.naps.end(BEAT_SECONDS)
        await one.naps.end(FLUSH_SECONDS)
        assert (1, "e-0") == (stream.reader.comments, stream.reader.last_id)
        one.put(make_run(1))
        await one.naps.end(FLUSH_SECONDS)
        await one.naps.end(BEAT_SECONDS)
        assert (2, "e-1", ["snapshot"]) == (stream.reader.comments, stream.reader.last_id, stream.names)
        await one.naps.end(BEAT_SECONDS)
    assert b"3\r\n:\n\n\r\n" == stream.frames[-1].chunk


async def test_listeners_keep_the_index_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as a stream is open the index is asked each five seconds, as by a search; polls ask it, too."""
    async with Hearing().running() as one:
        asked: list[tuple[str, ...]] = []
        read = one.index.reading

        def reading(experiment_ids: tuple[str, ...]) -> Answer[None]:
            asked.append(experiment_ids)
            return read(experiment_ids)

        monkeypatch.setattr(one.index, "reading", reading)
        await one.naps.end(BEAT_SECONDS)
        assert [] == asked
        await one.hub.told(await one.listening(), Position("e", 0))
        await one.open()
        before = len(asked)
        for _ in range(3):
            await one.naps.end(BEAT_SECONDS)
    assert (3, {("0",)}) == (len(asked) - before, set(asked))


async def test_streams_end_where_the_index_lost_their_runs() -> None:
    """Listeners of an experiment that the index has no more are told to read anew, and their streams end."""
    async with Hearing().running() as one:
        stream = await one.open()
        one.index.complete.clear()
        one.changes.lost(("0",))
        await one.naps.end(FLUSH_SECONDS)
        await one.naps.end(BEAT_SECONDS)
    assert (["snapshot", "reset"], True) == (stream.names, stream.is_ended)


async def test_who_comes_while_mlflow_fails_is_told() -> None:
    """A new listener is told at once that MLflow does not answer, by the id of what it is told first."""
    async with Hearing().running() as one:
        one.changes.stale(7)
        stream = await one.open()
        one.changes.fresh(9)
        await one.naps.end(FLUSH_SECONDS)
    assert [("e-1", "snapshot"), ("e-1", "stale"), ("e-2", "fresh")] == [
        (event.id, event.name) for event in stream.heard
    ]
    assert [7, 9] == [event.data["since_ms"] for event in stream.heard[1:]]


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ({"followed": {"0"}, "complete": set()}, IndexNotReady),
        ({"complete": set()}, InvalidRequest),
        ({"too_large": True}, IndexTooLarge),
    ],
)
async def test_without_all_runs_nobody_listens(state: dict[str, Any], error: type[Exception]) -> None:
    """Where the index does not have all runs the error is that of a search, and no silent stream."""
    async with Hearing().running() as one:
        for name, value in state.items():
            setattr(one.index, name, value)
        with pytest.raises(error):
            await one.open()


async def test_polls_get_what_streams_get() -> None:
    """A poll begins with a snapshot, goes on behind it, and is told where too much was missed."""
    async with Hearing(ChangeLog("e", most_entries=10)).running() as one:
        listening = await one.listening(EVEN)
        first = await one.hub.told(listening, None)
        one.put(make_run(1))
        one.put(make_run(2))
        second = await one.hub.told(listening, Position("e", 0))
        third = await one.hub.told(listening, Position("e", 2))
        for number in range(10, 30):
            one.put(make_run(number))
        last = await one.hub.told(listening, Position("e", 2))
    assert (["snapshot"], "e-0") == ([event.event for event in first.events], first.next)
    assert ([("e-2", "run.created")], "e-2") == (
        [(event.id, event.event) for event in second.events],
        second.next,
    )
    assert ([], "e-2", False) == third
    assert (["reset"], "e-22", True) == ([event.event for event in last.events], last.next, last.is_reset)
