"""However replicas that share a store are asked, no answer is older than one replica's may be."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from service.tracking.runs import Run
from tests.cache.fleet import Fleet
from tests.cache.test_freshness_machine import FRESHNESS, LOAD, FreshnessMachine

_ROUNDING = 1e-4  # seconds: the store's times are whole microseconds


class SharedFreshnessMachine(FreshnessMachine):
    """The machine of one replica, over three, of which each question goes to one."""

    def __init__(self) -> None:
        super().__init__()
        self.loop.run_until_complete(self.cached.aclose())
        self.loop.run_until_complete(self.start())
        self.cached = self.fleet.replicas[0].cached

    async def start(self) -> None:
        """Three replicas, whose leases last longer than calls."""
        self.fleet = Fleet(self.clock, self.source, FRESHNESS)
        self.fleet.server.lease = 1_000.0
        for _ in range(3):
            self.fleet.add()

    @rule(place=st.integers(0, 2))
    def turn(self, place: int) -> None:
        """The next questions go to this replica."""
        self.cached = self.fleet.replicas[place].cached

    @rule(seconds=st.sampled_from([0.5, 1, 2, 4, 8, 16, 45]))
    def tick(self, seconds: float) -> None:
        """Time passes in steps, so that whoever waits for some seconds does not wait longer."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            self.clock.tick(min(0.25, until - self.clock.now))
            while self.in_the_air and self.in_the_air[0][0] + LOAD <= self.clock.now:
                self.release(self.in_the_air[0])
            self.go_on()

    def was_true(
        self, value: Any, look: Callable[[dict[str, Run]], Any], earliest: float, latest: float
    ) -> bool:
        """The same, by the store's clock."""
        return super().was_true(value, look, earliest - _ROUNDING, latest + _ROUNDING)

    @invariant()
    def nothing_is_asked_twice_at_once(self) -> None:
        """Before MLflow has failed; an error is not shared, so then each replica may ask by itself."""
        asked = Counter[object]()
        for _, call in self.in_the_air:
            asked.update(call.asked if isinstance(call.asked, tuple) else [call.asked])
        assert max(asked.values(), default=0) <= (1 if self.failed_at < 0 else len(self.fleet.replicas))

    def teardown(self) -> None:
        self.is_failing = False
        while self.in_the_air or self.waiting:
            while self.in_the_air:
                self.release(self.in_the_air[0])
            self.clock.tick(0.25)
            self.go_on()
        self.loop.run_until_complete(self.fleet.aclose())
        self.loop.close()


SharedFreshnessMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestSharedFreshness = SharedFreshnessMachine.TestCase
