"""Keeps the index of a replica in step: by wishes to the one that writes, unless that is this one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from math import inf
from typing import Final

from service.errors import StoreFailed
from service.index.shared.log import Deposed
from service.index.shared.replica import Replica
from service.index.shared.roles import Role
from service.index.shared.wished_ticks import WishedTicks
from service.index.shared.wishes import MakeTick, Outbox, encode
from service.index.upkeep import Upkeep, behind_callers
from service.tracking.runs import Run

log = logging.getLogger("service.index")

LOOK: Final = 0.5  # seconds between two looks at the log
_READ: Final = 0.25  # seconds that what others write is waited for, until there may be another move
_SEND: Final = 0.05  # seconds between two sendings of wishes


class SharedUpkeep(Upkeep):
    """What those who search the index of a replica ask for.

    clock: seconds, monotonic, as the index has it.
    """

    def __init__(self, replica: Replica, clock: Callable[[], float]) -> None:
        self.replica = replica
        self._own = replica.index.own
        self._runs = replica.runs
        self._clock = clock
        self._outbox = Outbox()
        self._ticks = WishedTicks()
        self._has_wishes = asyncio.Event()
        replica.ticks_made = self._ticks.tell
        replica.role_changed = self._role_changed
        replica.index.upkeep = self

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Share the index for as long as the context lasts."""
        doings = (self._look, self._move, self._work, self._send)
        tasks = [asyncio.create_task(_keep(one), context=behind_callers()) for one in doings]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.replica.writing.end()
            await self._own.end()
            await self.replica.resign()

    def searched(self) -> None:
        self._own.searched()
        if self._is_following:
            self._outbox.searched(self._clock())
            self._has_wishes.set()

    def show(self, run_ids: Sequence[str], before: float) -> None:
        if not self._is_following:
            self._own.show(run_ids, before)
            return
        self._outbox.verify(run_ids, before, self._clock())
        self._has_wishes.set()

    async def tick(self) -> None:
        while True:
            if self._is_following:
                self._has_wishes.set()
                if await self._ticks.made():
                    return
            else:
                try:
                    await self._own.tick()
                except Deposed:
                    self.replica.be_deposed()
                else:
                    return

    def passed(self, run: Run, asked: float) -> None:
        """A run passed by, as it was when it was asked for: where the index differs, it is to be verified.

        Whether it is newer than what the index has only the replica can tell that writes.
        """
        if self.replica.role is Role.ALONE:
            self._runs.put(run, asked)
            return
        known = self._runs.table.run(run.run_id)
        is_known = known == run or (known is None and run.is_deleted)
        if is_known or run.experiment_id not in self._runs.experiment_ids:
            return
        if asked >= (self._runs.table.asked_of(run.run_id) or -inf):
            self.show([run.run_id], asked)

    async def send(self) -> None:
        """Send what is wished for; what does not arrive is wished for again by whoever still needs it."""
        now = self._clock()
        for token in self._ticks.take(now):
            self._outbox.add(MakeTick(token))
        for wish in self._outbox.take(self.replica.ahead):
            try:
                await self.replica.shared.wish(encode(wish))
            except StoreFailed:
                return

    @property
    def _is_following(self) -> bool:
        return self.replica.role in {Role.FOLLOWING, Role.STARTING}

    def _role_changed(self) -> None:
        if not self._is_following:
            self._ticks.give_up()

    async def _look(self) -> None:
        await self.replica.look()
        await asyncio.sleep(LOOK)

    async def _move(self) -> None:
        self.replica.seen.clear()
        if not await self.replica.move(_READ):
            await self.replica.seen.wait()

    async def _work(self) -> None:
        await self._own.sleep(await self.replica.work())

    async def _send(self) -> None:
        if self._ticks.is_empty and self._outbox.is_empty:
            await self._has_wishes.wait()
        self._has_wishes.clear()
        await self.send()
        await asyncio.sleep(_SEND)


async def _keep(doing: Callable[[], Awaitable[None]]) -> None:
    """Do something again and again; a defect is logged, and does not end it."""
    while True:
        try:
            await doing()
        except Exception:
            log.exception("the shared index is not followed")
            await asyncio.sleep(LOOK)
