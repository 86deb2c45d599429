"""Readers of a fleet at a steady rate: of what is known, of lists, and of what nobody has asked for yet."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.fleet.calling import Reply
from tests.fleet.fleet import Fleet
from tests.resilience.measure import quantile

_CALLERS = 12
_PAUSE_SECONDS = 0.2
_LIST, _UNASKED = 0.15, 0.25  # of the questions
_AT_ONCE = 100


class Load:
    """replies: with what is wrong with each, if anything is. known: runs that all replicas have."""

    def __init__(self, fleet: Fleet, known: Sequence[str]) -> None:
        self.replies: list[tuple[Reply, str]] = []
        self._fleet = fleet
        self._known = known
        self._places = itertools.cycle(range(len(fleet.replicas)))
        self._unasked = itertools.count()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read while the context lasts."""
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in range(_CALLERS):
                group.create_task(self._read(random.Random(number), done))
            yield
            done.set()

    async def burst(self) -> None:
        """Ask for a hundred runs at once that nobody has asked for yet."""
        await asyncio.gather(*(self._ask_for(self._new()) for _ in range(_AT_ONCE)))

    def wrong(self) -> list[str]:
        """What was wrong, each kind once."""
        return sorted({wrong for _, wrong in self.replies if wrong})

    def p99(self, since: float, until: float) -> float:
        """Of the seconds that answers took that were asked for between two moments."""
        seconds = [reply.seconds for reply, _ in self.replies if since <= reply.began < until]
        return quantile(seconds, 0.99)

    async def _read(self, dice: random.Random, done: asyncio.Event) -> None:
        while not done.is_set():
            match dice.random():
                case chance if chance < _LIST:
                    await self._list(dice.choice((10, 20)))
                case chance if chance < _LIST + _UNASKED:
                    await self._ask_for(self._new())
                case _:
                    await self._ask_for(dice.choice(self._known))
            await asyncio.sleep(dice.uniform(0, 2 * _PAUSE_SECONDS))

    def _new(self) -> str:
        return self._fleet.fake.add_run(metrics={"number": float(next(self._unasked))}, start_time=0)

    def _url(self) -> str:
        return self._fleet.urls[next(self._places)]

    async def _ask_for(self, run_id: str) -> None:
        reply = await self._fleet.caller.run(self._url(), run_id)
        self._note(reply, reply.status == 200 and reply.body["run_id"] == run_id)

    async def _list(self, limit: int) -> None:
        reply = await self._fleet.caller.ask(self._url(), f"/runs?limit={limit}")
        self._note(reply, reply.status == 200 and len(reply.body["runs"]) == limit)

    def _note(self, reply: Reply, is_right: bool) -> None:
        wrong = "" if is_right else f"{reply.status} {str(reply.body)[:300]}"
        self.replies.append((reply, wrong))


async def until(moment: float) -> None:
    """Wait until this moment of the machine's clock."""
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
