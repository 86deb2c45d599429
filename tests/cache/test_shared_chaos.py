"""Callers who hang up at random moments, replicas that are killed, and a store that fails by chance."""

import asyncio
import random
import selectors
from collections.abc import Sequence
from typing import Any, TypeVar

import pytest

from service.answer import Answer
from service.cache.cached_source import CachedSource
from service.cache.freshness import Freshness
from service.cache.leading import Pace
from service.cache.memory import Memory
from service.cache.shared_keys import SharedKeys
from service.cache.shared_source import SharedSource
from service.errors import UpstreamError, UpstreamFailure
from service.tracking.questions import GetExperiment, GetRun, ListRuns, Question
from service.tracking.source import Source
from tests.cache.fleet import Replica
from tests.fakes.chaotic_store import Chaos, ChaoticStore
from tests.fakes.shared_store import ReplicaOfStore, StoreInMemory
from tests.tracking.values import make_experiment, make_run

T = TypeVar("T")

FRESHNESS = Freshness(0.01, 0.01, 0.01, 0.01, 0.01, 2, 0.05)
PACE = Pace(look=0.002, look_at_most=0.01, extend=0.02, fill=0.005, wait=1.0)
CHAOS = Chaos(delay=0.3, error=0.03, hang=0.02, lost=0.05, pause=0.002, patience=0.004)
LEASE = 0.05
AT_ONCE = 50
NAMES = [f"{letter}{digit}" for letter in "abcde" for digit in "123"]
QUESTIONS: list[Question[Any]] = [
    *map(GetRun, NAMES),
    *map(GetExperiment, NAMES),
    *(ListRuns(experiment, None, None, limit) for experiment in "abcde" for limit in (1, 2, 3)),
]


def right(question: Question[Any], number: int) -> Any:
    """The answer to a question; each names what it is of. number: of the call that gives it."""
    match question:
        case GetRun(run_id):
            return make_run(run_id, metrics={"call": float(number)})
        case GetExperiment(name):
            return make_experiment(name, f"{name} {number}")
        case ListRuns(experiment_id, _, _, limit):
            return tuple(right(GetRun(f"{experiment_id}{place}"), number) for place in range(1, limit + 1))
    raise TypeError(question)


def is_right(question: Question[Any], value: Any) -> bool:
    """Whether it is the answer to that question, of whichever call."""
    match question:
        case GetRun(run_id):
            return bool(run_id == value.run_id)
        case GetExperiment(name):
            return bool(name == value.experiment_id)
        case ListRuns(experiment_id, _, _, limit):
            return [f"{experiment_id}{place}" for place in range(1, limit + 1)] == [
                run.run_id for run in value
            ]
    raise TypeError(question)


class Erratic(Source):
    """An MLflow that takes its time, and now and then fails."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.calls = 0

    async def answer(self, question: Question[T]) -> Answer[T]:
        self.calls += 1
        number = self.calls
        await asyncio.sleep(self._dice.random() * 0.003)
        if self._dice.random() < 0.05:
            raise UpstreamError("by chance")
        return Answer(right(question, number))


class Storm:
    """Replicas under chaos, and those who call them."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.loop = asyncio.get_running_loop()
        self.server = StoreInMemory(self.loop.time, LEASE)
        self.mlflow = Erratic(self.dice)
        self.replicas = [self.replica() for _ in range(3)]
        self.kinds: set[str] = set()

    def replica(self) -> Replica:
        """A new one, whose store fails by chance."""
        link, memory = ReplicaOfStore(self.server), Memory(2**20)
        store = ChaoticStore(link, CHAOS, self.dice)
        keys = SharedKeys("http://mlflow")
        shared = SharedSource(self.mlflow, store, keys, memory, FRESHNESS, self.loop.time, PACE)
        return Replica(CachedSource(shared, memory, FRESHNESS, self.loop.time), shared, memory, link)

    async def call(self) -> None:
        """Somebody asks some replica for something, and looks whether he is given that."""
        replica = self.dice.choice(self.replicas)
        questions = self.dice.sample(QUESTIONS, self.dice.choice([1, 1, 1, 4]))
        source: Source = replica.anew if self.dice.random() < 0.2 else replica.cached
        try:
            answers = await source.answer_many(questions)
        except UpstreamFailure:
            self.kinds.add("failed")
            return
        wrong = [
            (question, answer)
            for question, answer in zip(questions, answers, strict=True)
            if not is_right(question, answer.value)
        ]
        assert [] == wrong
        self.kinds |= {answer.origin.name for answer in answers}

    async def rages(self, callers: int) -> None:
        """So many call, of whom half hang up; meanwhile replicas are killed, and others take their places."""
        for _ in range(callers // AT_ONCE):
            tasks = [asyncio.create_task(self.call()) for _ in range(AT_ONCE)]
            for task in self.dice.sample(tasks, AT_ONCE // 2):
                self.loop.call_later(self.dice.random() * 0.004, task.cancel)
            if self.dice.random() < 0.3:
                await self.kill()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert [] == [one for one in outcomes if not isinstance(one, asyncio.CancelledError | None)]

    async def kill(self) -> None:
        """One replica ends at once, with all who called it."""
        place = self.dice.randrange(len(self.replicas))
        await self.replicas[place].die()
        self.replicas[place] = self.replica()

    async def passes(self) -> None:
        """It is over."""
        for replica in self.replicas:
            await replica.aclose()


class InstantSelector(selectors.SelectSelector):
    """A selector for which time passes at once, whenever nothing else is to be done."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0)


def instant_loop() -> asyncio.SelectorEventLoop:
    """A loop whose time is that of its selector: the same things happen whenever it runs."""
    selector = InstantSelector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    return loop


def rage(seed: int, callers: int) -> Storm:
    """A storm that is over."""

    async def all_of_it() -> Storm:
        storm = Storm(seed)
        await storm.rages(callers)
        await storm.passes()
        return storm

    with asyncio.Runner(loop_factory=instant_loop) as runner:
        return runner.run(all_of_it())


def everything_happened(storms: Sequence[Storm]) -> bool:
    """Whether callers met all that they could, so that the storm has shown something."""
    kinds = set().union(*(storm.kinds for storm in storms))
    return kinds >= {"HIT", "STALE", "SHARED", "MISS", "COLLAPSED", "FORCED", "failed"}


def test_no_answer_goes_to_another_question() -> None:
    """Whatever fails and whoever leaves, a caller gets the answer to his own question, or an error."""
    storms = [rage(seed, 400) for seed in range(2)]
    assert everything_happened(storms)


@pytest.mark.slow
def test_no_answer_of_many_goes_to_another_question() -> None:
    """The same for 10,000 callers."""
    storms = [rage(seed, 2_500) for seed in range(100, 104)]
    assert everything_happened(storms)
