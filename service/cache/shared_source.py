"""A source that shares its answers with other replicas, and lets one of them ask for all.

The sources stand in this order, from the caller to MLflow:

1. `CachedSource` has the memory of this replica: what is fresh there is answered without asking anybody.
2. `SharedSource` asks the store that replicas share: what one of them knows, or is about to know, all have.
3. `FeedingSource`, `WatchedExperiment` and `MlflowClient` ask MLflow: what they see is seen by one replica.

So the store is asked only where memory lacks an answer, and MLflow only where the store does. The memory is
made before both, and is what they have in common: what other replicas renewed is put there by `SharedSource`,
which needs to know nothing of `CachedSource`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from service.answer import Answer
from service.cache.exchange import Exchange, TooLarge, Unreadable
from service.cache.freshness import Freshness
from service.cache.leading import Leading, Pace
from service.cache.memory import Memory
from service.cache.narrowing import may_prove, narrowed
from service.cache.needs import Need, Next
from service.cache.notices import Notices, happened
from service.cache.remembering import DatedAnswer, Remembering
from service.cache.shared_keys import SharedKeys
from service.cache.shared_store import Claim, Key, SharedStore
from service.errors import StoreFailed
from service.tracking.questions import ListRuns, Question
from service.tracking.source import Source, ask

log = logging.getLogger("service.cache")

T = TypeVar("T")

_READ_AT_ONCE = 50  # answers, so that one reading is soon over
_PROOFS = 2  # lists that are read to see whether they prove an answer


class SharedSource(Source):
    """A source around another, with a store that several replicas share.

    Who lacks an answer claims it: the store has one, or one replica asks the source and the others wait for
    its notice. Where the store fails, this replica asks as if there were none. What other replicas renew is
    remembered here, too, where this one remembers an older answer.

    memory: of this replica. clock: seconds, monotonic, by which the memory is dated. outcomes: how many
    questions the store answered, were led, awaited, asked alone, proved by a list, refused or rested.
    """

    def __init__(
        self,
        source: Source,
        store: SharedStore,
        keys: SharedKeys,
        memory: Memory,
        freshness: Freshness,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace = Pace(),  # noqa: B008 - it is frozen
    ) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._pace = pace
        self._exchange = Exchange(keys, memory, freshness, clock)
        self._remembering = Remembering(memory, freshness, clock)
        self._leading = Leading(source, store, self._exchange, clock, pace)
        self._notices = Notices()
        self.outcomes: Counter[str] = Counter()
        store.watch(self._told)

    @property
    def unreadable(self) -> int:
        """How many data of the store were no answer to their question."""
        return self._exchange.unreadable

    async def answer(self, question: Question[T]) -> Answer[T]:
        if not question.is_shared:
            return await self._source.answer(question)
        [answer] = await self._answers([question], anew=False)
        return answer

    async def answer_many(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        return await self._answer(questions, anew=False)

    async def revalidate(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        return await self._answer(questions, anew=True)

    async def aclose(self) -> None:
        """Let the store know what it is to know yet."""
        await self._leading.aclose()

    async def _answer(self, questions: Sequence[Question[T]], *, anew: bool) -> list[Answer[T]]:
        shared = [question for question in questions if question.is_shared]
        if len(shared) == len(questions):
            return await self._answers(questions, anew=anew)
        rest = [question for question in questions if not question.is_shared]
        of_rest, of_shared = await asyncio.gather(ask(self._source, rest), self._answers(shared, anew=anew))
        answers: dict[Question[T], Answer[T]] = dict(zip(rest, of_rest, strict=True))
        answers |= zip(shared, of_shared, strict=True)
        return [answers[question] for question in questions]

    async def _answers(self, questions: Sequence[Question[T]], *, anew: bool) -> list[Answer[T]]:
        answers: dict[Question[T], Answer[T]] = {}
        needs = {question: Need(question, anew) for question in questions}
        look, moment, until = self._pace.look, None, self._clock() + self._pace.wait
        with self._notices.listening([self._exchange.key_of(question) for question in needs]) as notice:
            while needs and self._store.is_attached and self._clock() < until:
                notice.clear()
                try:
                    claims = await self._claim(list(needs.values()))
                except StoreFailed:
                    moment = None
                    break
                moment = claims[0].moment
                seconds = await self._follow(dict(zip(needs.values(), claims, strict=True)), answers)
                for question in answers:
                    needs.pop(question, None)
                if needs and seconds:
                    await happened(notice, min(seconds, look))
                    look = min(look * 2, self._pace.look_at_most)
        if needs:
            answers |= await self._last(list(needs.values()), moment)
        return [answers[question] for question in questions]

    async def _claim(self, needs: Sequence[Need[T]]) -> list[Claim]:
        for need in needs:
            need.held = self._exchange.held(need.question)
        before = self._clock()
        claims = await self._store.claim(
            [self._exchange.wish(need.question, need.since, anew=need.anew) for need in needs]
        )
        self._exchange.set_clock(claims[0].moment, before)
        return claims

    async def _follow(self, claims: dict[Need[T], Claim], answers: dict[Question[T], Answer[T]]) -> float:
        """Do what the claims ask for; seconds to wait for those that remain without an answer, at most."""
        own: list[Need[T]] = []
        alone: list[Need[T]] = []
        wait = 0.0
        for need, claim in claims.items():
            question, step = need.question, need.next(claim, asyncio.get_running_loop().time())
            if step is Next.TAKE:
                try:
                    answers[question] = self._of_store(need, claim)
                except TooLarge:
                    alone.append(need)
                except Unreadable:
                    need.distrust(claim)
                continue
            await self._keep_last(need, claim)
            if step is Next.LEAD:
                own.append(need)
            elif step is Next.ALONE:
                alone.append(need)
            elif step is Next.REST and not need.anew and (last := self._exchange.last(question)) is not None:
                self.outcomes["rested"] += 1
                answers[question] = last
            else:
                wait = max(wait, claim.wait)
        if own:
            await self._lead(own, claims, answers)
        if alone:
            answers |= await self._last(alone, claims[alone[0]].moment)
        return wait

    def _of_store(self, need: Need[T], claim: Claim) -> DatedAnswer[T]:
        if claim.stored is None:
            raise Unreadable("there is nothing")
        answer = self._exchange.answer(need.question, claim.stored, need.held)
        self.outcomes["stored" if need.since == claim.moment else "awaited"] += 1
        return answer

    async def _keep_last(self, need: Need[T], claim: Claim) -> None:
        """What the store said last is remembered, in case MLflow fails."""
        if claim.stored is None or need.anew:
            return
        try:
            answer = self._exchange.answer(need.question, claim.stored, need.held)
        except (TooLarge, Unreadable):
            return
        await self._remembering.take(need.question, answer, answer.asked)

    async def _lead(
        self, needs: Sequence[Need[T]], claims: dict[Need[T], Claim], answers: dict[Question[T], Answer[T]]
    ) -> None:
        """The answers of MLflow to what this replica has the leases of, or of a list that proves them."""
        absent = []
        for need in needs:
            proof = await self._proof(need, claims[need])
            if proof is None:
                absent.append(need)
            else:
                self.outcomes["proved"] += 1
                answers[need.question] = proof
                self._leading.release([self._exchange.key_of(need.question)], claims[need].moment)
        if not absent:
            return
        questions = [need.question for need in absent]
        outcomes = await self._leading.lead(questions, claims[absent[0]].moment)
        for need, outcome in zip(absent, outcomes, strict=True):
            self.outcomes["refused" if outcome.is_refused else "led"] += 1
            if outcome.is_refused and need.refused is None:
                need.refused = outcome.answer  # the store has a newer one, which the next claim brings
            else:
                answers[need.question] = outcome.answer

    async def _proof(self, need: Need[T], claim: Claim) -> DatedAnswer[Any] | None:
        """The answer that another list in the store proves."""
        question = need.question
        if need.anew or not isinstance(question, ListRuns):
            return None
        lists = [one for one in self._exchange.lists(claim.near) if may_prove(one, question)][:_PROOFS]
        if not lists:
            return None
        held = [self._exchange.held(one) for one in lists]
        try:
            stored = await self._store.read([self._exchange.wish(one) for one in lists])
        except StoreFailed:
            return None
        for one, entry, found in zip(lists, held, stored, strict=True):
            if found is None:
                continue
            try:
                answer = self._exchange.answer(one, found, entry)
            except (TooLarge, Unreadable):
                continue
            runs = narrowed(one, answer.value, question)
            if runs is not None and self._exchange.is_fresh(one, answer, stale=need.held is None):
                await self._remembering.take(one, answer, answer.asked)
                return DatedAnswer(runs, answer.age, asked=answer.asked)
        return None

    async def _last(self, needs: Sequence[Need[T]], moment: int | None) -> dict[Question[T], Answer[T]]:
        """The answers to what this replica asks without a lease. moment: of a claim, None where none was."""
        answers: dict[Question[T], Answer[T]] = {
            need.question: need.refused for need in needs if need.refused is not None
        }
        questions = [need.question for need in needs if need.question not in answers]
        if questions:
            self.outcomes["alone"] += len(questions)
            answers |= zip(questions, await self._leading.alone(questions, moment), strict=True)
        return answers

    def _told(self, keys: Sequence[Key] | None, is_own: bool) -> None:
        """The store has something new of these keys, or nobody asks for them any more."""
        self._notices.wake(keys)
        if keys and not is_own:
            questions = self._exchange.remembered(keys)
            for start in range(0, len(questions), _READ_AT_ONCE):
                self._leading.behind(self._renew(questions[start : start + _READ_AT_ONCE]))

    async def _renew(self, questions: Sequence[Question[Any]]) -> None:
        """Take what the store has of questions that this replica remembers."""
        held = [self._exchange.held(question) for question in questions]
        stored = await self._store.read([self._exchange.wish(question) for question in questions])
        for question, entry, found in zip(questions, held, stored, strict=True):
            if found is None:
                continue
            try:
                answer = self._exchange.answer(question, found, entry)
            except (TooLarge, Unreadable):
                continue
            await self._remembering.take(question, answer, answer.asked)
