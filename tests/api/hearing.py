"""A hub of events over an index that a test fills, with streams and a time of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import cast

from msgspec.structs import replace

from service.api.event_hub import EventHub
from service.api.event_parsing import position_of_header
from service.http.event_stream import Frame, Sink
from service.index.change_log import ChangeLog
from service.tracking.events import Listening, RunChange
from service.tracking.runs import Run
from service.tracking.search.parsing import parse_filter
from service.tracking.search.searches import RunSearches
from service.tracking.source import Source
from tests.api.listening import EventReader, Heard
from tests.api.searching import HeldIndex


class Taken(Sink):
    """A stream whose caller takes all, unless it is slow. reader: makes events of it. frames: all of them."""

    def __init__(self, last_id: str = "") -> None:
        self.reader = EventReader(last_id)
        self.heard: list[Heard] = []
        self.frames: list[Frame] = []
        self.is_slow = False
        self.is_ended = False

    def is_ready(self) -> bool:
        return not self.is_slow and not self.is_ended

    def offer(self, frame: Frame) -> bool:
        if not self.is_ready():
            return False
        self.frames.append(frame)
        self.take(frame.plain)
        return True

    def end(self) -> None:
        self.is_ended = True

    def take(self, data: bytes) -> None:
        """Read bytes of the stream."""
        self.heard += self.reader.feed(data)

    @property
    def names(self) -> list[str]:
        """The names of the events so far."""
        return [one.name for one in self.heard]


class Naps:
    """Waits that end when the test says so."""

    def __init__(self) -> None:
        self._waiting: dict[float, asyncio.Future[None]] = {}

    async def __call__(self, seconds: float) -> None:
        waiting = self._waiting[seconds] = asyncio.get_running_loop().create_future()
        await waiting

    async def end(self, seconds: float) -> None:
        """Let the wait of so many seconds be over, if there is one, and what waits for it happen."""
        waiting = self._waiting.pop(seconds, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        await settled()


async def settled() -> None:
    """Let everything happen that waits for no time."""
    for _ in range(100):
        await asyncio.sleep(0)


class Hearing:
    """A hub. index, changes: which `put` and `drop` feed both. streams: those that are open."""

    def __init__(self, changes: ChangeLog | None = None) -> None:
        self.index = HeldIndex()
        self.changes = ChangeLog("e") if changes is None else changes
        self.naps = Naps()
        searches = RunSearches(self.index, cast("Source", None), "Default", lambda _: None)
        self.hub = EventHub(self.changes, searches, self.naps)
        self.runs: dict[str, Run] = {}
        self._stack = ExitStack()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Hearing"]:
        """The hub runs, and all streams end with the context."""
        with self._stack:
            async with self.hub.running():
                await settled()
                yield self

    def put(self, run: Run) -> None:
        """A run comes or changes."""
        self.changes.changed(RunChange(self.runs.get(run.run_id), run))
        self.runs[run.run_id] = run
        self.index.put(run)

    def drop(self, run_id: str) -> None:
        """A run is deleted."""
        run = self.runs.pop(run_id)
        self.changes.changed(RunChange(run, None))
        self.index.put(replace(run, is_deleted=True))

    async def open(self, expression: str = "", last_id: str = "") -> Taken:
        """A stream, as it is once it has begun."""
        hub, stream = self.hub, Taken(last_id)
        listening = await hub.listening(("0",), parse_filter(expression))
        since = position_of_header(last_id) if last_id else None
        first, feed = await hub.opening(listening, since, is_new=not last_id)
        stream.take(first)
        self._stack.enter_context(feed(stream))
        await settled()
        return stream

    async def listening(self, expression: str = "") -> Listening:
        """What a poll asks with."""
        return await self.hub.listening(("0",), parse_filter(expression))


def known(heard: list[Heard]) -> Mapping[str, object]:
    """The runs that a page shows after these events: each run's params."""
    runs: dict[str, object] = {}
    for one in heard:
        if one.name.startswith("run."):
            runs.pop(one.run_id, None)
            if one.data["matches"]:
                runs[one.run_id] = one.data["run"]["params"]
    return runs
