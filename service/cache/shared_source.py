"""A source that shares its answers with other replicas, and lets one of them ask for all.

The sources stand in this order, from the caller to MLflow:

1. `CachedSource` has the memory of this replica: what is fresh there is answered without asking anybody.
2. `SharedSource` asks the store that replicas share: what one of them knows, or is about to know, all have.
3. `FeedingSource`, `WatchedExperiment` and `MlflowClient` ask MLflow.

So the store is asked only where the memory lacks an answer: an answer from memory never waits for it. MLflow
is asked only where the store lacks the answer, too. The memory is made before both sources, and is what they
have in common: `SharedSource` puts there what other replicas renewed, and need not know `CachedSource`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from service.answer import Answer, Origin
from service.cache.arrivals import Arrivals
from service.cache.exchange import Exchange, TooLarge, Unreadable
from service.cache.freshness import Freshness
from service.cache.leading import Leading, Pace
from service.cache.memory import Memory
from service.cache.needs import Need, Next
from service.cache.notices import Notices, Wait, happened
from service.cache.remembering import Remembering
from service.cache.shared_keys import SharedKeys
from service.cache.shared_store import Claim, Key, SharedStore
from service.cache.stored_answers import StoredAnswers
from service.errors import StoreFailed
from service.tracking.questions import Question
from service.tracking.source import Source, ask

T = TypeVar("T")


class SharedSource(Source):
    """A source around another, with a store that several replicas share.

    Who lacks an answer claims it: the store has one, or one replica asks the source and the others wait for
    its notice. Where the store fails, this replica asks as if there were none. What other replicas renew is
    remembered here, too, where this one remembers an older answer.

    memory: of this replica. clock: seconds, monotonic, by which the memory is dated. wait: waits until an
    event or so many seconds later. outcomes: how many questions were met how: the store had the answer
    (stored), or got it meanwhile (awaited); a list there proved it (proved); MLflow was asked for all (led),
    or without a lease (alone); the store had a newer answer than MLflow gave (refused); MLflow had just
    failed another replica, and the last answer was given (rested).
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
        wait: Wait = happened,
    ) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._pace = pace
        self._wait = wait
        self._exchange = Exchange(keys, memory, freshness, clock)
        self._stored = StoredAnswers(store, self._exchange, Remembering(memory, freshness, clock))
        self._leading = Leading(source, store, self._exchange, clock, pace, wait)
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
        [answer] = await self._share([question], anew=False)
        return answer

    async def answer_many(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        return await self._answer_many(questions, anew=False)

    async def revalidate(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        return await self._answer_many(questions, anew=True)

    async def aclose(self) -> None:
        """Let the store know what it is to know yet."""
        await self._leading.aclose()

    async def _answer_many(self, questions: Sequence[Question[T]], *, anew: bool) -> list[Answer[T]]:
        shared = [question for question in questions if question.is_shared]
        if len(shared) == len(questions):
            return await self._share(questions, anew=anew)
        rest = [question for question in questions if not question.is_shared]
        answers = Arrivals[T](self._clock)
        for question, answer in zip(rest, await ask(self._source, rest), strict=True):
            answers.add(question, answer)
        for question, answer in zip(shared, await self._share(shared, anew=anew), strict=True):
            answers.add(question, answer)
        return answers.answers(questions)

    async def _share(self, questions: Sequence[Question[T]], *, anew: bool) -> list[Answer[T]]:
        """The answers to questions that are shared: claim, do what the claims say, and claim again."""
        answers = Arrivals[T](self._clock)
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
                needs = {question: need for question, need in needs.items() if question not in answers}
                if needs and seconds:
                    await self._wait(notice, min(seconds, look))
                    look = min(look * 2, self._pace.look_at_most)
        if needs:
            await self._alone(list(needs.values()), moment, answers)
        return answers.answers(questions)

    async def _claim(self, needs: Sequence[Need[T]]) -> list[Claim]:
        for need in needs:
            need.held = self._exchange.held(need.question)
        before = self._clock()
        claims = await self._store.claim(
            [self._exchange.wish(need.question, need.since, anew=need.anew) for need in needs]
        )
        self._exchange.set_clock(claims[0].moment, before)
        return claims

    async def _follow(self, claims: dict[Need[T], Claim], answers: Arrivals[T]) -> float:
        """Do what the claims say; how many seconds to wait at most, 0 where nobody is waited for."""
        now, wait = self._clock(), 0.0
        steps = {need: need.next(claim, now) for need, claim in claims.items()}
        own = [need for need, step in steps.items() if step is Next.LEAD]
        alone = [need for need, step in steps.items() if step is Next.ALONE]
        try:
            for need, step in steps.items():
                claim = claims[need]
                if step is Next.TAKE and claim.stored is not None:
                    try:
                        origin = need.origin(claim)
                        answer = self._exchange.answer(need.question, claim.stored, need.held, origin)
                        answers.add(need.question, answer)
                        self.outcomes["stored" if origin is Origin.SHARED else "awaited"] += 1
                    except TooLarge:
                        alone.append(need)
                    except Unreadable:
                        need.distrust(claim)
                    continue
                await self._stored.keep_last(need, claim)
                last = self._exchange.last(need.question) if step is Next.REST and not need.anew else None
                if last is not None:
                    self.outcomes["rested"] += 1
                    answers.add(need.question, last)
                elif step in {Next.WAIT, Next.REST}:
                    wait = max(wait, claim.wait)
            unproved = [need for need in own if not await self._is_proved(need, claims[need], answers)]
        except BaseException:
            self._leading.release([need.question for need in own], next(iter(claims.values())).moment)
            raise
        if unproved:
            await self._lead(unproved, claims[unproved[0]].moment, answers)
        if alone:
            await self._alone(alone, claims[alone[0]].moment, answers)
        return wait

    async def _is_proved(self, need: Need[T], claim: Claim, answers: Arrivals[T]) -> bool:
        """Whether a list in the store proves the answer, so that nobody has to ask for it."""
        proof = await self._stored.proof(need, claim)
        if proof is None:
            return False
        self.outcomes["proved"] += 1
        answers.add(need.question, proof)
        self._leading.release([need.question], claim.moment)
        return True

    async def _lead(self, needs: Sequence[Need[T]], moment: int, answers: Arrivals[T]) -> None:
        """The answers of MLflow to what this replica has the leases of."""
        outcomes = await self._leading.lead([need.question for need in needs], moment)
        for need, outcome in zip(needs, outcomes, strict=True):
            self.outcomes["refused" if outcome.is_refused else "led"] += 1
            if outcome.is_refused and need.refused is None:
                # The store has a newer one, which the next claim brings.
                need.refused = outcome.answer, self._clock()
            else:
                answers.add(need.question, outcome.answer)

    async def _alone(self, needs: Sequence[Need[T]], moment: int | None, answers: Arrivals[T]) -> None:
        """The answers of MLflow, without a lease. moment: of the last claim, None where the store failed."""
        for need in needs:
            if need.refused is not None:
                answers.add(need.question, *need.refused)
        questions = [need.question for need in needs if need.question not in answers]
        if questions:
            self.outcomes["alone"] += len(questions)
            for question, answer in zip(questions, await self._leading.alone(questions, moment), strict=True):
                answers.add(question, answer)

    def _told(self, keys: Sequence[Key] | None, is_own: bool) -> None:
        """The store has something new of these keys, or nobody asks for them any more."""
        self._notices.wake(keys)
        if keys and not is_own and (questions := self._exchange.remembered(keys)):
            self._leading.behind(self._stored.renew(questions))
