"""Long work gives way."""

import asyncio

from service.checkpoint import checkpoint


async def test_a_request_is_answered_between_two_turns() -> None:
    """What arrives during a turn is answered before the next: it wakes a connection, which makes a task."""
    happened: list[str] = []
    arrived = asyncio.get_running_loop().create_future()

    async def handler() -> None:
        happened.append("answered")

    async def connection() -> None:
        await arrived
        await asyncio.create_task(handler())

    waiting = asyncio.create_task(connection())
    await asyncio.sleep(0)
    for _ in range(2):
        happened.append("turn")
        if not arrived.done():
            asyncio.get_running_loop().call_soon(arrived.set_result, None)
        await checkpoint()
    await waiting
    assert ["turn", "answered", "turn"] == happened
