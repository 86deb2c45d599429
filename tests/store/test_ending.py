"""A task ends, whatever it does with its first cancellations."""

import asyncio

from service.store.ending import end


async def test_a_task_that_loses_a_cancellation_is_cancelled_again() -> None:
    """Where a cancellation got lost, the next one ends the task."""
    lost = 0

    async def losing() -> None:
        nonlocal lost
        while lost < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(losing())
    await asyncio.sleep(0)
    await end(task)
    assert (2, True) == (lost, task.cancelled())


async def test_a_task_that_failed_has_ended() -> None:
    """What a task failed with is no failure of its end."""

    async def failing() -> None:
        raise ValueError

    task = asyncio.create_task(failing())
    await asyncio.wait([task])
    await end(task)
    assert isinstance(task.exception(), ValueError)
