"""What queries read through. MlflowClient is one source, a memory around it another, tests have a third."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol, TypeVar

from service.answer import Answer, combine
from service.tracking.questions import Question

T = TypeVar("T")


class Source(Protocol):
    """Where answers come from. A source that inherits from this has to have `answer` only.

    All methods raise UpstreamFailure when MLflow cannot be asked or understood; what does not exist is None,
    and only ever because MLflow says so.
    """

    async def answer(self, question: Question[T]) -> Answer[T]:
        """The answer to a question."""
        ...

    async def answer_many(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        """The answers to several questions, asked at once, in their order.

        A source overrides it where several questions together are cheaper than each by itself.
        """
        return await asyncio.gather(*map(self.answer, questions))

    async def revalidate(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        """The same, asked of MLflow after the call; a source that remembers overrides it."""
        return await ask(self, questions)

    async def answer_together(self, questions: Sequence[Question[T]]) -> Answer[tuple[T, ...]]:
        """The answers to several questions, of which there is at least one, as one answer."""
        answers = await self.answer_many(questions)
        return combine(tuple([answer.value for answer in answers]), answers)


async def ask(source: Source, questions: Sequence[Question[T]]) -> list[Answer[T]]:
    """The answers of a source to one question or several: one by itself has nothing to be asked with."""
    if len(questions) == 1:
        return [await source.answer(questions[0])]
    return await source.answer_many(questions)
