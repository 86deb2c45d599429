"""The ways through all runs or many of them that are open: page by page, and then what did not come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from service.index.asking import Asking
from service.index.indexed_runs import IndexedRuns
from service.index.schedule import Step
from service.index.windows import ACTIVE, END, Walk, after

_SPANS: Final = {Step.HOUR: 3_600_000, Step.DAY: 86_400_000}  # milliseconds


class Walks:
    """At most one way for each kind of step, which goes on until every run on it has been looked at.

    clock: seconds, monotonic. now: Unix epoch milliseconds.
    """

    def __init__(
        self, asking: Asking, runs: IndexedRuns, clock: Callable[[], float], now: Callable[[], int]
    ) -> None:
        self._asking = asking
        self._runs = runs
        self._clock = clock
        self._now = now
        self._open: dict[Step, Walk] = {}

    async def ended(self, step: Step) -> bool:
        """One call further through the runs that ended lately; whether the way is over."""
        since = self._now() - _SPANS[step]
        return await self._go_on(step, self._walk(step, lambda: Walk(*self._all(), (after(END, since),))))

    async def active(self) -> bool:
        """The same through those that have not ended."""
        return await self._go_on(Step.ACTIVE, self._walk(Step.ACTIVE, lambda: Walk(*self._all(), ACTIVE)))

    async def first(self, experiment_ids: tuple[str, ...]) -> Walk | None:
        """The same through all runs of these experiments; the way, once it is over."""
        walk = self._walk(Step.FIRST, lambda: Walk(experiment_ids, self._clock(), self._now()))
        return walk if await self._go_on(Step.FIRST, walk) else None

    async def sweep(self) -> Walk | None:
        """The same through all runs of all experiments."""
        walk = self._walk(Step.SWEEP, lambda: Walk(*self._all()))
        return walk if await self._go_on(Step.SWEEP, walk) else None

    def forget(self, *steps: Step) -> None:
        """Begin anew with the next call of these steps."""
        for step in steps:
            self._open.pop(step, None)

    def share_read(self, created: Mapping[str, int | None]) -> tuple[tuple[str, ...], float]:
        """Which experiments are being read for the first time, and how much of them has been, 0.0 to 1.0.

        created: when experiments were created, in Unix epoch milliseconds, where that is known.
        """
        walk = self._open.get(Step.FIRST)
        if walk is None:
            return (), 0.0
        if walk.upto is None:
            return walk.experiment_ids, 0.0
        known = [created.get(one) for one in walk.experiment_ids]
        first = min((time for time in known if time is not None), default=walk.upto)
        span = walk.began_ms - first
        share = min(max((walk.began_ms - walk.upto) / span, 0.0), 0.99) if span > 0 else 0.0
        return walk.experiment_ids, share

    def _all(self) -> tuple[tuple[str, ...], float, int]:
        return self._runs.experiment_ids, self._clock(), self._now()

    def _walk(self, step: Step, new: Callable[[], Walk]) -> Walk:
        walk = self._open.get(step)
        if walk is None:
            walk = self._open[step] = new()
        return walk

    async def _go_on(self, step: Step, walk: Walk) -> bool:
        """One call further; whether the way is over."""
        if self._asking.doubts:
            await self._asking.settle()
        elif not walk.is_done:
            await self._asking.walk(walk)
            if walk.is_done:
                self._asking.doubt(self._runs.asked_before(self._expected(step, walk), walk.began))
        if not walk.is_done or self._asking.doubts:
            return False
        del self._open[step]
        return True

    def _expected(self, step: Step, walk: Walk) -> list[str]:
        """The runs of the index that should have come by now, beside those of complete windows."""
        if step in _SPANS:
            return self._runs.table.ended_since(walk.experiment_ids, walk.began_ms - _SPANS[step])
        return self._runs.table.active_ids() if step is Step.ACTIVE else []
