"""Listens to events as callers do, over the wire, and reads what comes as a browser does."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import ClientResponse, ClientSession, ClientTimeout

from tests.api.serving import API, Client

EVENTS = f"{API}/events"


class Heard(NamedTuple):
    """An event as a browser dispatches it."""

    id: str
    name: str
    data: Any

    @property
    def run_id(self) -> str:
        """Of which run it tells."""
        return str(self.data.get("run_id") or self.data["run"]["run_id"])


class EventReader:
    """Reads a stream by the rules of the HTML standard.

    last_id, retry: what a browser would send as Last-Event-ID, and how many milliseconds it would wait.
    comments: how many came. https://html.spec.whatwg.org/multipage/server-sent-events.html
    """

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.retry: int | None = None
        self.comments = 0
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, data: bytes) -> list[Heard]:
        """The events that are complete with these bytes."""
        heard: list[Heard] = []
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in map(bytes.decode, lines):
            name, _, value = line.partition(":")
            if line == "":
                heard += self._dispatched()
            elif not name:
                self.comments += 1
            elif name == "retry":
                self.retry = int(value)
            else:
                self._fields[name] = value.removeprefix(" ")
        return heard

    def _dispatched(self) -> list[Heard]:
        fields, self._fields = self._fields, {}
        self.last_id = fields.get("id", self.last_id)
        if "data" not in fields:
            return []
        return [Heard(self.last_id, fields.get("event", "message"), json.loads(fields["data"]))]


class Listener:
    """A stream that is open. heard: all events so far. reader: of its bytes."""

    def __init__(self, response: ClientResponse, reader: EventReader) -> None:
        self.response = response
        self.reader = reader
        self.heard: list[Heard] = []
        self._coming = response.content

    async def until(self, is_heard: Callable[[list[Heard]], bool], seconds: float = 30.0) -> list[Heard]:
        """Read on until something has been heard."""
        async with asyncio.timeout(seconds):
            while not is_heard(self.heard):
                data = await self._coming.readany()
                if not data:
                    raise AssertionError(f"the stream ended: {self.heard}")
                self.heard += self.reader.feed(data)
        return self.heard

    async def named(self, *names: str) -> list[Heard]:
        """Read on until the last events have these names, and return those."""
        await self.until(lambda heard: [one.name for one in heard][-len(names) :] == list(names))
        return self.heard[-len(names) :]

    async def to_its_end(self) -> list[Heard]:
        """Read until the stream ends."""
        async with asyncio.timeout(30):
            async for data in self._coming.iter_any():
                self.heard += self.reader.feed(data)
        return self.heard


@asynccontextmanager
async def listening(api: Client, last_id: str = "", **parameters: str) -> AsyncIterator[Listener]:
    """A stream of a served service, by a client that checks nothing."""
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
    if last_id:
        headers["Last-Event-ID"] = last_id
    async with ClientSession(timeout=ClientTimeout(total=60)) as session:
        url = api.make_url(EVENTS)
        async with session.get(url, params=parameters, headers=headers) as response:
            yield Listener(response, EventReader(last_id))
