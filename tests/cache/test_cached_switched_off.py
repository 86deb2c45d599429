"""What is switched off: windows of freshness at 0, and a memory without room."""

import asyncio
from contextlib import aclosing

import pytest

from service.cache.cached_source import CachedSource
from service.cache.memory import Memory
from service.errors import UpstreamError
from service.http.cache_status import cache_status
from service.tracking.questions import GetExperiment, GetRun, ListRuns
from tests.cache.scripted import (
    FRESHNESS,
    NEVER_FRESH,
    Clock,
    ScriptedSource,
    caching,
    compared,
    gets,
    landed,
    settle,
)

LIST = ListRuns("0", None, None, 2)


async def test_without_windows_every_question_is_asked(source: ScriptedSource, clock: Clock) -> None:
    """With all windows at 0 each question is a call, be it asked at the very same moment."""
    async with aclosing(caching(source, clock, NEVER_FRESH)) as cached:
        for _ in range(3):
            assert "fwd=" in cache_status(await cached.answer(GetRun("done")))
            await cached.answer(LIST)
            await cached.answer(GetExperiment("Default"))
            await compared(cached, ["done", "running"])
    expected = [GetRun("done"), LIST, GetExperiment("Default"), gets("done", "running")]
    assert expected * 3 == [call.asked for call in source.calls]


async def test_without_windows_those_at_once_share(source: ScriptedSource, clock: Clock) -> None:
    """With all windows at 0 those who ask while the same is in the air still share it."""
    async with aclosing(caching(source, clock, NEVER_FRESH)) as cached:
        source.holds = True
        callers = [asyncio.create_task(cached.answer(GetRun("done"))) for _ in range(10)]
        [call] = await source.until_asked(1)
        await settle()
        call.answer()
        assert [source.stored["done"]] * 10 == [answer.value for answer in await asyncio.gather(*callers)]
        assert [call] == source.calls


async def test_without_windows_a_failure_is_told(source: ScriptedSource, clock: Clock) -> None:
    """With all windows at 0 no old answer bridges a failure, and it is asked again at once."""
    async with aclosing(caching(source, clock, NEVER_FRESH)) as cached:
        await cached.answer(GetRun("done"))
        source.fails = UpstreamError("told to fail")
        for _ in range(2):
            with pytest.raises(UpstreamError):
                await cached.answer(GetRun("done"))
    assert 3 == len(source.calls)


@pytest.mark.parametrize(
    ("window", "age", "expected"),
    [
        ("revalidate_factor", 32, "fwd=stale"),
        ("stale_if_error", 192, "error"),
        ("missing_ttl", 0, "fwd=stale"),
    ],
)
async def test_one_window_at_0(
    source: ScriptedSource, clock: Clock, window: str, age: float, expected: str
) -> None:
    """At 0, one window is switched off: no renewal behind the back, no bridge, no word on gaps."""
    run_id = "nobody" if window == "missing_ttl" else "done"
    async with aclosing(caching(source, clock, FRESHNESS._replace(**{window: 0.0}))) as cached:
        await cached.answer(GetRun(run_id))
        clock.tick(age)
        if expected == "error":
            source.fails = UpstreamError("told to fail")
            with pytest.raises(UpstreamError):
                await cached.answer(GetRun(run_id))
        else:
            assert expected == cache_status(await cached.answer(GetRun(run_id)))
    assert 2 == len(source.calls)


async def test_what_may_be_renewed_may_bridge(source: ScriptedSource, clock: Clock) -> None:
    """Without stale-if-error an answer still bridges failures for as long as it is given while renewed."""
    async with aclosing(caching(source, clock, FRESHNESS._replace(stale_if_error=0.0))) as cached:
        old = (await cached.answer(GetRun("done"))).value
        source.fails = UpstreamError("told to fail")
        for seconds in (100, 0.5, 91.25):
            clock.tick(seconds)
            assert old == (await cached.answer(GetRun("done"))).value
            await landed(cached)
        clock.tick(1)
        with pytest.raises(UpstreamError):
            await cached.answer(GetRun("done"))


async def test_without_room_every_question_is_asked(source: ScriptedSource, clock: Clock) -> None:
    """A memory of no bytes changes how often is asked, not what is answered."""
    async with aclosing(CachedSource(source, Memory(0), FRESHNESS, clock)) as cached:
        for _ in range(2):
            assert source.stored["done"] == (await cached.answer(GetRun("done"))).value
            assert ["running", "done"] == [run.run_id for run in (await cached.answer(LIST)).value]
            assert [None, "done"] == [
                run and run.run_id for run in (await compared(cached, ["nobody", "done"])).value
            ]
    assert 6 == len(source.calls)
