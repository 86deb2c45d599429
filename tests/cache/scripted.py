"""A clock that tests turn, and an honest source of runs that answers when, and as, a test tells it to."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from service.answer import Answer
from service.cache.cached_source import CachedSource
from service.cache.freshness import Freshness
from service.cache.memory import Memory
from service.context import IS_RENEWAL
from service.errors import UpstreamError, UpstreamFailure
from service.tracking.runs import Experiment, Run, RunQuestion
from tests.tracking.values import make_experiment

T = TypeVar("T")

FRESHNESS = Freshness(
    terminal_ttl=32,
    active_ttl=4,
    list_ttl=8,
    experiments_ttl=16,
    missing_ttl=2,
    revalidate_factor=5,
    stale_if_error=1024,
)
NEVER_FRESH = Freshness(0, 0, 0, 0, 0, 0, 0)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += seconds


@dataclass(eq=False)
class Call:
    """One call of the source: what it asked, and whether nobody waits for it."""

    asked: tuple[object, ...]
    is_renewal: bool
    released: asyncio.Future[None]

    def answer(self) -> None:
        """Let it return."""
        self.released.set_result(None)

    def fail(self, error: UpstreamFailure | None = None) -> None:
        """Let it raise."""
        self.released.set_exception(error or UpstreamError("told to fail"))


def matching(runs: Iterable[Run], question: RunQuestion) -> tuple[Run, ...]:
    """What MLflow answers to a question about these runs, all of which are of the experiment."""
    found = [run for run in runs if question.tags.items() <= run.tags.items()]
    found.sort(key=lambda run: (-(run.start_time or 0), run.run_id))
    return tuple(found[: question.limit])


class ScriptedSource:
    """A RunSource over `stored` and `listed`, which a test may change. Every run is of every experiment.

    holds: calls return when the test lets them, with what was true when they were asked or, where looks_late,
    with what is true then. fails: calls raise this instead. calls: all that were made.
    """

    def __init__(self, *runs: Run) -> None:
        self.stored = {run.run_id: run for run in runs}
        self.listed = [make_experiment()]
        self.calls: list[Call] = []
        self.holds = False
        self.looks_late = False
        self.fails: UpstreamFailure | None = None

    def put(self, *runs: Run) -> None:
        """Log these runs, in place of older ones of the same ids."""
        self.stored |= {run.run_id: run for run in runs}

    def taken(self) -> list[tuple[object, ...]]:
        """What was asked since this was last called."""
        asked = [call.asked for call in self.calls]
        self.calls.clear()
        return asked

    async def until_asked(self, times: int) -> list[Call]:
        """The calls, once there are so many."""
        async with asyncio.timeout(5):
            while len(self.calls) < times:
                await asyncio.sleep(0)
        return self.calls

    async def run(self, run_id: str) -> Answer[Run | None]:
        return await self._reply(("run", run_id), lambda: self.stored.get(run_id))

    async def runs(self, run_ids: Sequence[str], experiment_id: str | None) -> Answer[tuple[Run | None, ...]]:
        asked = tuple(run_ids)
        return await self._reply(
            ("runs", asked, experiment_id), lambda: tuple(self.stored.get(run_id) for run_id in asked)
        )

    async def search(self, question: RunQuestion) -> Answer[tuple[Run, ...]]:
        return await self._reply(("search", question), lambda: matching(self.stored.values(), question))

    async def experiment(self, name: str) -> Answer[Experiment | None]:
        return await self._reply(
            ("experiment", name), lambda: next((one for one in self.listed if one.name == name), None)
        )

    async def experiments(self) -> Answer[tuple[Experiment, ...]]:
        return await self._reply(("experiments",), lambda: tuple(one for one in self.listed if one.is_active))

    async def _reply(self, asked: tuple[object, ...], look: Callable[[], T]) -> Answer[T]:
        looks_late = self.looks_late
        seen = look()
        call = Call(asked, IS_RENEWAL.get(), asyncio.get_running_loop().create_future())
        self.calls.append(call)
        if self.fails is not None:
            call.fail(self.fails)
        elif not self.holds:
            call.answer()
        await call.released
        return Answer(look() if looks_late else seen)


def caching(source: ScriptedSource, clock: Clock, freshness: Freshness = FRESHNESS) -> CachedSource:
    """The source with a memory that is large enough for any test."""
    return CachedSource(source, Memory(2**30), freshness, clock)


async def landed(cached: CachedSource) -> None:
    """Wait until nothing is asked for any more."""
    async with asyncio.timeout(5):
        while flying := list(_flying(cached)):
            await asyncio.wait(flying)


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


def _flying(cached: CachedSource) -> Iterator[asyncio.Task[object]]:
    yield from cached._flights._running.values()
