"""A source with a memory in front of it, and the clock that both live by."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from service.cache.cached_source import CachedSource
from tests.cache.fleet import Fleet, fleet_of
from tests.cache.scripted import Clock, ScriptedSource, caching
from tests.tracking.values import make_run


@pytest.fixture
def clock() -> Clock:
    """The time, which stands still."""
    return Clock()


@pytest.fixture
def source() -> ScriptedSource:
    """Runs "done" and "running", the latter started last."""
    return ScriptedSource(
        make_run("done", start_time=1), make_run("running", status="RUNNING", start_time=2, end_time=None)
    )


@pytest.fixture
async def cached(source: ScriptedSource, clock: Clock) -> AsyncIterator[CachedSource]:
    """That source, remembered."""
    async with aclosing(caching(source, clock)) as one:
        yield one


@pytest.fixture
async def fleet(source: ScriptedSource, clock: Clock) -> AsyncIterator[Fleet]:
    """Three replicas over that source."""
    async with fleet_of(3, clock, source) as three:
        yield three
