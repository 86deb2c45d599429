"""What an answer is: a value, and where it came from."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T_co = TypeVar("T_co", covariant=True)


class Answer(msgspec.Struct, Generic[T_co], frozen=True):
    """A value, how old it is, and how it was come by.

    age: seconds since it arrived from MLflow, 0.0 when it was fetched for this very question.
    cache: the parameters of a Cache-Status header (RFC 9211), "fwd=miss" when MLflow was asked.
    waited: seconds that the question waited for MLflow.
    """

    value: T_co
    age: float = 0.0
    cache: str = "fwd=miss"
    waited: float = 0.0
