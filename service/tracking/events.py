"""What happens to runs, as listeners are told of it. Pure values, and what a log of changes is able to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from service.tracking.runs import Run
from service.tracking.search.expressions import Expression
from service.tracking.search.matching import matches

MOST_RUNS: Final = 1_000  # that one listener is told of at once; where there are more it reads anew

_POSITION: Final = re.compile(r"([A-Za-z0-9]{1,32})-([0-9]{1,19})", re.ASCII)


class EventName(StrEnum):
    """What an event is about. RUN_ENDED: the run became terminal. RESET: events are missing, read anew."""

    SNAPSHOT = "snapshot"
    RUN_CREATED = "run.created"
    RUN_UPDATED = "run.updated"
    RUN_ENDED = "run.ended"
    RUN_DELETED = "run.deleted"
    STALE = "stale"
    FRESH = "fresh"
    RESET = "reset"


class RunChange(msgspec.Struct, frozen=True):
    """A run before and after a change, of which one is None where it was created or deleted."""

    before: Run | None
    after: Run | None

    @property
    def run(self) -> Run:
        """The run as it was last known."""
        run = self.after or self.before
        if run is None:
            raise ValueError("a change is of a run")
        return run

    @property
    def name(self) -> EventName:
        """What the change is called."""
        if self.after is None:
            return EventName.RUN_DELETED
        if self.before is None:
            return EventName.RUN_CREATED
        has_ended = self.after.is_terminal and not self.before.is_terminal
        return EventName.RUN_ENDED if has_ended else EventName.RUN_UPDATED


class SyncChange(msgspec.Struct, frozen=True):
    """MLflow stopped answering the index, or answers again.

    since_ms: of STALE, when new and active runs were last looked for, None for never; of FRESH, when that was
    done again. Unix epoch milliseconds.
    """

    name: EventName
    since_ms: int | None


class Untold(msgspec.Struct, frozen=True):
    """Runs of these experiments changed, and nobody is told of each."""

    experiment_ids: tuple[str, ...]


class Entry(msgspec.Struct, frozen=True):
    """A change with its number, which is above those of all changes before."""

    number: int
    change: RunChange | SyncChange | Untold


class Listening(msgspec.Struct, frozen=True, cache_hash=True):
    """Whose changes a listener wants: of runs of these experiments that match the filter, None for all."""

    experiment_ids: tuple[str, ...]
    filter: Expression | None = None


class Event(msgspec.Struct, frozen=True):
    """A change as the listeners of one filter are told of it. matches: whether the run still does."""

    entry: Entry
    name: EventName
    matches: bool = False


class Position(msgspec.Struct, frozen=True):
    """Up to where a listener has been told: a number of one epoch."""

    epoch: str
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number}"


class Changes(Protocol):
    """The last changes, oldest first, with numbers that rise. epoch: other logs have other numbers.

    last: the number of the last change. staleness: what says that MLflow does not answer; None while it does.
    """

    epoch: str
    last: int
    staleness: SyncChange | None

    def since(self, number: int) -> Sequence[Entry] | None:
        """The changes after that number; None where they are not all there any more, or never were."""
        ...

    def is_ahead(self, number: int) -> bool:
        """Whether somebody may have been told of this number elsewhere, and it is still to come here."""
        ...

    def watch(self, told: Callable[[], object]) -> Callable[[], None]:
        """Call this after each change, until what is returned is called."""
        ...


def position_of(text: str) -> Position:
    """A position as it was written; ValueError where it is none."""
    parts = _POSITION.fullmatch(text)
    if parts is None:
        raise ValueError("must be the `id` of an event, or `next` of an answer")
    return Position(parts[1], int(parts[2]))


def event_of(entry: Entry, listening: Listening) -> Event | None:
    """The event that a change is for a listener; None where it is none.

    A run that matched and does not any more is one: the listener shows it still.
    """
    change = entry.change
    if isinstance(change, SyncChange):
        return Event(entry, change.name)
    if isinstance(change, Untold):
        concerns = set(change.experiment_ids) & set(listening.experiment_ids)
        return Event(entry, EventName.RESET) if concerns else None
    is_one = _wants(change.after, listening)
    if not is_one and not _wants(change.before, listening):
        return None
    return Event(entry, change.name, is_one)


def conflated(events: Iterable[Event]) -> list[Event] | None:
    """What a listener is told of these events; None where it has to read anew.

    Of a run only the newest `run.updated` is left, and that not where another event of the run follows; of
    a deleted run only that. So each event is the same whichever others are sent with it: who breaks off after
    any of them and asks for those behind it misses nothing, and gets none again.
    """
    left: list[Event] = []
    later: dict[str, EventName] = {}
    is_sync_told = False
    for event in sorted(events, key=lambda one: one.entry.number, reverse=True):
        change = event.entry.change
        if event.name is EventName.RESET:
            return None
        if not isinstance(change, RunChange):
            if not is_sync_told:
                left.append(event)
            is_sync_told = True
            continue
        run_id = change.run.run_id
        following = later.get(run_id)
        is_kept = following is None or (
            event.name is not EventName.RUN_UPDATED and following is not EventName.RUN_DELETED
        )
        if is_kept:
            left.append(event)
        if following is not EventName.RUN_DELETED:
            later[run_id] = event.name
        if len(later) > MOST_RUNS:
            return None
    left.reverse()
    return left


def _wants(run: Run | None, listening: Listening) -> bool:
    if run is None or run.experiment_id not in listening.experiment_ids:
        return False
    return listening.filter is None or matches(run, listening.filter)
