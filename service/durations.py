"""Durations counted by how long they were: what Prometheus calls a histogram.

In a plain list: the locks of a metrics library's histogram cost a request more than all else that is counted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


class Durations:
    """How many durations lie between bounds, and their sum; all in seconds. Not for several threads."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Each bound, in Prometheus's words, and how many were no longer than that."""
        return list(zip([*map(str, self._bounds), "+Inf"], accumulate(self._counts), strict=True))
