"""Slots of which there may be more or fewer while they are used."""

from __future__ import annotations

import asyncio
from collections import deque


class Slots:
    """A semaphore whose number can be changed; who waits gets a slot in the order of asking.

    Where the number falls below what is taken, nobody gets one until enough have been given back.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def locked(self) -> bool:
        """Whether every slot is taken, or promised to somebody who waits."""
        return self._taken >= self._number or any(not turn.cancelled() for turn in self._waiting)

    def resize(self, number: int) -> None:
        """There are so many from now on."""
        self._number = number
        self._hand_out()

    async def acquire(self) -> None:
        """Take a slot, once there is one."""
        if not self.locked():
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was given a slot in the same moment
                self.release()
            raise

    def release(self) -> None:
        """Give a slot back."""
        self._taken -= 1
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self._taken < self._number:
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
