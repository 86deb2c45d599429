"""How late the event loop is, by a clock in the test's hand."""

import asyncio
from collections.abc import Sequence

import pytest

from service.telemetry.loop_lag import LoopLag


class Sleeper:
    """A clock, and a sleep that comes back so many seconds late, once for each, and then never again."""

    def __init__(self, lags: Sequence[float]) -> None:
        self._lags = iter(lags)
        self._now = 100.0
        self.done = asyncio.Event()

    def clock(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        late = next(self._lags, None)
        if late is None:
            self.done.set()
            await asyncio.Event().wait()
        else:
            self._now += seconds + late


async def watched(*lags: float) -> LoopLag:
    """What was noted of an event loop that was so late, once for each."""
    sleeper = Sleeper(lags)
    lag = LoopLag(sleeper.clock, sleeper.sleep)
    async with lag.watched():
        await sleeper.done.wait()
    return lag


async def test_counts_lags() -> None:
    """Each measurement is counted by how late the timer was; one that is early is not late."""
    lag = await watched(0.0, -0.01, 0.02, 0.3)
    counted = dict(lag.durations.buckets())
    assert (2, 2, 3, 3, 4) == tuple(counted[bound] for bound in ("0.001", "0.01", "0.025", "0.25", "0.5"))
    assert 4 == counted["+Inf"]


async def test_forgets_the_longest_lag() -> None:
    """The longest lag is shown while it is one of the last half minute, and forgotten after two."""
    assert 0.0 == (await watched()).longest
    assert 0.5 == round((await watched(0.5, 0.1)).longest, 3)
    assert 40.0 == round((await watched(40.0, 0.1)).longest, 3)
    assert 31.0 == round((await watched(40.0, 0.1, 31.0, 31.0, 0.2)).longest, 3)
    assert 0.2 == round((await watched(5.0, *[0.2] * 300)).longest, 3)


async def test_it_ends_with_the_application() -> None:
    """Nothing is left running once the application is closed."""
    before = asyncio.all_tasks()
    await watched(0.1)
    assert before == asyncio.all_tasks()


@pytest.mark.thorough
async def test_notices_a_blocked_loop() -> None:
    """A lag is measured while something blocks the event loop."""
    lag = LoopLag()
    async with lag.watched():
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(20):
            while lag.longest < 0.05:
                end = loop.time() + 0.2
                while loop.time() < end:
                    pass
                await asyncio.sleep(0)
    assert dict(lag.durations.buckets())["+Inf"] >= 1
