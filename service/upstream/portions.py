"""How much of a list MLflow is asked for at once."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

_MOST_LISTS = 1_000
_FEWER = 4  # times, after an answer that was too large or too slow
_QUICK = 0.25  # seconds of an answer that shows that much more can be had
_SLOW = 2.0
_PAUSE = 60.0  # seconds between two tries with more, where it is not that plain


class Portions:
    """For each list as many as are wanted, unless that was too large or too slow: then a quarter of it.

    What worked is where the next question about the list begins, and grows again: at once where answers come
    quickly and are small, else twofold a minute. largest: bytes of one answer. clock: seconds, monotonic.
    """

    def __init__(self, largest: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._largest = largest
        self._clock = clock
        self._most: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()  # and since when

    def of(self, key: Hashable, wanted: int) -> int:
        """How many to ask for."""
        most, _ = self._most.get(key, (wanted, 0.0))
        return min(most, wanted)

    def were_too_much(self, key: Hashable, asked: int) -> int:
        """So many at once were too large or too slow; how many to ask for instead."""
        fewer = max(1, asked // _FEWER)
        self._keep(key, fewer)
        return fewer

    def went_well(self, key: Hashable, came: int, seconds: float, size: int) -> None:
        """So many came at once, in so many seconds and bytes."""
        most, since = self._most.get(key, (0, 0.0))
        if came < most or not most:
            return
        if seconds < _QUICK and size < self._largest // (4 * _FEWER):
            self._keep(key, most * _FEWER)
        elif self._clock() - since > _PAUSE and seconds < _SLOW and size < self._largest // _FEWER:
            self._keep(key, most * 2)

    def _keep(self, key: Hashable, most: int) -> None:
        self._most[key] = most, self._clock()
        self._most.move_to_end(key)
        if len(self._most) > _MOST_LISTS:
            self._most.popitem(last=False)
