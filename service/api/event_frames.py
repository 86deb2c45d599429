"""Events as the bytes that listeners get, encoded once for all who want the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from service.api.search_rows import row_of
from service.checkpoint import checkpoint
from service.http.event_stream import Frame, event, framed
from service.tracking.events import (
    Changes,
    Event,
    EventName,
    Listening,
    Position,
    RunChange,
    SyncChange,
    conflated,
    event_of,
)
from service.tracking.runs import Run

TOO_MUCH: Final = "more has changed than is told one by one"

_AT_ONCE = 100  # changes that are looked at, or encoded, in one turn of the loop
_FRAME_BYTES = 32_768  # above which a frame takes no more events
_KEPT_RUNS = 256

_encode = msgspec.json.Encoder().encode
_row = row_of(None)


class NumberedFrame(NamedTuple):
    """A frame of so many events. number: up to where a stream has been served with it."""

    number: int
    frame: Frame
    events: int


class Batch(NamedTuple):
    """What streams are sent. is_reset: it tells them to read anew."""

    frames: tuple[NumberedFrame, ...]
    is_reset: bool = False


class RunTexts:
    """Runs as JSON. The last ones are kept, for streams of other filters."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[Run, msgspec.Raw]] = OrderedDict()

    def data_of(self, one: Event) -> bytes:
        """What an event says, as JSON."""
        change = one.entry.change
        if isinstance(change, SyncChange):
            return _encode({"since_ms": change.since_ms})
        if not isinstance(change, RunChange):
            return data_of_reset(TOO_MUCH)
        run = self._run(one.entry.number, change.run)
        if one.name is EventName.RUN_DELETED:
            return _encode({"run_id": change.run.run_id, "run": run, "matches": False})
        return _encode({"run": run, "matches": one.matches})

    def _run(self, number: int, run: Run) -> msgspec.Raw:
        kept = self._kept.get(number)
        if kept is None or kept[0] is not run:  # numbers of another epoch are of other runs
            kept = self._kept[number] = run, msgspec.Raw(_encode(_row(run)))
            if len(self._kept) > _KEPT_RUNS:
                self._kept.popitem(last=False)
        return kept[1]


def reset_of(changes: Changes, reason: str, upto: Position) -> Batch:
    """What streams are sent that have to read anew."""
    told = [(EventName.RESET, data_of_reset(reason)), *staleness_of(changes)]
    text = b"".join(event(name, data, str(upto)) for name, data in told)
    return Batch((NumberedFrame(upto.number, framed(text), len(told)),), is_reset=True)


async def batch_of(
    changes: Changes, listening: Listening, texts: RunTexts, number: int, upto: Position
) -> Batch:
    """The events after one number up to a position, for all streams that want them."""
    events = await events_between(changes, listening, number, upto.number)
    if events is None:
        return reset_of(changes, TOO_MUCH, upto)
    frames: list[NumberedFrame] = []
    lines: list[bytes] = []
    size = 0
    for count, one in enumerate(events, 1):
        at = one.entry.number
        lines.append(event(one.name, texts.data_of(one), str(Position(upto.epoch, at))))
        size += len(lines[-1])
        if size >= _FRAME_BYTES or count == len(events):
            frames.append(NumberedFrame(at, framed(b"".join(lines)), len(lines)))
            lines, size = [], 0
        if count % _AT_ONCE == 0:
            await checkpoint()
    return Batch(tuple(frames))


async def events_between(
    changes: Changes, listening: Listening, number: int, last: int
) -> Sequence[Event] | None:
    """The events after one number up to another; None where a listener has to read anew."""
    entries = changes.since(number)
    if entries is None:
        return None
    events: list[Event] = []
    for count, entry in enumerate(entries, 1):
        if entry.number > last:
            break
        one = event_of(entry, listening)
        if one is not None:
            events.append(one)
        if count % _AT_ONCE == 0:
            await checkpoint()
    return conflated(events)


def staleness_of(changes: Changes) -> list[tuple[EventName, bytes]]:
    """What is told beside a snapshot or a reset: that MLflow does not answer; nothing while it does."""
    staleness = changes.staleness
    return [] if staleness is None else [(staleness.name, _encode({"since_ms": staleness.since_ms}))]


def data_of_reset(reason: str) -> bytes:
    """What `reset` says, as JSON."""
    return _encode({"reason": reason})
