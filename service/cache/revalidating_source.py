"""A source for callers who want MLflow's own word, whatever is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from service.answer import Answer
from service.cache.cached_source import CachedSource
from service.tracking.questions import Question
from service.tracking.source import Source

T = TypeVar("T")


class RevalidatingSource(Source):
    """A source whose answers were asked for after the question; `cached` remembers them for all.

    A failure is raised, however lately there was an answer.
    """

    def __init__(self, cached: CachedSource) -> None:
        self._cached = cached

    async def answer(self, question: Question[T]) -> Answer[T]:
        [answer] = await self._cached.revalidate([question])
        return answer

    async def answer_many(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        return await self._cached.revalidate(questions)
