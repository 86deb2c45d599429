"""The history of a metric: every value that a run logged under one key, and the question for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from sys import getsizeof
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from service.tracking.codec import Codec
from service.tracking.entity import Entity
from service.tracking.questions import FreshnessClass, Question

_INTEGER: Final = np.dtype("<i8")
_NUMBER: Final = np.dtype("<f8")


class History(Entity, frozen=True, gc=False):
    """The points of one metric of one run, as bytes of 8 a number: 24 a point, and nothing to collect.

    The bytes are little-endian: int64 steps, int64 times (Unix epoch milliseconds), float64 values, which may
    be NaN or infinite. The points are in the order of (time, step), as MLflow has them.
    """

    step_bytes: bytes = b""
    time_bytes: bytes = b""
    value_bytes: bytes = b""

    @classmethod
    def of(cls, steps: npt.ArrayLike, times: npt.ArrayLike, values: npt.ArrayLike) -> Self:
        """The history of these points, whatever their order. ValueError where the lengths differ."""
        step, time = np.asarray(steps, _INTEGER), np.asarray(times, _INTEGER)
        value = np.asarray(values, _NUMBER)
        if not len(step) == len(time) == len(value):
            raise ValueError("a history needs as many steps and times as values")
        if not is_sorted(time, step):
            order = np.lexsort((step, time))
            step, time, value = step[order], time[order], value[order]
        return cls(step.tobytes(), time.tobytes(), value.tobytes())

    def __len__(self) -> int:
        return len(self.value_bytes) // _NUMBER.itemsize

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """The step of each point; read only, as all three are."""
        return np.frombuffer(self.step_bytes, _INTEGER)

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """When each point was logged, in Unix epoch milliseconds."""
        return np.frombuffer(self.time_bytes, _INTEGER)

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """The value of each point."""
        return np.frombuffer(self.value_bytes, _NUMBER)

    @property
    def footprint(self) -> int:
        """Bytes of memory that it takes."""
        parts = (self.step_bytes, self.time_bytes, self.value_bytes)
        return getsizeof(self) + sum(map(getsizeof, parts))


NO_POINTS: Final = History()


class GetHistory(Question[History], frozen=True, gc=False):
    """Every point of a metric of a run; none where there is no such run or it has no such metric.

    ended: whether the run has ended, so that its history hardly ever changes any more.
    """

    run_id: str
    key: str
    ended: bool

    codec: ClassVar[Codec[Any]] = Codec(History)
    is_shared: ClassVar[bool] = False  # a history has megabytes

    def freshness_of(self, value: History) -> FreshnessClass:
        """It ages as its run does."""
        if not value.value_bytes:
            return FreshnessClass.MISSING
        return FreshnessClass.ENDED_RUN if self.ended else FreshnessClass.ACTIVE_RUN

    def entities(self, value: History) -> Sequence[Entity]:
        """The history, which counts by its footprint."""
        return (value,)


def last_by_step(history: History) -> dict[int, float]:
    """The value that was logged last at each step, by step, in their order; NaN where that was no number.

    It is how folds are logged: one value a step. MLflow keeps values that were logged at a step before.
    """
    order = np.lexsort((history.times, history.steps))  # stable: points of one time stay as they came
    return dict(zip(history.steps[order].tolist(), history.values[order].tolist(), strict=True))


def is_sorted(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> bool:
    """Whether the pairs are in order, by the first and then by the second."""
    earlier, later = first[:-1], first[1:]
    return bool(np.all((earlier < later) | ((earlier == later) & (second[:-1] <= second[1:]))))
