"""The trials of a strategy: all runs in which somebody tried something. Pure."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.tracking.runs import Run
from service.tracking.search.queries import IndexStatus

MOST_TRIALS: Final = 5_000

# MLflow keeps an infinite value as this one (mlflow/store/tracking/sqlalchemy_store.py).
_INFINITY: Final = sys.float_info.max


class Trials(msgspec.Struct, frozen=True, gc=False):
    """The runs of a strategy. runs: those that are there, newest first. deleted: those that were deleted.

    index: how fresh `runs` is. deleted_reason: why deleted runs are not all known; None where they are.
    """

    runs: tuple[Run, ...]
    deleted: tuple[Run, ...]
    index: IndexStatus
    deleted_reason: str | None = None

    @property
    def all(self) -> tuple[Run, ...]:
        """All runs: those that are there, then the deleted ones."""
        return self.runs + self.deleted

    @property
    def statuses(self) -> Mapping[str, int]:
        """How many runs have each status, the deleted ones included."""
        return Counter(run.status for run in self.all)

    def values(self, metric: str) -> NDArray[np.float64]:
        """The metric of each of `all`, in their order; NaN where a run has no finite value of it."""
        values = np.array([_number(run.metrics.get(metric)) for run in self.all], np.float64)
        values[~(np.abs(values) < _INFINITY)] = np.nan
        return values

    def configurations(self) -> NDArray[np.intp]:
        """The configuration of each of `all`: equal numbers where all parameters are equal texts.

        The numbers count from 0 in the order of their first runs. A run that logged no parameters is a
        configuration of its own: nobody can tell what it tried.
        """
        numbers: dict[object, int] = {}
        return np.array(
            [
                numbers.setdefault(frozenset(run.params.items()) if run.params else run.run_id, len(numbers))
                for run in self.all
            ],
            np.intp,
        )


def _number(value: float | None) -> float:
    return np.nan if value is None else value
