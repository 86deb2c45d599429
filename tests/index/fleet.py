"""Replicas over one scripted MLflow and one store in memory, which move when a test says so."""

import asyncio
from collections.abc import Callable, Iterable

from service.index.indexed_runs import IndexedRuns
from service.index.run_index import SyncedIndex
from service.index.schedule import Pace
from service.index.shared.replica import Replica
from service.index.shared.roles import Role
from service.index.shared.upkeep import SharedUpkeep
from service.index.snapshot_keeper import Subject
from service.tracking.events import RunChange
from service.tracking.runs import Run
from tests.cache.scripted import Clock
from tests.fakes.shared_log import LogStore, MemoryLog
from tests.index.scripted import BASE_MS, RESEARCH, ScriptedMlflow

SUBJECT = Subject("m", (RESEARCH,), 3_600.0, 2**30)
_TURN = 0.25  # seconds


class Member:
    """One replica. is_paused: its process stands still."""

    def __init__(self, fleet: "Fleet", name: str, max_bytes: int = 2**30) -> None:
        self.name = name
        self.mlflow = fleet.mlflow
        self.log = MemoryLog(fleet.store, name)
        self.runs = IndexedRuns(max_bytes)
        self.index = SyncedIndex(
            self.runs,
            fleet.mlflow,
            fleet.mlflow,
            (RESEARCH,),
            fleet.pace,
            fleet.clock,
            lambda: fleet.mlflow.now_ms,
        )
        self.replica = Replica(
            self.index,
            self.runs,
            self.log,
            SUBJECT,
            fleet.clock,
            lambda: fleet.mlflow.now_ms,
            sleep=fleet.sleep,
        )
        self.upkeep = SharedUpkeep(self.replica, fleet.clock)
        self.is_paused = False
        self.told: list[str] = []  # the runs of all changes since the start
        self._told_at = self.position
        self.runs.changes.watch(self._note)

    def _note(self) -> None:
        epoch, number = self._told_at
        since = self.runs.changes.since(number) if epoch == self.runs.changes.epoch else ()
        changes = [entry.change for entry in since or ()]
        self.told += [change.run.run_id for change in changes if isinstance(change, RunChange)]
        self._told_at = self.position

    @property
    def role(self) -> Role:
        """What it is to the others."""
        return self.replica.role

    @property
    def position(self) -> tuple[str, int]:
        """Up to where it has told its listeners."""
        return self.runs.changes.epoch, self.runs.changes.last

    def indexed(self) -> dict[str, Run]:
        """The runs of its index."""
        found = {run_id: self.runs.table.run(run_id) for run_id in self.runs.table.run_ids()}
        return {run_id: run for run_id, run in found.items() if run is not None}

    async def turn(self) -> None:
        """Do what is to be done now."""
        if self.is_paused:
            return
        await self.replica.look()
        for _ in range(10):
            if not await self.replica.move():
                break
        await self.replica.writing.settled()
        while await self.replica.work() == 0 and self.role is Role.WRITING:
            pass
        await self.upkeep.send()


class Fleet:
    """Replicas that share an index, and the time that passes for all of them, and for their store."""

    def __init__(self, names: Iterable[str] = "abc", pace: Pace = Pace(), most: int = 10_000) -> None:  # noqa: B008 - it is frozen
        self.clock = Clock()
        self.mlflow = ScriptedMlflow(self.clock)
        self.pace = pace
        self.store = LogStore(self.clock, most=most)
        self.members: dict[str, Member] = {}
        for name in names:
            self.join(name)

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.tick(seconds)

    def join(self, name: str) -> Member:
        """Start another replica."""
        member = self.members[name] = Member(self, name)
        return member

    def kill(self, name: str) -> Member:
        """End a replica at once."""
        return self.members.pop(name)

    @property
    def writer(self) -> Member:
        """The replica that writes."""
        [writer] = [one for one in self.members.values() if one.role is Role.WRITING]
        return writer

    @property
    def others(self) -> list[Member]:
        """All others."""
        return [one for one in self.members.values() if one.role is not Role.WRITING]

    async def pass_time(self, seconds: float, *, in_use: bool = True) -> None:
        """Let replicas take turns for so long. in_use: somebody searches all the time."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            for member in list(self.members.values()):
                if in_use and not member.is_paused:
                    member.index.reading(("1",))
                await member.turn()
            for _ in range(10):  # whoever waits for no time goes on
                await asyncio.sleep(0)
            self.clock.tick(_TURN)

    async def until(self, is_so: Callable[[], bool], seconds: float, *, in_use: bool = True) -> float:
        """Let replicas take turns until something is so, for so long at most; the seconds that it took."""
        began = self.clock.now
        while not is_so():
            assert self.clock.now - began < seconds, "it takes too long"
            await self.pass_time(_TURN, in_use=in_use)
        return self.clock.now - began

    def log_runs(self, number: int) -> None:
        """Have so many runs that ended long ago."""
        for each in range(number):
            start = BASE_MS - 10**9 + each * 1_000
            self.mlflow.add(f"old{each:04}", status="FINISHED", start_time=start, end_time=start + 500)

    async def read(self) -> None:
        """Let replicas take turns until all have read all runs."""
        await self.until(self.is_complete, 10_000)

    def is_complete(self) -> bool:
        """Whether each replica has all runs, as far as it knows."""
        return all(one.index.covers(("1",)) for one in self.members.values())

    def is_in_step(self) -> bool:
        """Whether one replica writes, and all others follow it to the end of one log."""
        roles = sorted(one.role for one in self.members.values())
        expected = sorted([Role.WRITING, *[Role.FOLLOWING] * (len(roles) - 1)])
        return roles == expected and len({one.position for one in self.members.values()}) == 1

    def are_equal(self) -> bool:
        """Whether each replica has the runs that MLflow has, and no other ones."""
        return all(one.indexed() == self.mlflow.visible() for one in self.members.values())

    def calls(self) -> int:
        """How often MLflow was asked."""
        return len(self.mlflow.calls)
