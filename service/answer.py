"""What an answer is: a value, how old it is, and how it was come by. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Origin(Enum):
    """How an answer was come by.

    HIT: from memory, within its time to live. STALE: from memory, past its time to live. SHARED: from the
    store that replicas share, which had it before it was asked for here. MISS: the source was asked.
    COLLAPSED: another caller, of this or of another replica, had asked the source already, and the answer is
    shared. FORCED: the source was asked because the caller wanted no remembered answer.
    """

    HIT = auto()
    STALE = auto()
    SHARED = auto()
    MISS = auto()
    COLLAPSED = auto()
    FORCED = auto()


class Answer(msgspec.Struct, Generic[T_co], frozen=True):
    """A value with its age and its origin.

    age: seconds since it arrived from MLflow, 0.0 when it was fetched for this very question.
    waited: seconds that the question waited for MLflow, or for the store that replicas share.
    left: of HIT, STALE and SHARED, the seconds that are left of the time to live, below 0 for STALE.
    expired: of MISS and COLLAPSED, whether memory had an answer that was too old to be given.
    """

    value: T_co
    age: float = 0.0
    origin: Origin = Origin.MISS
    waited: float = 0.0
    left: float = 0.0
    expired: bool = False

    def after(self, earlier: Answer[Any]) -> Answer[T_co]:
        """The same answer to a question that could only be asked once `earlier` was there.

        It waited for both. It is as old as it was: what `earlier` did for it is to say what to ask.
        """
        if not earlier.waited:
            return self
        return msgspec.structs.replace(self, waited=earlier.waited + self.waited)


def combine(value: T, answers: Sequence[Answer[Any]]) -> Answer[T]:
    """The answer whose value is made of several answers, of which there is at least one.

    They were asked for at once; one that was asked for later is given as `later.after(earlier)`. So the
    combined answer waited as long as the one that waited longest, which is the sum where they were asked one
    after another. It is as old as the oldest is by then, and has the origin of the oldest, with the least
    time left among those of that origin.
    """
    waited = max([answer.waited for answer in answers])
    ages = [answer.age + waited - answer.waited for answer in answers]  # each aged while others were awaited
    age = max(ages)
    oldest = answers[ages.index(age)]
    origin = oldest.origin
    left = min([answer.left for answer in answers if answer.origin is origin])
    return Answer(value, age, origin, waited, left, oldest.expired)
