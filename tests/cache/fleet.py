"""Replicas that share a store, over one source and one clock."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from service.cache.cached_source import CachedSource
from service.cache.freshness import Freshness
from service.cache.leading import Pace
from service.cache.memory import Entry, Memory
from service.cache.revalidating_source import RevalidatingSource
from service.cache.shared_keys import SharedKeys
from service.cache.shared_source import SharedSource
from service.cache.shared_store import SharedStore
from service.tracking.questions import Question
from service.tracking.source import Source
from tests.cache.scripted import FRESHNESS, Clock, ScriptedSource, settle
from tests.fakes.shared_store import ReplicaOfStore, StoreInMemory

T = TypeVar("T")

_STEP = 0.25  # seconds


@dataclass
class Replica:
    """One replica. link: the store as it reaches it."""

    cached: CachedSource
    shared: SharedSource
    memory: Memory
    link: ReplicaOfStore

    @property
    def anew(self) -> RevalidatingSource:
        """For callers who want MLflow's own word."""
        return RevalidatingSource(self.cached)

    def held(self, question: Question[T]) -> Entry[T] | None:
        """What it remembers."""
        return self.memory.peek(question)

    async def die(self) -> None:
        """End at once, as by SIGKILL: nobody hears of it, and nothing is given up."""
        self.link.attached = False
        await self.aclose()

    async def aclose(self) -> None:
        await self.cached.aclose()
        await self.shared.aclose()


@dataclass
class Fleet:
    """Replicas over one source, and the store that they share; all live by the clock."""

    clock: Clock
    source: ScriptedSource
    freshness: Freshness = FRESHNESS
    server: StoreInMemory = field(init=False)
    replicas: list[Replica] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = StoreInMemory(self.clock)

    def add(
        self,
        source: Source | None = None,
        around: Callable[[SharedStore], SharedStore] = lambda store: store,
        keys: SharedKeys = SharedKeys("http://mlflow"),  # noqa: B008 - it never changes
        pace: Pace = Pace(),  # noqa: B008 - it is frozen
    ) -> Replica:
        """Start a replica. around: puts another store around its own."""
        link, memory = ReplicaOfStore(self.server), Memory(2**30)
        shared = SharedSource(
            source or self.source,
            around(link),
            keys,
            memory,
            self.freshness,
            self.clock,
            pace,
            self.clock.wait,
        )
        replica = Replica(CachedSource(shared, memory, self.freshness, self.clock), shared, memory, link)
        self.replicas.append(replica)
        return replica

    async def passes(self, seconds: float) -> None:
        """Let time pass in steps, and everything happen that then does."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            self.clock.tick(min(_STEP, until - self.clock.now))
            await settle()

    async def aclose(self) -> None:
        for replica in self.replicas:
            await replica.aclose()


@asynccontextmanager
async def fleet_of(number: int, clock: Clock, source: ScriptedSource) -> AsyncIterator[Fleet]:
    """So many replicas, until the context ends."""
    fleet = Fleet(clock, source)
    for _ in range(number):
        fleet.add()
    try:
        yield fleet
    finally:
        source.release()
        await fleet.aclose()


def value_of(entry: Entry[Any] | None) -> Any:
    """What is remembered; it has to be there."""
    assert entry is not None
    return entry.value
