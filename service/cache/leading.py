"""Asks MLflow for all replicas, under a lease of the store that they share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from service.answer import Answer
from service.cache.exchange import Exchange
from service.cache.notices import Wait, ended
from service.cache.policy import RETRY_PAUSE
from service.cache.remembering import DatedAnswer
from service.cache.shared_store import Fill, SharedStore
from service.checkpoint import checkpoint
from service.errors import StoreFailed, UpstreamFailure, UpstreamNotAsked
from service.tracking.questions import Question
from service.tracking.source import Source, ask

log = logging.getLogger("service.cache")

T = TypeVar("T")

_AT_ONCE = 10  # answers that are written in one turn of the loop


class Pace(NamedTuple):
    """Seconds after which something is done about the store.

    look: until a replica that waits for another looks whether the store is still there, at first; each pause
    is twice as long as the one before, up to look_at_most. extend: until a lease is made to last longer,
    below what a lease lasts. fill: that a caller waits for his answer to be stored. wait: that a replica
    waits for others in all; then it asks by itself. A caller leaves at his own deadline, whatever these are.
    """

    look: float = 0.03
    look_at_most: float = 0.25
    extend: float = 0.5
    fill: float = 0.025
    wait: float = 10.0


class Outcome(NamedTuple):
    """An answer of MLflow's. is_refused: the store has one that arrived after MLflow was asked for this."""

    answer: DatedAnswer[Any]
    is_refused: bool = False


class Leading:
    """Asks the source, and lets the store know what it says. clock: seconds, monotonic."""

    def __init__(
        self,
        source: Source,
        store: SharedStore,
        exchange: Exchange,
        clock: Callable[[], float],
        pace: Pace,
        wait: Wait,
    ) -> None:
        self._source = source
        self._store = store
        self._exchange = exchange
        self._clock = clock
        self._pace = pace
        self._wait = wait
        self._tasks: set[asyncio.Task[Any]] = set()

    async def aclose(self) -> None:
        """Let the store know what it is to know yet; all of it is soon over."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def lead(self, questions: Sequence[Question[T]], moment: int) -> list[Outcome]:
        """What the source says, under the leases that were claimed at this moment."""
        keys = [self._exchange.key_of(question) for question in questions]
        task = asyncio.create_task(ask(self._source, questions))
        try:
            while not await ended(task, self._pace.extend, self._wait):
                self.behind(self._store.extend(moment, keys))
            answers = task.result()
        except BaseException as error:
            task.cancel()
            self.release(questions, moment, _pause_after(error))
            raise
        return await self._shared(questions, answers, moment)

    async def alone(self, questions: Sequence[Question[T]], moment: int | None) -> list[DatedAnswer[T]]:
        """What the source says, without a lease. moment: of the last claim; None where the store is lost."""
        asked = self._clock()
        answers = await ask(self._source, questions)
        if moment is not None:
            self.behind(self._fill(questions, answers, moment))
        return [_dated(answer, asked) for answer in answers]

    def release(self, questions: Sequence[Question[Any]], moment: int, pause: float = 0.0) -> None:
        """End leases without an answer. pause: seconds in which no replica asks."""
        if questions:
            keys = [self._exchange.key_of(question) for question in questions]
            self.behind(self._store.give_up(moment, keys, pause))

    def behind(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T | None]:
        """Do it behind the caller's back; where the store fails, what it was to know is lost."""

        async def done() -> T | None:
            try:
                return await work
            except StoreFailed as error:
                log.info("the store failed: %s", error.kind)
                return None

        task = asyncio.create_task(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _shared(
        self, questions: Sequence[Question[T]], answers: Sequence[Answer[T]], moment: int
    ) -> list[Outcome]:
        landed = self._clock()
        filling = self.behind(self._fill(questions, answers, moment))
        is_filled = await ended(filling, self._pace.fill, self._wait)
        versions: Sequence[int | None] | None = filling.result() if is_filled else None
        asked, waited = self._exchange.time_of(moment), self._clock() - landed
        return [
            Outcome(
                _dated(answer, asked, waited, version or 0),
                is_refused=version == 0,
            )
            for answer, version in zip(answers, versions or [None] * len(answers), strict=True)
        ]

    async def _fill(
        self, questions: Sequence[Question[T]], answers: Sequence[Answer[T]], moment: int
    ) -> list[int]:
        """The versions of the answers in the store, which has their members, too."""
        own: list[Fill] = []
        others: list[Fill] = []
        written = 0
        for question, answer in zip(questions, answers, strict=True):
            for place, fill in enumerate(self._exchange.fills(question, answer)):
                (others if place else own).append(fill)
                written += 1
                if not written % _AT_ONCE:
                    await checkpoint()
        versions = await self._store.fill(moment, [*own, *others])
        return versions[: len(own)]


def _dated(answer: Answer[T], asked: float, waited: float = 0.0, version: int = 0) -> DatedAnswer[T]:
    fields = msgspec.structs.asdict(answer)
    return DatedAnswer(**fields | {"age": answer.age + waited}, asked=asked, version=version)


def _pause_after(error: BaseException) -> float:
    """Seconds in which no replica asks MLflow again: none where MLflow was not asked."""
    has_failed = isinstance(error, UpstreamFailure) and not isinstance(error, UpstreamNotAsked)
    return RETRY_PAUSE if has_failed else 0.0
