"""A histogram of durations, as Prometheus defines it.

The counts are in a plain list, because the locks in the histogram of a metrics library would cost a request
more than everything else that is counted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


class Durations:
    """A histogram of durations in seconds: their counts between bounds, and their sum. Not thread-safe."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count a duration."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return each bound as Prometheus writes it, with the number of durations up to that bound."""
        return list(zip([*map(str, self._bounds), "+Inf"], accumulate(self._counts), strict=True))
