"""What listeners are told of changes: which changes, by which names, and how few of many."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from service.tracking.events import (
    MOST_RUNS,
    Entry,
    Event,
    EventName,
    Listening,
    Position,
    RunChange,
    SyncChange,
    Untold,
    conflated,
    event_of,
    position_of,
)
from service.tracking.runs import Run
from service.tracking.search.parsing import parse_filter
from tests.tracking.values import make_run

ACTIVE = replace(make_run("a", status="RUNNING", end_time=None), experiment_id="1")
ENDED = replace(ACTIVE, status="FINISHED", end_time=2)
DEEP = Listening(("1",), parse_filter("params.depth = 'deep'"))
ALL = Listening(("1",))


def deep(run: Run) -> Run:
    """The same run, so that the filter finds it."""
    return replace(run, params={"depth": "deep"})


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        (None, ACTIVE, EventName.RUN_CREATED),
        (None, ENDED, EventName.RUN_CREATED),
        (ACTIVE, deep(ACTIVE), EventName.RUN_UPDATED),
        (ACTIVE, ENDED, EventName.RUN_ENDED),
        (ENDED, deep(ENDED), EventName.RUN_UPDATED),
        (ENDED, ACTIVE, EventName.RUN_UPDATED),
        (ACTIVE, None, EventName.RUN_DELETED),
    ],
)
def test_what_a_change_is_called(before: Run | None, after: Run | None, name: EventName) -> None:
    """A run is created, becomes terminal, is deleted, or is another than before in any other way."""
    assert name is RunChange(before, after).name


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, ACTIVE, None),
        (None, deep(ACTIVE), (EventName.RUN_CREATED, True)),
        (ACTIVE, deep(ACTIVE), (EventName.RUN_UPDATED, True)),
        (deep(ACTIVE), ACTIVE, (EventName.RUN_UPDATED, False)),
        (deep(ACTIVE), ENDED, (EventName.RUN_ENDED, False)),
        (deep(ACTIVE), None, (EventName.RUN_DELETED, False)),
        (ACTIVE, None, None),
        (replace(deep(ACTIVE), experiment_id="2"), None, None),
    ],
)
def test_who_is_told(before: Run | None, after: Run | None, told: tuple[EventName, bool] | None) -> None:
    """A listener is told of runs that match its filter in its experiments, and once of one that ceases to."""
    event = event_of(Entry(1, RunChange(before, after)), DEEP)
    assert told == (None if event is None else (event.name, event.matches))


def test_every_listener_is_told_of_the_sync() -> None:
    """Whatever its filter, a listener is told that MLflow does not answer."""
    event = event_of(Entry(1, SyncChange(EventName.STALE, 5)), DEEP)
    assert event is not None
    assert EventName.STALE is event.name


def test_of_a_burst_the_newest_is_left() -> None:
    """Of many updates the last is told, where it stands; that a run came and ended is never left out."""
    runs = [replace(ACTIVE, params={"step": str(number)}) for number in range(4)]
    changes = [
        RunChange(None, runs[0]),
        RunChange(runs[0], runs[1]),
        RunChange(None, replace(ACTIVE, run_id="b")),
        RunChange(runs[1], runs[2]),
        RunChange(runs[2], ENDED),
        RunChange(ENDED, deep(ENDED)),
        RunChange(deep(ENDED), replace(ENDED, params={"late": "1"})),
    ]
    left = conflated(events_of(changes, ALL))
    assert left is not None
    assert [
        (1, EventName.RUN_CREATED),
        (3, EventName.RUN_CREATED),
        (5, EventName.RUN_ENDED),
        (7, EventName.RUN_UPDATED),
    ] == [(event.entry.number, event.name) for event in left]


def test_of_a_deleted_run_only_that_is_told() -> None:
    """What happened to a run before it was deleted is left out; that it came back is told."""
    changes = [
        RunChange(None, ACTIVE),
        RunChange(ACTIVE, ENDED),
        RunChange(ENDED, None),
        RunChange(None, ENDED),
    ]
    left = conflated(events_of(changes, ALL))
    assert left is not None
    assert [3, 4] == [event.entry.number for event in left]


def test_of_the_sync_the_last_word_is_told() -> None:
    """MLflow that failed and answers again since is said to answer."""
    changes = [SyncChange(EventName.STALE, 1), SyncChange(EventName.FRESH, 2)]
    left = conflated(events_of(changes, ALL))
    assert left is not None
    assert [EventName.FRESH] == [event.name for event in left]


def test_too_many_runs_are_not_told_one_by_one() -> None:
    """Of 1,000 runs each is told, of one more none: the listener reads anew."""
    changes = [RunChange(None, replace(ACTIVE, run_id=f"r{number}")) for number in range(MOST_RUNS + 1)]
    assert MOST_RUNS == len(conflated(events_of(changes[1:], ALL)) or ())
    assert conflated(events_of(changes, ALL)) is None


def test_what_was_not_logged_has_to_be_read() -> None:
    """Where changes of its experiments were not logged, a listener reads anew, and others need not."""
    entry = Entry(1, Untold(("1", "3")))
    event = event_of(entry, ALL)
    assert event is not None
    assert conflated([event]) is None
    assert event_of(entry, Listening(("2",))) is None


@pytest.mark.parametrize(
    "text", ["", "1", "a-", "-1", "a-b", "a-1-2", "a b-1", "a-1\n", f"a-{'1' * 20}", "ä-1"]
)
def test_what_is_no_position(text: str) -> None:
    """Only an epoch and a number is one."""
    with pytest.raises(ValueError, match="id"):
        position_of(text)


def test_a_position_is_read_as_it_is_written() -> None:
    """An id goes to the listener and comes back."""
    assert Position("5f1c09ab", 4711) == position_of(str(Position("5f1c09ab", 4711)))


class Step(NamedTuple):
    """What becomes of a run. value: None where it is deleted."""

    run_id: str
    value: int | None
    is_ended: bool


STEPS = st.builds(Step, st.sampled_from("abc"), st.none() | st.integers(0, 5), st.booleans())
HIGH = Listening(("1",), parse_filter("metrics.m > 2"))


def changes_of(steps: Sequence[Step]) -> tuple[list[RunChange], dict[str, Run]]:
    """The changes that these steps make, and the runs that are there in the end."""
    runs: dict[str, Run] = {}
    changes = []
    for run_id, value, is_ended in steps:
        before, after = runs.pop(run_id, None), None
        if value is not None:
            kind = ENDED if is_ended else ACTIVE
            after = runs[run_id] = replace(kind, run_id=run_id, metrics={"m": float(value)})
        if before != after:
            changes.append(RunChange(before, after))
    return changes, runs


def events_of(changes: Sequence[RunChange | SyncChange], listening: Listening) -> list[Event]:
    """The events that these changes are, which have the numbers from 1 on."""
    events = [event_of(Entry(number, change), listening) for number, change in enumerate(changes, 1)]
    return [event for event in events if event is not None]


class Hearer:
    """A listener that knows the runs which match. numbers: of all events that it heard. names: by run."""

    def __init__(self) -> None:
        self.known: dict[str, Run] = {}
        self.numbers = [0]
        self.names: set[tuple[str, EventName]] = set()

    def hear(self, events: Sequence[Event]) -> None:
        """Take events, as a page does."""
        for event in events:
            change = event.entry.change
            assert isinstance(change, RunChange)
            self.numbers.append(event.entry.number)
            self.names.add((change.run.run_id, event.name))
            self.known.pop(change.run.run_id, None)
            if event.matches:
                self.known[change.run.run_id] = change.run

    def lacks(self, events: Sequence[Event]) -> list[Event]:
        """What it is sent of these events."""
        return conflated([event for event in events if event.entry.number > self.numbers[-1]]) or []


@given(st.lists(STEPS, max_size=30), st.data())
def test_whoever_breaks_off_misses_nothing_and_gets_nothing_twice(
    steps: list[Step], data: st.DataObject
) -> None:
    """A listener that breaks off after any event and goes on behind it knows the runs that match in the end.

    Each event comes once, in order, and it hears of each run that ended, unless it hears that it was deleted.
    """
    changes, runs = changes_of(steps)
    events, hearer, upto = events_of(changes, HIGH), Hearer(), 0
    while upto < len(changes):
        upto = data.draw(st.integers(upto + 1, len(changes)), label="a flush up to")
        coming = hearer.lacks([event for event in events if event.entry.number <= upto])
        hearer.hear(coming[: data.draw(st.integers(0, len(coming)), label="broken off after")])
    hearer.hear(hearer.lacks(events))
    assert {key: run for key, run in runs.items() if (run.metrics["m"] or 0) > 2} == hearer.known
    assert sorted(set(hearer.numbers)) == hearer.numbers
    listens = Hearer()
    listens.hear(events)  # each by itself
    ended = {run_id for run_id, name in listens.names if name is EventName.RUN_ENDED}
    deleted = {run_id for run_id, name in hearer.names if name is EventName.RUN_DELETED}
    assert {(run_id, EventName.RUN_ENDED) for run_id in ended - deleted} <= hearer.names
