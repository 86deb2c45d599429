"""A clock that tests turn, and an honest source of runs that answers when, and as, a test tells it to."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from service.answer import Answer, Origin, combine
from service.cache.cached_source import CachedSource
from service.cache.freshness import Freshness
from service.cache.memory import Memory
from service.context import IS_RENEWAL
from service.errors import UpstreamError, UpstreamFailure
from service.tracking.questions import GetExperiment, GetRun, ListExperiments, ListRuns, Question
from service.tracking.runs import Run
from service.tracking.source import Source
from tests.tracking.values import make_experiment, matching

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
        self._alarms: list[tuple[float, asyncio.Event]] = []

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += seconds
        self.ring()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait until the event, or until so many seconds have passed, which sets it, too."""
        alarm = (self.now + seconds, event)
        self._alarms.append(alarm)
        try:
            await event.wait()
        finally:
            self._alarms.remove(alarm)

    def ring(self) -> None:
        """Wake those whose time has come."""
        for at, event in self._alarms:
            if at <= self.now:
                event.set()


@dataclass(eq=False)
class Call:
    """One call of the source: the question or questions, and whether nobody waits for the answer."""

    asked: Question[Any] | tuple[Question[Any], ...]
    is_renewal: bool
    released: asyncio.Future[None]

    def answer(self) -> None:
        """Let it return."""
        self.released.set_result(None)

    def fail(self, error: UpstreamFailure | None = None) -> None:
        """Let it raise."""
        self.released.set_exception(error or UpstreamError("told to fail"))


class ScriptedSource(Source):
    """A source over `stored` and `listed`, which a test may change. Every run is of every experiment.

    holds: calls return when the test lets them, with what was true when they were asked or, where looks_late,
    with what is true then. fails: calls raise this instead. calls: all that were made. others: the answers to
    other questions.
    """

    def __init__(self, *runs: Run) -> None:
        self.stored = {run.run_id: run for run in runs}
        self.listed = [make_experiment()]
        self.others: dict[Question[Any], Any] = {}
        self.calls: list[Call] = []
        self.holds = False
        self.looks_late = False
        self.fails: UpstreamFailure | None = None

    def put(self, *runs: Run) -> None:
        """Log these runs, in place of older ones of the same ids."""
        self.stored |= {run.run_id: run for run in runs}

    def taken(self) -> list[Question[Any] | tuple[Question[Any], ...]]:
        """What was asked since this was last called."""
        asked = [call.asked for call in self.calls]
        self.calls.clear()
        return asked

    def release(self) -> None:
        """Let all calls return, those to come, too."""
        self.holds = False
        for call in self.calls:
            if not call.released.done():
                call.answer()

    async def until_asked(self, times: int) -> list[Call]:
        """The calls, once there are so many."""
        async with asyncio.timeout(5):
            while len(self.calls) < times:
                await asyncio.sleep(0)
        return self.calls

    async def answer(self, question: Question[T]) -> Answer[T]:
        [answer] = await self._reply(question, [question])
        return answer

    async def answer_many(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        return await self._reply(tuple(questions), questions)

    def look(self, question: Question[Any]) -> Any:
        """What is true now."""
        match question:
            case GetRun(run_id):
                return self.stored.get(run_id)
            case ListRuns():
                return matching(self.stored.values(), question)
            case GetExperiment(name):
                return next((one for one in self.listed if one.name == name), None)
            case ListExperiments():
                return tuple(one for one in self.listed if one.is_active)
            case _:
                return self.others[question]

    async def _reply(
        self, asked: Question[Any] | tuple[Question[Any], ...], questions: Sequence[Question[T]]
    ) -> list[Answer[T]]:
        looks_late = self.looks_late
        values = [self.look(question) for question in questions]
        call = Call(asked, IS_RENEWAL.get(), asyncio.get_running_loop().create_future())
        self.calls.append(call)
        if self.fails is not None:
            call.fail(self.fails)
        elif not self.holds:
            call.answer()
        await call.released
        return [
            Answer(self.look(question) if looks_late else value)
            for question, value in zip(questions, values, strict=True)
        ]


def gets(*run_ids: str) -> tuple[GetRun, ...]:
    """The questions for these runs, as one call asks them."""
    return tuple(map(GetRun, run_ids))


def hit(value: T, age: float, left: float) -> Answer[T]:
    """A fresh answer from memory."""
    return Answer(value, age, Origin.HIT, 0.0, left)


def stale(value: T, age: float, left: float, waited: float = 0.0) -> Answer[T]:
    """An answer from memory that is past its time to live."""
    return Answer(value, age, Origin.STALE, waited, left)


async def compared(source: Source, run_ids: Iterable[str]) -> Answer[tuple[Run | None, ...]]:
    """Several runs at once, as a comparison reads them."""
    answers = await source.answer_many([GetRun(run_id) for run_id in run_ids])
    return combine(tuple(answer.value for answer in answers), answers)


def caching(source: Source, clock: Clock, freshness: Freshness = FRESHNESS) -> CachedSource:
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
