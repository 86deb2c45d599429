"""What a replica and a store that replicas share say to each other, in the terms of the cache."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from service.answer import Answer, Origin
from service.cache.freshness import Freshness
from service.cache.memory import Entry, Memory
from service.cache.policy import bridges
from service.cache.remembering import DatedAnswer
from service.cache.shared_keys import TOO_LARGE, SharedKeys
from service.cache.shared_store import Fill, Key, Stored, Wish
from service.tracking.questions import ListRuns, Question

log = logging.getLogger("service.cache")

T = TypeVar("T")

_MICROSECONDS = 1_000_000
_QUESTIONS = 65_536  # whose notices are heeded
_UNSURE = 0.001  # seconds by which the clocks may differ from what is believed


class Unreadable(Exception):
    """What the store has is no answer to this question that could be read."""


class TooLarge(Exception):
    """The answer has too many bytes for the store."""


class Exchange:
    """Translates between questions with their answers and keys with data.

    memory: what the replica remembers. clock: seconds, monotonic. unreadable: data that were no answer.
    """

    def __init__(
        self, keys: SharedKeys, memory: Memory, freshness: Freshness, clock: Callable[[], float]
    ) -> None:
        self._keys = keys
        self._memory = memory
        self._freshness = freshness
        self._clock = clock
        self._ahead: float | None = None  # seconds that the store's clock is ahead of ours
        self._questions: OrderedDict[Key, Question[Any]] = OrderedDict()
        self.unreadable = 0

    def key_of(self, question: Question[Any]) -> Key:
        """The key of a question, whose notices are heeded from now on."""
        key = self._keys.of(question)
        self._questions[key] = question
        self._questions.move_to_end(key)
        if len(self._questions) > _QUESTIONS:
            self._questions.popitem(last=False)
        return key

    def remembered(self, keys: Iterable[Key]) -> list[Question[Any]]:
        """Those of the questions of these keys that the replica remembers."""
        questions = [question for key in keys if (question := self._questions.get(key)) is not None]
        return [question for question in questions if self._memory.peek(question) is not None]

    def held(self, question: Question[T]) -> Entry[T] | None:
        """What the replica remembers."""
        return self._memory.peek(question)

    def set_clock(self, moment: int, before: float) -> None:
        """The store's clock showed this moment between `before` and now, by ours.

        Moments are told in our time by one difference for as long as it holds, so that their order stays.
        """
        theirs, now = moment / _MICROSECONDS, self._clock()
        if self._ahead is None or not before - _UNSURE <= theirs - self._ahead <= now + _UNSURE:
            self._ahead = theirs - before

    def time_of(self, moment: int) -> float:
        """When that was by our clock."""
        return moment / _MICROSECONDS - (self._ahead or 0.0)

    def wish(self, question: Question[Any], since: int = 0, *, anew: bool = False) -> Wish:
        """What the replica needs: with nothing in memory it takes what may still be renewed."""
        held = self._memory.peek(question)
        return Wish(
            self.key_of(question),
            0 if held is None else held.version,
            since,
            anew,
            stale=held is None and not anew,
            groups=() if anew else self._keys.groups_of(question),
        )

    def answer(
        self, question: Question[T], stored: Stored, held: Entry[T] | None, origin: Origin = Origin.SHARED
    ) -> DatedAnswer[T]:
        """What the store has; Unreadable or TooLarge. held: what was remembered when it was asked for."""
        age = max(self._clock() - self.time_of(stored.arrived), 0.0)
        asked = self.time_of(stored.asked)
        if stored.data is None:
            if held is None or held.version != stored.version:
                raise self._unreadable(question, "it should be known")
            return DatedAnswer(held.value, age, origin, asked=asked, version=stored.version)
        if stored.data == TOO_LARGE:
            raise TooLarge
        try:
            value = self._keys.unwrap(question, stored.data)
        except msgspec.MsgspecError as error:
            raise self._unreadable(question, str(error)) from error
        return DatedAnswer(value, age, origin, asked=asked, version=stored.version)

    def last(self, question: Question[T]) -> DatedAnswer[T] | None:
        """What the replica remembers, where it may be given because MLflow has just failed."""
        held = self._memory.peek(question)
        now = self._clock()
        if held is None or not bridges(held, now):
            return None
        return DatedAnswer(
            held.value, now - held.arrived, asked=held.asked, version=held.version, has_failed=True
        )

    def lists(self, names: Iterable[bytes]) -> Iterator[ListRuns]:
        """The lists of groups."""
        return self._keys.named(names)

    def is_fresh(self, question: Question[T], answer: Answer[T], *, stale: bool) -> bool:
        """Whether the answer may be given. stale: while it is renewed, too."""
        windows = self._freshness.windows(question.freshness_of(answer.value))
        return answer.age < (windows.renewable if stale else windows.fresh)

    def fills(self, question: Question[T], answer: Answer[T]) -> Iterator[Fill]:
        """An answer of MLflow's with its members, for the store: its own first."""
        yield self._fill(question, answer.value, answer.age)
        members = question.members(answer.value)
        values: Sequence[Any] = answer.value if isinstance(answer.value, tuple) else ()
        for member, value in zip(members, values, strict=False):
            yield self._fill(member, value, answer.age)

    def _fill(self, question: Question[Any], value: Any, age: float) -> Fill:
        windows = self._freshness.windows(question.freshness_of(value))
        data = self._keys.wrap(question, value)
        return Fill(self.key_of(question), data, age, *windows, *self._keys.place_of(question))

    def _unreadable(self, question: Question[Any], why: str) -> Unreadable:
        self.unreadable += 1
        log.warning("what the store has of %s cannot be read: %s", question, why)
        return Unreadable(why)
