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
_KEPT_FRAMES = 4  # of one filter: for streams that are not all at the same place
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
        self._kept: OrderedDict[int, msgspec.Raw] = OrderedDict()

    def data_of(self, one: Event) -> bytes:
        """What an event says, as JSON."""
        change = one.entry.change
        if isinstance(change, SyncChange):
            return data_of_sync(change)
        if not isinstance(change, RunChange):
            return data_of_reset(TOO_MUCH)
        run = self._run(one.entry.number, change.run)
        if one.name is EventName.RUN_DELETED:
            return _encode({"run_id": change.run.run_id, "run": run, "matches": False})
        return _encode({"run": run, "matches": one.matches})

    def _run(self, number: int, run: Run) -> msgspec.Raw:
        text = self._kept.get(number)
        if text is None:
            text = self._kept[number] = msgspec.Raw(_encode(_row(run)))
            if len(self._kept) > _KEPT_RUNS:
                self._kept.popitem(last=False)
        return text


class EventFrames:
    """The events of a log that one kind of listeners is sent."""

    def __init__(self, changes: Changes, listening: Listening, texts: RunTexts) -> None:
        self._changes = changes
        self._listening = listening
        self._texts = texts
        self._kept: OrderedDict[tuple[int, int], Batch] = OrderedDict()

    async def between(self, number: int, last: int) -> Batch:
        """The events after one number up to another."""
        kept = self._kept.get((number, last))
        if kept is None:
            kept = self._kept[number, last] = await self._batch(number, last)
            if len(self._kept) > _KEPT_FRAMES:
                self._kept.popitem(last=False)
        return kept

    async def _batch(self, number: int, last: int) -> Batch:
        epoch = self._changes.epoch
        events = await events_between(self._changes, self._listening, number, last)
        if events is None:
            text = event(EventName.RESET, data_of_reset(TOO_MUCH), str(Position(epoch, last)))
            return Batch((NumberedFrame(last, framed(text), 1),), is_reset=True)
        frames: list[NumberedFrame] = []
        texts: list[bytes] = []
        size = 0
        for count, one in enumerate(events, 1):
            at = one.entry.number
            texts.append(event(one.name, self._texts.data_of(one), str(Position(epoch, at))))
            size += len(texts[-1])
            if size >= _FRAME_BYTES or count == len(events):
                frames.append(NumberedFrame(at, framed(b"".join(texts)), len(texts)))
                texts, size = [], 0
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


def data_of_sync(change: SyncChange) -> bytes:
    """What `stale` and `fresh` say, as JSON."""
    return _encode({"since_ms": change.since_ms})


def data_of_reset(reason: str) -> bytes:
    """What `reset` says, as JSON."""
    return _encode({"reason": reason})
