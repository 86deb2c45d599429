"""How many entries of a list MLflow is asked for at once."""

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
    """How many entries to ask for, by list: all that a caller needs, until that is too large or too slow.

    Then it is a quarter of that. It is kept for the next question about the list, and grows again: at once
    where answers are quick and small, else twofold a minute. largest: bytes of one answer. clock: seconds,
    monotonic.
    """

    def __init__(self, largest: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._largest = largest
        self._clock = clock
        self._most: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()  # and since when

    def of(self, key: Hashable, number: int) -> int:
        """How many to ask for, of the `number` that the caller needs."""
        most, _ = self._most.get(key, (number, 0.0))
        return min(most, number)

    def were_too_much(self, key: Hashable, number: int) -> int:
        """Note that so many were too large or too slow; how many to ask for instead."""
        fewer = max(1, number // _FEWER)
        self._keep(key, fewer)
        return fewer

    def went_well(self, key: Hashable, number: int, seconds: float, size: int) -> None:
        """Note that so many came at once, in this time and this size in bytes."""
        most, since = self._most.get(key, (0, 0.0))
        if number < most or not most:
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
