"""The end of a task that uses redis-py."""

from __future__ import annotations

import asyncio
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.1


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended.

    redis-py sends with asyncio.wait_for, in which a cancellation may get lost before Python 3.12
    (https://github.com/python/cpython/issues/86296).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()  # which nobody waits for any more
