"""Tells all listeners of the index's changes: a filter is evaluated once for all that have it."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final, NamedTuple

import msgspec

from service.api.event_frames import (
    Batch,
    RunTexts,
    batch_of,
    data_of_reset,
    events_between,
    reset_of,
    staleness_of,
)
from service.api.search import state_of
from service.checkpoint import checkpoint
from service.errors import IndexNotReady
from service.http.event_stream import COMMENT, Feed, Frame, Sink, event, told_position
from service.http.streams import Opening
from service.tracking.events import Changes, EventName, Listening, Position
from service.tracking.search.expressions import Expression
from service.tracking.search.queries import RunSearch, Selection
from service.tracking.search.searches import RunSearches

log = logging.getLogger("service.api")

FLUSH_SECONDS: Final = 0.25  # between two flushes
BEAT_SECONDS: Final = 5.0  # that a stream is silent at most

_AT_ONCE = 50  # streams of one filter that are written to in one turn of the loop
_FILTERS_AT_ONCE = 20
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
    """A stream. epoch, number: up to where it has been served. told: the last number that it was sent."""

    __slots__ = ("epoch", "number", "stream", "told")

    def __init__(self, stream: Sink, position: Position) -> None:
        self.stream = stream
        self.epoch = position.epoch
        self.number = self.told = position.number


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
        self._listeners: dict[Listening, set[_Listener]] = {}
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
        self._searches.must_cover(experiments, "query", "experiment_id")
        if not experiments:
            raise IndexNotReady(0.0)
        return Listening(experiments, expression)

    async def opening(self, listening: Listening, since: Position | None, *, is_new: bool) -> Opening:
        """How a stream begins. since: what its caller was told last. is_new: it has been told nothing."""
        position = self._position()
        if since is not None and self._knows(since):
            return Opening(b"", self._feed(listening, since))
        events = await self._beginning(listening, position, is_new=is_new)
        first = b"".join(event(one.event, one.data, one.id) for one in events)
        return Opening(first, self._feed(listening, position))

    async def told(self, listening: Listening, since: Position | None) -> Told:
        """What a poll gets."""
        await self._searches.state(listening.experiment_ids)  # keeps the index awake
        position = self._position()
        if since is None:
            return Told(
                await self._beginning(listening, position, is_new=True), str(position), is_reset=False
            )
        if self._is_ahead(since):
            return Told([], str(since), is_reset=False)
        happened = None
        if self._knows(since):
            happened = await events_between(self._changes, listening, since.number, position.number)
        if happened is None:
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
        is_known = since.epoch == self._changes.epoch and self._changes.since(since.number) is not None
        return is_known or self._is_ahead(since)

    def _is_ahead(self, since: Position) -> bool:
        """Whether another replica has told what is still to come here."""
        return since.epoch == self._changes.epoch and self._changes.is_ahead(since.number)

    async def _beginning(self, listening: Listening, position: Position, *, is_new: bool) -> list[ToldEvent]:
        """What is told to whoever can be told of no changes: what is there, or to read it anew."""
        if is_new:
            events = [(EventName.SNAPSHOT, await self._snapshot(listening, position))]
        else:
            self.resets += 1
            events = [(EventName.RESET, data_of_reset(_UNKNOWN))]
        events += staleness_of(self._changes)
        return [ToldEvent(str(position), name, msgspec.Raw(data)) for name, data in events]

    async def _snapshot(self, listening: Listening, position: Position) -> bytes:
        """How many runs match, as it was at this position or later. Many ask for it at once."""
        state = await self._searches.state(listening.experiment_ids)
        key = (position, None if state is None else state.value[1:])
        kept = self._snapshots.get(listening)
        if kept is None or kept[0] != key:
            search = RunSearch(listening.experiment_ids, listening.filter, page_size=1, selection=_NOTHING)
            found = (await self._searches.search(search, "", "query")).value
            kept = key, _encode({"index": state_of(found.index), "total": found.total})
            self._snapshots[listening] = kept
            if len(self._snapshots) > _KEPT_SNAPSHOTS:
                self._snapshots.popitem(last=False)
        return kept[1]

    def _feed(self, listening: Listening, position: Position) -> Feed:
        @contextmanager
        def feed(stream: Sink) -> Iterator[None]:
            listener = _Listener(stream, position)
            self._listeners.setdefault(listening, set()).add(listener)
            self._woken.set()
            try:
                yield
            finally:
                listeners = self._listeners[listening]
                listeners.discard(listener)
                if not listeners:
                    del self._listeners[listening]

        return feed

    async def _keep_flushing(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            upto = self._position()
            for count, (listening, listeners) in enumerate(list(self._listeners.items()), 1):
                behind = [one for one in listeners if one.number < upto.number or one.epoch != upto.epoch]
                try:
                    await self._flush(listening, behind, upto)
                except Exception:
                    log.exception("listeners are not told of changes")
                    for one in behind:  # who comes back with the last id misses nothing
                        one.stream.end()
                if count % _FILTERS_AT_ONCE == 0:
                    await checkpoint()
            await self._sleep(FLUSH_SECONDS)

    async def _flush(self, listening: Listening, behind: Sequence[_Listener], upto: Position) -> None:
        """Send listeners what they lack; what one is too slow to take comes with one of the next flushes."""
        batches: dict[int | None, Batch] = {}  # for nearly all listeners it is the same one
        for count, listener in enumerate(behind, 1):
            if listener.stream.is_ready():
                number = listener.number if listener.epoch == upto.epoch else None
                if number not in batches:
                    batches[number] = await self._batch(listening, number, upto)
                if upto.epoch != self._changes.epoch:  # which tells everybody to read anew
                    return
                self._send(listener, batches[number], upto)
            if listener.number < upto.number or listener.epoch != upto.epoch:
                self._woken.set()
            if count % _AT_ONCE == 0:
                await checkpoint()

    async def _batch(self, listening: Listening, number: int | None, upto: Position) -> Batch:
        """What listeners lack that have been served up to this number, None for one of another epoch."""
        if number is None:
            return reset_of(self._changes, _UNKNOWN, upto)
        return await batch_of(self._changes, listening, self._texts, number, upto)

    def _send(self, listener: _Listener, batch: Batch, upto: Position) -> None:
        for one in batch.frames:
            if not listener.stream.offer(one.frame):
                return
            listener.epoch = upto.epoch
            listener.number = listener.told = one.number
            self.events += one.events
            self.resets += batch.is_reset
        listener.number = upto.number

    async def _keep_beating(self) -> None:
        while True:
            await self._sleep(BEAT_SECONDS)
            try:
                await self._beat()
            except Exception:
                log.exception("streams are not kept open")

    async def _beat(self) -> None:
        """Show every stream that it is open, and end those whose runs the index does not have any more."""
        for filters, (listening, listeners) in enumerate(list(self._listeners.items()), 1):
            state = await self._searches.state(listening.experiment_ids)  # keeps the index awake
            for count, listener in enumerate(list(listeners), 1):
                if state is None:
                    listener.stream.end()
                elif listener.stream.offer(self._sign_of_life(listener)):
                    listener.told = listener.number
                if count % _AT_ONCE == 0:
                    await checkpoint()
            if filters % _FILTERS_AT_ONCE == 0:
                await checkpoint()

    def _sign_of_life(self, listener: _Listener) -> Frame:
        if listener.told == listener.number:
            return COMMENT
        return told_position(str(Position(listener.epoch, listener.number)))
