"""The layers that count: what became of each attempt, and how long MLflow took."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import TypeVar

from service.durations import Durations
from service.errors import UpstreamFailure
from service.upstream.call import Call, Transport
from service.upstream.failures import classify

T = TypeVar("T")

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Counting:
    """Counts attempts, those that are held back included. outcomes: by endpoint and outcome."""

    def __init__(self, inner: Transport, outcomes: Counter[tuple[str, str]]) -> None:
        self._inner = inner
        self.outcomes = outcomes

    async def send(self, call: Call[T]) -> T:
        """The answer of the inner layer, counted."""
        outcome = "cancelled"
        try:
            value = await self._inner.send(call)
            outcome = "ok"
        except UpstreamFailure as error:
            _, outcome = classify(error)
            raise
        finally:
            self.outcomes[call.endpoint, outcome] += 1
        return value


class Timing:
    """Measures how long MLflow takes, whatever becomes of the attempt. durations: by endpoint."""

    def __init__(self, inner: Transport, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._clock = clock
        self.durations: defaultdict[str, Durations] = defaultdict(lambda: Durations(BOUNDS))

    async def send(self, call: Call[T]) -> T:
        """The answer of the inner layer, timed."""
        start = self._clock()
        try:
            return await self._inner.send(call)
        finally:
            self.durations[call.endpoint].add(self._clock() - start)
