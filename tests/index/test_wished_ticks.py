"""Ticks that callers of one replica wait for while another one makes them."""

import asyncio

import pytest

from service.errors import UpstreamError
from service.index.shared.progress import Failure, Tick
from service.index.shared.wished_ticks import WishedTicks


async def wished(ticks: WishedTicks, now: float) -> tuple[str, asyncio.Task[bool]]:
    """A tick that somebody waits for, and that is wished for at this moment: its token."""
    task = asyncio.create_task(ticks.made())
    await asyncio.sleep(0)
    return ticks.take(now)[-1], task


async def test_a_tick_is_one_for_all_that_were_wished_for_before() -> None:
    """Of many ticks the one that writes reports the last ones: they began after all earlier wishes."""
    ticks = WishedTicks()
    _, first = await wished(ticks, 0.0)
    token, second = await wished(ticks, 0.1)
    _, third = await wished(ticks, 0.2)
    ticks.tell([Tick(token)])
    assert (True, True) == (await first, await second)
    await asyncio.sleep(0)
    assert not third.done()
    ticks.give_up()
    assert await third is False


async def test_each_tick_has_a_failure_of_its_own() -> None:
    """Who was served by an earlier tick is not told of a later one's failure."""
    ticks = WishedTicks()
    before, first = await wished(ticks, 0.0)
    after, second = await wished(ticks, 0.1)
    ticks.tell([Tick(before), Tick(after, Failure("UpstreamError", "MLflow fails"))])
    assert await first
    with pytest.raises(UpstreamError, match="MLflow fails"):
        await second
    assert ticks.is_empty
