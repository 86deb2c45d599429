"""A source that shares its answers with other replicas, and lets one of them ask for all."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, TypeVar

import msgspec

from service.answer import Answer
from service.cache.freshness import Freshness
from service.cache.memory import Entry
from service.cache.shared_keys import SharedKeys
from service.cache.shared_store import Claim, Fill, Key, SharedStore, Stored, Wish
from service.errors import StoreFailed
from service.tracking.questions import Question
from service.tracking.source import Source

log = logging.getLogger("service.cache")

T = TypeVar("T")

_REMEMBERED = 65_536  # questions whose notices are heeded
_ROUNDS = 3  # waits for other replicas; then this one asks by itself


class Known(NamedTuple):
    """A question that was answered lately, and the version of its answer in the store."""

    question: Question[Any]
    version: int


class SharedSource(Source):
    """A source around another, with a store that several replicas share.

    Who lacks an answer claims it: the store has one, or one replica asks the source and the others wait for
    its notice. Where the store fails, this replica asks as if there were none. What other replicas renew is
    handed on while this one remembers it, too.

    held: what this replica remembers of a question. take: remembers an answer. extend_after: seconds after
    which a lease is made to last longer, below what a lease lasts.
    """

    def __init__(
        self,
        source: Source,
        store: SharedStore,
        keys: SharedKeys,
        freshness: Freshness,
        held: Callable[[Question[Any]], Entry[Any] | None],
        take: Callable[[Question[Any], Answer[Any]], object],
        extend_after: float = 1.0,
    ) -> None:
        self._source = source
        self._store = store
        self._keys = keys
        self._freshness = freshness
        self._held = held
        self._take = take
        self._extend_after = extend_after
        self._known: OrderedDict[Key, Known] = OrderedDict()
        self._waiting: dict[Key, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        store.watch(self._told)

    async def answer(self, question: Question[T]) -> Answer[T]:
        [answer] = await self.answer_many([question])
        return answer

    async def answer_many(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        return await self._answer(questions, anew=False)

    async def revalidate(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        return await self._answer(questions, anew=True)

    async def aclose(self) -> None:
        """End what goes on behind callers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, questions: Sequence[Question[T]], *, anew: bool) -> list[Answer[T]]:
        answers: dict[Question[T], Answer[T]] = {}
        absent, asked = list(dict.fromkeys(questions)), 0
        with self._listening(absent) as told:
            for _ in range(_ROUNDS):
                if not absent or not self._store.is_attached:
                    break
                for event in told.values():
                    event.clear()
                try:
                    claims = await self._store.claim([self._wish(one) for one in absent], anew=anew)
                except StoreFailed:
                    asked = 0
                    break
                asked = max(claim.asked for claim in claims)
                claimed = dict(zip(absent, claims, strict=True))
                answers |= await self._settle(claimed, asked)
                absent = [question for question in absent if question not in answers]
                if absent:
                    longest = max(claimed[question].wait for question in absent)
                    await _wait([told[question] for question in absent], longest)
        if absent:
            answers |= zip(absent, await self._alone(absent, asked), strict=True)
        return [answers[question] for question in questions]

    async def _settle(self, claimed: dict[Question[T], Claim], asked: int) -> dict[Question[T], Answer[T]]:
        """The answers that the store has, and those that this replica has to ask for."""
        answers: dict[Question[T], Answer[T]] = {}
        for question, claim in claimed.items():
            if claim.stored is not None and not claim.lease:
                answers |= self._of_store(question, claim.stored)
        own = [question for question, claim in claimed.items() if claim.lease]
        if own:
            self._keep_last(claimed)
            answers |= zip(own, await self._lead(own, asked), strict=True)
        return answers

    @contextmanager
    def _listening(self, questions: Sequence[Question[T]]) -> Iterator[dict[Question[T], asyncio.Event]]:
        """What is set once the store tells of a question; from before its claim on, lest one be missed."""
        events = {self._keys.of(question): asyncio.Event() for question in questions}
        self._waiting |= events
        try:
            yield dict(zip(questions, events.values(), strict=True))
        finally:
            for key, event in events.items():
                if self._waiting.get(key) is event:
                    del self._waiting[key]

    async def _lead(self, questions: Sequence[Question[T]], asked: int) -> list[Answer[T]]:
        """What the source says, which goes to the store; the leases last for as long as that takes."""
        keys = [self._keys.of(question) for question in questions]
        task = asyncio.ensure_future(self._source.answer_many(questions))
        try:
            while not (await asyncio.wait([task], timeout=self._extend_after))[0]:
                self._behind(self._store.extend(asked, keys))
            answers = task.result()
        except BaseException:
            task.cancel()
            self._behind(self._store.give_up(asked, keys))
            raise
        self._share(questions, answers, asked)
        return answers

    async def _alone(self, questions: Sequence[Question[T]], asked: int) -> list[Answer[T]]:
        """What the source says, without a lease. asked: at a claim; 0 where the store does not answer."""
        answers = await self._source.answer_many(questions)
        if asked:
            self._share(questions, answers, asked)
        return answers

    def _share(self, questions: Sequence[Question[T]], answers: Sequence[Answer[T]], asked: int) -> None:
        fills: list[Fill] = []
        for question, answer in zip(questions, answers, strict=True):
            fills.append(self._fill(question, answer.value, answer.age))
            members = question.members(answer.value)
            if members and isinstance(answer.value, tuple):
                fills += [
                    self._fill(member, value, answer.age)
                    for member, value in zip(members, answer.value, strict=True)
                ]
        self._behind(self._store.fill(asked, fills))

    def _fill(self, question: Question[Any], value: Any, age: float) -> Fill:
        windows = self._freshness.windows(question.freshness_of(value))
        key = self._keys.of(question)
        self._remember(key, question, 0)
        return Fill(
            key,
            self._keys.wrap(question, value),
            windows.fresh - age,
            windows.renewable - age,
            windows.usable - age,
        )

    def _wish(self, question: Question[Any]) -> Wish:
        key = self._keys.of(question)
        known = self._known.get(key)
        has_it = known is not None and self._held(question) is not None
        return Wish(key, known.version if known is not None and has_it else 0)

    def _of_store(self, question: Question[T], stored: Stored) -> dict[Question[T], Answer[T]]:
        """The answer in the store, by its question; none where it cannot be read."""
        if stored.data is None:
            entry = self._held(question)
            return {} if entry is None else {question: Answer(entry.value, stored.age)}
        try:
            value = self._keys.unwrap(question, stored.data)
        except msgspec.MsgspecError as error:
            log.warning("what the store has of %s cannot be read: %s", question, error)
            return {}
        self._remember(self._keys.of(question), question, stored.version)
        return {question: Answer(value, stored.age)}

    def _keep_last(self, claimed: dict[Question[T], Claim]) -> None:
        """What the store said last is remembered, in case MLflow fails."""
        for question, claim in claimed.items():
            if claim.lease and claim.stored is not None and self._held(question) is None:
                for answer in self._of_store(question, claim.stored).values():
                    self._take(question, answer)

    def _remember(self, key: Key, question: Question[Any], version: int) -> None:
        self._known[key] = Known(question, version)
        self._known.move_to_end(key)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _told(self, keys: Sequence[Key]) -> None:
        """The store has something new of these keys, or nobody asks for them any more."""
        renewed: list[Known] = []
        for key in keys:
            if (event := self._waiting.get(key)) is not None:
                event.set()
            if (known := self._known.get(key)) is not None and self._held(known.question) is not None:
                renewed.append(known)
        if renewed:
            self._behind(self._renew([known.question for known in renewed]))

    async def _renew(self, questions: Sequence[Question[Any]]) -> None:
        """Take what the store has of questions that this replica remembers."""
        stored = await self._store.read([self._wish(question) for question in questions])
        for question, one in zip(questions, stored, strict=True):
            if one is not None:
                for answer in self._of_store(question, one).values():
                    self._take(question, answer)

    def _behind(self, work: Any) -> None:
        """Do it behind the caller's back; if the store fails, nothing is lost but what was to be shared."""

        async def done() -> None:
            try:
                await work
            except StoreFailed as error:
                log.info("the store failed: %s", error.kind)

        task = asyncio.create_task(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _wait(events: Sequence[asyncio.Event], seconds: float) -> None:
    """Wait until all are set, but not longer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for event in events:
                await event.wait()
