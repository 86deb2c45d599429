"""A caller who polls for events now on one replica, now on another, and keeps a list of runs by them."""

import json
from typing import cast

from service.api.event_hub import EventHub
from service.tracking.events import Listening, Position, position_of
from service.tracking.search.searches import RunSearches
from service.tracking.source import Source
from tests.index.fleet import Member

EVERYTHING = Listening(("1",))


class Poller:
    """What a caller knows. tags: of each run. ids: of all events. resets: how often it read anew."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self.tags: dict[str, dict[str, str]] = {}
        self.ids: list[str] = []
        self.resets = 0
        self._hubs: dict[Member, EventHub] = {}

    async def poll(self, member: Member) -> None:
        """Ask this replica what has happened; nobody is asked whose index is not there yet."""
        if not member.index.covers(("1",)):
            return
        if member not in self._hubs:
            searches = RunSearches(member.index, cast("Source", None), "research", lambda _: None)
            self._hubs[member] = EventHub(member.runs.changes, searches)
        told = await self._hubs[member].told(EVERYTHING, self.position)
        if self.position is None or told.is_reset:
            self.resets += told.is_reset
            self.tags = {run_id: dict(run.tags) for run_id, run in member.indexed().items()}
        else:
            self._take([(event.id, event.event, json.loads(bytes(event.data))) for event in told.events])
        self.position = position_of(told.next)

    def _take(self, events: list[tuple[str, str, dict[str, object]]]) -> None:
        for event_id, name, data in events:
            self.ids.append(event_id)
            if name.startswith("run."):
                run = cast("dict[str, object]", data["run"])
                self.tags.pop(str(run["run_id"]), None)
                if data["matches"]:
                    self.tags[str(run["run_id"])] = cast("dict[str, str]", run["tags"])

    def has_rising_ids(self) -> bool:
        """Whether no id came twice, nor one before another of its epoch that is above it."""
        last: dict[str, int] = {}
        for each in map(position_of, self.ids):
            if each.number <= last.get(each.epoch, -1):
                return False
            last[each.epoch] = each.number
        return True
