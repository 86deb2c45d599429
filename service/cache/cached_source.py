"""A source that asks the source behind it as seldom as the windows of freshness allow."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from contextvars import Context
from functools import partial
from math import inf, nextafter
from typing import Any, NamedTuple, TypeVar

from service.answer import Answer, Origin
from service.cache.freshness import Freshness
from service.cache.memory import Entry, Memory
from service.cache.narrowing import newest_proof
from service.cache.policy import Step, bridges, next_step, remembered
from service.cache.remembering import Remembering
from service.cache.singleflight import Flights, joined
from service.context import DEADLINE, IS_RENEWAL
from service.errors import UpstreamFailure, UpstreamTimeout
from service.tracking.questions import ListRuns, Question
from service.tracking.source import Source

log = logging.getLogger("service.cache")

T = TypeVar("T")

_FRESH, _RENEW, _, _ASK = Step
_SEVERAL = 2


class _Landed(NamedTuple):
    """What a flight brought. origin: how the source behind came by it."""

    entry: Entry[Any]
    origin: Origin


class CachedSource(Source):
    """A source around another, with one memory for all that passes through (RFC 9111, RFC 5861).

    A list answers for each of its members, and for every narrower question that it proves. Callers who ask
    the same at once share one call. The source behind may remember, too: what comes from there is as old as
    it says. clock: seconds, monotonic. reads: how many questions were met how.
    """

    def __init__(
        self,
        source: Source,
        memory: Memory,
        freshness: Freshness,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._memory = memory
        self._clock = clock
        self._flights: Flights[_Landed] = Flights()
        self._remembering = Remembering(memory, freshness, clock)
        self._last_asked = -inf
        self._renewing = Context()
        self._renewing.run(IS_RENEWAL.set, True)
        self.reads = dict.fromkeys(("hit", "stale", "miss", "collapsed", "anew", "failed"), 0)

    async def answer(self, question: Question[T]) -> Answer[T]:
        return self._remembered(question) or await self._ask(question)

    async def answer_many(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        answers = {question: self._remembered(question) for question in questions}
        absent = [question for question, answer in answers.items() if answer is None]
        if absent:
            own = self._start_together(absent, self._source.answer_many)
            asked = await asyncio.gather(*(self._ask(one, is_own=one in own) for one in absent))
            answers |= zip(absent, asked, strict=True)
        return [answer for question in questions if (answer := answers[question]) is not None]

    async def answer_together(self, questions: Sequence[Question[T]]) -> Answer[tuple[T, ...]]:
        answer = self._memory.fresh_together(questions, self._clock())
        if answer is None:
            return await super().answer_together(questions)
        self.reads["hit"] += len(questions)
        return answer

    async def revalidate(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        """What the source behind says from now on, whatever is remembered; it is remembered for all."""
        began = self._clock()
        self.reads["anew"] += len(questions)
        try:
            async with asyncio.timeout_at(DEADLINE.get()):
                await self._flights.landed(questions)
                self._start_together(questions, self._source.revalidate, at_least=1)
                landed = await asyncio.gather(*(joined(self._start(question)) for question in questions))
        except TimeoutError as error:
            raise UpstreamTimeout("the request's deadline passed") from error
        now = self._clock()
        return [Answer(entry.value, now - entry.arrived, Origin.FORCED, now - began) for entry, _ in landed]

    async def aclose(self) -> None:
        """End what is still asked for."""
        await self._flights.close()

    def _remembered(self, question: Question[T]) -> Answer[T] | None:
        """What may be given at once; where it is no longer fresh, it is renewed behind the caller's back."""
        entry = self._memory.get(question)
        now = self._clock()
        step = next_step(entry, now)
        if step is not _FRESH and isinstance(question, ListRuns) and question not in self._flights:
            entry = self._narrowed(question, entry)
            step = next_step(entry, now)
        if entry is None or step is _ASK:
            return None
        if step is _RENEW:
            self._start(question, self._renewing)
        self.reads["hit" if step is _FRESH else "stale"] += 1
        return remembered(entry, now)

    async def _ask(self, question: Question[T], *, is_own: bool = False) -> Answer[T]:
        """What the source says; where it fails, what it said last. is_own: the flight is the caller's own."""
        began = self._clock()
        is_collapsed = question in self._flights and not is_own
        self.reads["collapsed" if is_collapsed else "miss"] += 1
        has_expired = self._memory.peek(question) is not None
        try:
            async with asyncio.timeout_at(DEADLINE.get()):
                entry, origin = await joined(self._start(question))
        except (UpstreamFailure, TimeoutError) as error:
            self.reads["failed"] += 1
            last, now = self._memory.peek(question), self._clock()
            if last is not None and bridges(last, now):
                return remembered(last, now, waited=now - began)
            if isinstance(error, TimeoutError):
                raise UpstreamTimeout("the request's deadline passed") from error
            raise
        now = self._clock()
        if next_step(entry, now) is _RENEW:
            self._start(question, self._renewing)
        if entry.failed is not None:
            self.reads["failed"] += 1
            return remembered(entry, now, waited=now - began)
        if origin is Origin.SHARED:
            return Answer(entry.value, now - entry.arrived, origin, now - began, entry.stale_at - now)
        origin = Origin.COLLAPSED if is_collapsed or origin is Origin.COLLAPSED else Origin.MISS
        return Answer(entry.value, now - entry.arrived, origin, now - began, expired=has_expired)

    def _start(self, question: Question[T], context: Context | None = None) -> asyncio.Task[_Landed]:
        """The flight of the question: the one in the air, else a new one."""
        return self._flights.start(question, lambda: self._load(question), context)

    def _start_together(
        self,
        questions: Sequence[Question[T]],
        ask: Callable[[Sequence[Question[T]]], Coroutine[Any, Any, list[Answer[T]]]],
        at_least: int = _SEVERAL,
    ) -> Collection[Question[T]]:
        """Start one call of the source for several questions, each a flight of its own that others may join.

        Returns those that it asks: none that is in the air already, and none where that leaves too few.
        """
        absent = [question for question in dict.fromkeys(questions) if question not in self._flights]
        if len(absent) < at_least:
            return ()
        asked = self._next_asked()
        together = asyncio.ensure_future(ask(absent))

        async def one(place: int) -> Answer[T]:
            return (await together)[place]

        for place, question in enumerate(absent):
            self._flights.start(question, partial(self._land, question, asked, one(place)))
        return absent

    def _next_asked(self) -> float:
        """The place of a question in the order of all: the time, and no two are the same."""
        self._last_asked = max(self._clock(), nextafter(self._last_asked, inf))
        return self._last_asked

    def _load(self, question: Question[T]) -> Coroutine[Any, Any, _Landed]:
        return self._land(question, self._next_asked(), self._source.answer(question))

    async def _land(self, question: Question[T], asked: float, coming: Awaitable[Answer[T]]) -> _Landed:
        """Remember what comes; a failure is noted on what is remembered already."""
        try:
            answer = await coming
        except UpstreamFailure as error:
            if (entry := self._memory.peek(question)) is not None:
                entry.failed = self._clock()
                log.info("%s could not be renewed: %s", question, error.cause)
            raise
        return _Landed(await self._remembering.take(question, answer, asked), answer.origin)

    def _narrowed(self, question: ListRuns, own: Entry[Any] | None) -> Entry[Any] | None:
        """The entry of a question once the newest list that proves an answer to it is taken into account."""
        proof = newest_proof(question, own, self._memory.peek)
        if proof is None:
            return own
        return self._remembering.put(question, proof.runs, proof.entry.asked, proof.entry.arrived)
