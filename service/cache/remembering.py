"""Remembers what sources answer, with the members of lists, and in the order in which MLflow was asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from service.answer import Answer
from service.cache.freshness import Freshness
from service.cache.memory import Entry, Memory
from service.checkpoint import checkpoint
from service.tracking.questions import Question

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_AT_ONCE = 10  # members remembered in one turn of the loop: a quarter of a millisecond

PROVED: Final = -1


class DatedAnswer(Answer[T_co], frozen=True):
    """An answer that says itself when MLflow was asked for it, since that may have been another replica.

    asked: by the clock of whoever remembers it. version: in the store that replicas share; 0 for none, PROVED
    for one that another answer there proves.
    has_failed: it is what MLflow said last, since MLflow has just failed.
    """

    asked: float = 0.0
    version: int = 0
    has_failed: bool = False


class Remembering:
    """Puts answers into a memory. clock: seconds, monotonic; answers are dated by it."""

    def __init__(
        self, memory: Memory, freshness: Freshness, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._memory = memory
        self._freshness = freshness
        self._clock = clock

    async def take(self, question: Question[T], answer: Answer[T], asked: float) -> Entry[T]:
        """Remember an answer with its members; the entry that answers the question now.

        asked: when MLflow was asked, unless the answer says it itself.
        """
        version, has_failed = 0, False
        if isinstance(answer, DatedAnswer):
            asked, version, has_failed = answer.asked, answer.version, answer.has_failed
        arrived = self._clock() - answer.age
        value = await self._take_members(question, answer.value, asked, arrived)
        entry = self.put(question, value, asked, arrived, version)
        if has_failed:
            entry.failed = self._clock()
        return entry

    def put(
        self, question: Question[T], value: T, asked: float, arrived: float, version: int = 0
    ) -> Entry[T]:
        """Remember a value; the entry that answers the question now."""
        windows = self._freshness.windows(question.freshness_of(value))
        return self._memory.put(question, value, asked, arrived, windows, version)

    async def _take_members(self, question: Question[T], value: T, asked: float, arrived: float) -> T:
        """The value, made of the remembered objects where it is a list, so that lists share them.

        A list is remembered in a few turns of the loop: hot answers do not wait for all of it.
        """
        members = question.members(value)
        if not members or not isinstance(value, tuple):
            return value
        kept: list[Any] = []
        for start in range(0, len(members), _AT_ONCE):
            await checkpoint()
            for place, member in enumerate(members[start : start + _AT_ONCE], start):
                entry = self.put(member, value[place], asked, arrived)
                # What is newer stays as it is, and the list says what it said.
                kept.append(entry.value if entry.value == value[place] else value[place])
        await checkpoint()
        return tuple(kept)  # type: ignore[return-value] # the tuple that the value is
