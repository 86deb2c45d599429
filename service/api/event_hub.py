"""Tells all listeners of the index's changes: a filter is evaluated once for all that have it."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, NamedTuple

import msgspec

from service.api.event_frames import (
    Batch,
    EventFrames,
    RunTexts,
    data_of_reset,
    data_of_sync,
    events_between,
)
from service.api.search import state_of
from service.checkpoint import checkpoint
from service.errors import IndexNotReady
from service.http.event_stream import COMMENT, EventStream, Feed, Frame, event, told_position
from service.http.streams import Opening
from service.tracking.events import Changes, EventName, Listening, Position
from service.tracking.search.expressions import Expression
from service.tracking.search.queries import RunSearch, Selection
from service.tracking.search.searches import RunSearches

log = logging.getLogger("service.api")

FLUSH_SECONDS: Final = 0.25  # between two flushes
BEAT_SECONDS: Final = 5.0  # that a stream is silent at most

_AT_ONCE = 50  # streams that are written to in one turn of the loop
_KEPT_SNAPSHOTS = 128
_NOTHING: Final = Selection(frozenset(), frozenset(), frozenset())
_UNKNOWN: Final = "this replica does not know what came after that event"

_encode = msgspec.json.Encoder().encode


class ToldEvent(NamedTuple):
    """An event as a poll gets it. data: JSON."""

    id: str
    event: str
    data: msgspec.Raw


class Told(NamedTuple):
    """What a poll gets. next: up to where it has been told. is_reset: what it knows has to be read anew."""

    events: list[ToldEvent]
    next: str
    is_reset: bool


class _Listener:
    """A stream. number: up to where it has been served. told: the last number that it was sent."""

    __slots__ = ("number", "stream", "told")

    def __init__(self, stream: EventStream, number: int) -> None:
        self.stream = stream
        self.number = self.told = number


class _Channel(NamedTuple):
    """The listeners that want the same, and what they are sent."""

    frames: EventFrames
    listeners: set[_Listener]


class EventHub:
    """The listeners of a log of changes.

    searches: say what is there, and keep the index awake while somebody listens. sleep: waits for seconds.
    events, resets: how many were sent, to all streams together.
    """

    def __init__(
        self,
        changes: Changes,
        searches: RunSearches,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._changes = changes
        self._searches = searches
        self._sleep = sleep
        self._texts = RunTexts()
        self._channels: dict[Listening, _Channel] = {}
        self._snapshots: OrderedDict[Listening, tuple[object, bytes]] = OrderedDict()
        self._woken = asyncio.Event()
        self.events = self.resets = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell listeners for as long as the context lasts."""
        forget = self._changes.watch(self._woken.set)
        tasks = [asyncio.create_task(one) for one in (self._keep_flushing(), self._keep_beating())]
        try:
            yield
        finally:
            forget()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def listening(self, experiment_ids: tuple[str, ...], expression: Expression | None) -> Listening:
        """What a listener wants, where the index has all of it; else as `RunSearches.must_cover`.

        experiment_ids: () for the default one. While that does not exist, nothing is known of its runs.
        """
        experiments = (await self._searches.experiment_ids(experiment_ids)).value
        if not experiments:
            raise IndexNotReady(0.0)
        self._searches.must_cover(experiments, "query", "filter")
        return Listening(experiments, expression)

    async def opening(self, listening: Listening, since: Position | None, *, is_new: bool) -> Opening:
        """How a stream begins. since: what its caller was told last. is_new: it has been told nothing."""
        position = self._position()
        if since is not None and self._knows(since):
            return Opening(b"", self._feed(listening, since.number))
        events = await self._beginning(listening, position, is_new=is_new)
        first = b"".join(event(one.event, one.data, one.id) for one in events)
        return Opening(first, self._feed(listening, position.number))

    async def told(self, listening: Listening, since: Position | None) -> Told:
        """What a poll gets."""
        await self._searches.state(listening.experiment_ids)  # keeps the index awake
        position = self._position()
        if since is None:
            return Told(
                await self._beginning(listening, position, is_new=True), str(position), is_reset=False
            )
        happened = None
        if self._knows(since):
            happened = await events_between(self._changes, listening, since.number, position.number)
        if happened is None:
            self.resets += 1
            return Told(
                await self._beginning(listening, position, is_new=False), str(position), is_reset=True
            )
        events: list[ToldEvent] = []
        for one in happened:
            at = str(Position(position.epoch, one.entry.number))
            events.append(ToldEvent(at, one.name, msgspec.Raw(self._texts.data_of(one))))
            if len(events) % _AT_ONCE == 0:
                await checkpoint()
        return Told(events, str(position), is_reset=False)

    def _position(self) -> Position:
        return Position(self._changes.epoch, self._changes.last)

    def _knows(self, since: Position) -> bool:
        return since.epoch == self._changes.epoch and self._changes.since(since.number) is not None

    async def _beginning(self, listening: Listening, position: Position, *, is_new: bool) -> list[ToldEvent]:
        """What is told to whoever can be told of no changes: what is there, or to read it anew."""
        if is_new:
            events = [(EventName.SNAPSHOT, await self._snapshot(listening, position))]
        else:
            self.resets += 1
            events = [(EventName.RESET, data_of_reset(_UNKNOWN))]
        staleness = self._changes.staleness
        if staleness is not None:
            events.append((EventName.STALE, data_of_sync(staleness)))
        return [ToldEvent(str(position), name, msgspec.Raw(data)) for name, data in events]

    async def _snapshot(self, listening: Listening, position: Position) -> bytes:
        """How many runs match, as it was at this position or later. Many ask for it at once."""
        state = await self._searches.state(listening.experiment_ids)
        key = (position.number, None if state is None else state.value[1:])
        kept = self._snapshots.get(listening)
        if kept is None or kept[0] != key:
            search = RunSearch(listening.experiment_ids, listening.filter, page_size=1, selection=_NOTHING)
            found = (await self._searches.search(search, "", "query")).value
            kept = key, _encode({"index": state_of(found.index), "total": found.total})
            self._snapshots[listening] = kept
            if len(self._snapshots) > _KEPT_SNAPSHOTS:
                self._snapshots.popitem(last=False)
        return kept[1]

    def _feed(self, listening: Listening, number: int) -> Feed:
        @contextmanager
        def feed(stream: EventStream) -> Iterator[None]:
            listener = _Listener(stream, number)
            channel = self._channels.get(listening)
            if channel is None:
                channel = _Channel(EventFrames(self._changes, listening, self._texts), set())
                self._channels[listening] = channel
            channel.listeners.add(listener)
            self._woken.set()
            try:
                yield
            finally:
                channel.listeners.discard(listener)
                if not channel.listeners and self._channels.get(listening) is channel:
                    del self._channels[listening]

        return feed

    async def _keep_flushing(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._flush(self._changes.last)
            except Exception:
                log.exception("streams are not told of changes")
            await self._sleep(FLUSH_SECONDS)

    async def _flush(self, last: int) -> None:
        for channel in list(self._channels.values()):
            behind = [one for one in channel.listeners if one.number < last]
            for count, listener in enumerate(behind, 1):
                self._send(listener, await channel.frames.between(listener.number, last), last)
                if listener.number < last:  # too slow: the rest comes with one of the next flushes
                    self._woken.set()
                if count % _AT_ONCE == 0:
                    await checkpoint()

    def _send(self, listener: _Listener, batch: Batch, last: int) -> None:
        for one in batch.frames:
            if not listener.stream.offer(one.frame):
                return
            listener.number = listener.told = one.number
            self.events += one.events
            self.resets += batch.is_reset
        listener.number = last

    async def _keep_beating(self) -> None:
        while True:
            await self._sleep(BEAT_SECONDS)
            try:
                await self._beat()
            except Exception:
                log.exception("streams are not kept open")

    async def _beat(self) -> None:
        """Show every stream that it is open, and end those whose runs the index does not have any more."""
        for listening, channel in list(self._channels.items()):
            state = await self._searches.state(listening.experiment_ids)  # keeps the index awake
            for count, listener in enumerate(list(channel.listeners), 1):
                if state is None:
                    listener.stream.end()
                elif listener.stream.offer(self._sign_of_life(listener)):
                    listener.told = listener.number
                if count % _AT_ONCE == 0:
                    await checkpoint()

    def _sign_of_life(self, listener: _Listener) -> Frame:
        if listener.told == listener.number:
            return COMMENT
        return told_position(str(Position(self._changes.epoch, listener.number)))
