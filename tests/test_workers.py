"""Threads for long work."""

import asyncio
import threading

import pytest

from service.workers import Workers


async def test_work_runs_in_another_thread_and_its_result_comes_back() -> None:
    """The event loop's thread is free meanwhile."""
    async with Workers() as workers:
        assert threading.get_ident() != await workers.run(threading.get_ident)


async def test_what_the_work_raises_reaches_the_caller() -> None:
    """An error is not lost in the thread."""

    def divide() -> float:
        return 1 / 0

    async with Workers() as workers:
        with pytest.raises(ZeroDivisionError):
            await workers.run(divide)


async def test_work_whose_caller_left_before_it_began_is_not_done() -> None:
    """A caller who hangs up costs no thread."""
    gate, done = threading.Event(), list[str]()
    async with Workers(most=1) as workers:
        first = asyncio.create_task(workers.run(gate.wait))
        second = asyncio.create_task(workers.run(lambda: done.append("second")))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.set()
        await first
    assert [] == done
