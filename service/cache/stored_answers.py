"""Takes answers out of a store that replicas share, into the memory of this replica."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from service.cache.exchange import Exchange, TooLarge, Unreadable
from service.cache.memory import Entry
from service.cache.narrowing import may_prove, narrowed
from service.cache.needs import Need
from service.cache.remembering import PROVED, DatedAnswer, Remembering
from service.cache.shared_store import Claim, SharedStore, Stored
from service.errors import StoreFailed
from service.tracking.questions import ListRuns, Question

T = TypeVar("T")

_AT_ONCE = 50  # answers that are read at once, so that one reading is soon over
_PROOFS = 2  # lists that are read to see whether they prove an answer


class StoredAnswers:
    """The answers of a store, for a memory."""

    def __init__(self, store: SharedStore, exchange: Exchange, remembering: Remembering) -> None:
        self._store = store
        self._exchange = exchange
        self._remembering = remembering

    async def keep_last(self, need: Need[T], claim: Claim) -> None:
        """Remember what the store said last, in case MLflow fails."""
        if not need.anew:
            await self._take(need.question, claim.stored, need.held)

    async def renew(self, questions: Sequence[Question[Any]]) -> None:
        """Remember what the store has of these questions."""
        for start in range(0, len(questions), _AT_ONCE):
            some = questions[start : start + _AT_ONCE]
            held = [self._exchange.held(question) for question in some]
            stored = await self._store.read([self._exchange.wish(question) for question in some])
            for question, one, entry in zip(some, stored, held, strict=True):
                await self._take(question, one, entry)

    async def proof(self, need: Need[T], claim: Claim) -> DatedAnswer[Any] | None:
        """The answer that another list in the store proves, as one in memory would."""
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
        for one, found, entry in zip(lists, stored, held, strict=True):
            answer = self._answer(one, found, entry)
            runs = None if answer is None else narrowed(one, answer.value, question)
            if answer is None or runs is None:
                continue
            if self._exchange.is_fresh(one, answer, stale=need.held is None):
                await self._remembering.take(one, answer, answer.asked)
                return DatedAnswer(runs, answer.age, answer.origin, asked=answer.asked, version=PROVED)
        return None

    async def _take(self, question: Question[T], stored: Stored | None, held: Entry[T] | None) -> None:
        answer = self._answer(question, stored, held)
        if answer is not None:
            await self._remembering.take(question, answer, answer.asked)

    def _answer(
        self, question: Question[T], stored: Stored | None, held: Entry[T] | None
    ) -> DatedAnswer[T] | None:
        """The answer in the store; None where there is none that could be read."""
        if stored is None:
            return None
        try:
            return self._exchange.answer(question, stored, held)
        except (TooLarge, Unreadable):
            return None
