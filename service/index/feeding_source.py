"""Lets every run that passes update the index."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from service.answer import Answer
from service.tracking.questions import GetRun, ListRuns, Question, RunPage
from service.tracking.runs import Run
from service.tracking.source import Source

T = TypeVar("T")


class FeedingSource(Source):
    """A source that answers as the one behind it, and tells of each run that it answers.

    put: takes a run and when it was asked for, in seconds. clock: these seconds, monotonic.
    """

    def __init__(
        self,
        source: Source,
        put: Callable[[Run, float], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._put = put
        self._clock = clock

    async def answer(self, question: Question[T]) -> Answer[T]:
        asked = self._clock()
        answer = await self._source.answer(question)
        self._tell([(question, answer)], asked)
        return answer

    async def answer_many(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        asked = self._clock()
        answers = await self._source.answer_many(questions)
        self._tell(zip(questions, answers, strict=True), asked)
        return answers

    def _tell(self, answered: Iterable[tuple[Question[T], Answer[T]]], asked: float) -> None:
        for question, answer in answered:
            for run in _runs(question, answer.value):
                self._put(run, asked - answer.age)


def _runs(question: Question[T], value: object) -> Iterable[Run]:
    """The runs of an answer."""
    match question, value:
        case GetRun(), Run():
            return (value,)
        case ListRuns(), tuple():
            return value
        case _, RunPage(runs=runs):
            return runs
        case _:
            return ()
