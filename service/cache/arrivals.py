"""Answers to several questions that come one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from service.answer import Answer
from service.tracking.questions import Question

T = TypeVar("T")


class Arrivals(Generic[T]):
    """Answers that have come: each grows older until all of them are there. clock: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._answers: dict[Question[T], tuple[Answer[T], float]] = {}

    def __contains__(self, question: Question[T]) -> bool:
        return question in self._answers

    def add(self, question: Question[T], answer: Answer[T], came: float | None = None) -> None:
        """An answer has come, now or at this time."""
        self._answers[question] = answer, self._clock() if came is None else came

    def answers(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        """The answers to these questions, as old as they are by now."""
        now = self._clock()
        return [_older(*self._answers[question], now) for question in questions]


def _older(answer: Answer[T], came: float, now: float) -> Answer[T]:
    return msgspec.structs.replace(answer, age=answer.age + now - came) if now > came else answer
