"""People who look at runs: mostly at what they have seen before, now and then at something new."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

from tests.api.serving import API

_PAUSE = 0.15  # seconds between two questions of a person's, on average
_NEW = 0.15  # of the questions


def _known(runs: Sequence[str]) -> list[tuple[str, Any]]:
    lists = [f"/runs{query}" for query in ("", "?limit=5", "?run_type=training", "?run_type=backtest")]
    details = [f"/runs/{run}{part}" for run in runs for part in ("", "/metrics", "/params")]
    compared = [{"run_ids": list(runs[start : start + 4])} for start in range(0, len(runs) - 4, 5)]
    asked = [*lists * 10, *details, *["/experiments"] * 5]
    return [(path, None) for path in asked] + [("/runs/compare", body) for body in compared]


@asynccontextmanager
async def browsing(url: str, key: str, runs: Sequence[str], people: int) -> AsyncIterator[None]:
    """This many people browse these runs until the context ends; some ask what is not cached."""
    known = _known(runs)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(url, headers={"X-API-Key": key}, timeout=timeout) as session:

        async def ask(path: str, body: Any) -> None:
            method = "GET" if body is None else "POST"
            async with session.request(method, API + path, json=body) as response:
                await response.read()

        async def person() -> None:
            while True:
                if random.random() < _NEW:
                    await ask(f"/runs?strategy_id=new-{random.getrandbits(64):x}", None)
                else:
                    await ask(*random.choice(known))
                await asyncio.sleep(random.expovariate(1 / _PAUSE))

        everybody = asyncio.gather(*(person() for _ in range(people)))
        try:
            yield
        finally:
            everybody.cancel()
            with suppress(asyncio.CancelledError):
                await everybody
