"""The hub of events: what is worked out once for many streams, and what each stream is sent."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from service.answer import Answer
from service.api import event_frames
from service.api.event_hub import BEAT_SECONDS, FLUSH_SECONDS
from service.errors import IndexNotReady, IndexTooLarge, InvalidRequest
from service.index.change_log import ChangeLog
from service.tracking.events import MOST_RUNS, Entry, Event, Listening, Position, event_of
from tests.api.hearing import Hearing, Taken, known
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


@pytest.mark.parametrize("seed", range(6))
async def test_streams_that_break_anywhere_miss_nothing_and_get_nothing_twice(seed: int) -> None:
    """However often a stream breaks, in the middle of an event, too, its page ends with the runs that match.

    Every id comes at most once, and in order.
    """
    choose = random.Random(seed)
    async with Hearing().running() as one:
        stream = await one.open(EVEN)
        heard = list(stream.heard)
        cut = Cut(stream.reader.last_id)
        for _ in range(150):
            change_something(one, choose)
            if choose.random() < 0.5:
                await one.naps.end(FLUSH_SECONDS)
            if choose.random() < 0.1:
                await one.naps.end(BEAT_SECONDS)
            heard += cut.take(stream, choose)
            if choose.random() < 0.1:
                stream.end()
                stream = await one.open(EVEN, last_id=cut.last_id)
                cut = Cut(cut.last_id)
        await one.naps.end(FLUSH_SECONDS)
        await one.naps.end(FLUSH_SECONDS)
        heard += cut.take(stream, None)
    matching = {run.run_id: run.params for run in one.runs.values() if run.params["method"] == "expanding"}
    assert matching == known(heard)
    numbers = [int(event.id.partition("-")[2]) for event in heard]
    assert sorted(set(numbers)) == numbers


class Cut:
    """The caller's end of a stream, where bytes arrive late, and some never. last_id: that the caller has."""

    def __init__(self, last_id: str) -> None:
        self._reader = Taken(last_id)
        self._seen = 0
        self._bytes = b""

    @property
    def last_id(self) -> str:
        return self._reader.reader.last_id

    def take(self, stream: Taken, choose: random.Random | None) -> Sequence[Any]:
        """What arrives of the stream by now; all of it where nothing is left to chance."""
        self._bytes += b"".join(frame.plain for frame in stream.frames[self._seen :])
        self._seen = len(stream.frames)
        arriving = len(self._bytes) if choose is None else choose.randint(0, len(self._bytes))
        before = len(self._reader.heard)
        self._reader.take(self._bytes[:arriving])
        self._bytes = self._bytes[arriving:]
        return self._reader.heard[before:]


def change_something(one: Hearing, choose: random.Random) -> None:
    """A run comes, changes, or is deleted."""
    run = make_run(choose.randint(0, 5))
    if run.run_id in one.runs and choose.random() < 0.2:
        one.drop(run.run_id)
        return
    params = {"method": choose.choice(["expanding", "rolling"]), "step": str(choose.random())}
    one.put(replace(run, params=params))
