"""Promise 3: what was read once is answered through an outage, and fresh soon after it."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tests.api.serving import API
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import starved
from tests.resilience.promises.figures import Figure, Figures, best_of
from tests.resilience.proxy import FaultProxy, forward, never_speak
from tests.resilience.serving import Service, serve

_DEADLINE = 1.0  # seconds
_GRACE = 0.2
_CALLERS = 20
_SOON = 2.0
_DOWN_STILL = 1.0
_OLD = 60.0  # nothing is fresh any more

Switch = Callable[[FaultProxy], Awaitable[None]]


async def killed(proxy: FaultProxy) -> None:
    await proxy.refuse()


async def revived(proxy: FaultProxy) -> None:
    await proxy.listen()


async def stopped(proxy: FaultProxy) -> None:
    await proxy.behave(never_speak)


async def continued(proxy: FaultProxy) -> None:
    await proxy.behave(forward)


async def outage(
    *,
    keys: int = 500,
    seconds: float = 600.0,
    steps: int = 6,
    down: Switch = killed,
    up: Switch = revived,
) -> Figures:
    """Callers read what is warm and what is not while MLflow is down, and go on when it is back."""
    async with FakeMlflow().serve() as fake, FaultProxy(fake.url) as proxy:
        warm = [f"/runs/{fake.add_run(name=str(number))}" for number in range(keys - 3)]
        warm += ["/runs", "/runs?limit=7", "/experiments"]
        settings: dict[str, Any] = {"deadline": _DEADLINE}
        async with serve(proxy.url, **settings) as service:

            async def recovery() -> Figures:
                service.clock.skip(_OLD)
                await down(proxy)
                seconds = await _until_fresh(service, warm, lambda: up(proxy))
                return [Figure("fresh again after", seconds, _SOON, " s")]

            service.clock.stop()
            assert {"200"} == set(await _read(service, warm))
            await down(proxy)
            colds: list[tuple[int, float]] = []
            for step in range(steps):
                service.clock.skip(seconds / steps)
                colds += [await _timed(service, f"/runs/cold{step}x{number}") for number in range(2)]
                statuses = Counter(await _read(service, warm))
                assert {"200 with Age"} == set(statuses), (step, statuses)
            service.clock.run()
            assert {status for status, _ in colds} <= {502, 503, 504}
            slowest = max(took for _, took in colds)
            figures = await best_of(3, recovery)
    return [
        Figure(f"answers to {steps * keys} warm reads that were not 200 with Age", 0, 0),
        Figure("slowest cold answer", slowest, _DEADLINE + _GRACE, " s"),
        *figures,
    ]


async def _read(service: Service, paths: Sequence[str]) -> list[str]:
    """The status of every path, asked for by several callers at once, and whether it has an Age."""
    left = list(reversed(paths))
    statuses: list[str] = []

    async def caller() -> None:
        while left:
            async with service.client.get(API + left.pop()) as response:
                age = int(response.headers.get("Age", "-1"))
                statuses.append(f"{response.status}{' with Age' if age > 0 else ''}")

    await asyncio.gather(*(caller() for _ in range(_CALLERS)))
    return statuses


async def _timed(service: Service, path: str) -> tuple[int, float]:
    began = _now()
    async with service.client.get(API + path) as response:
        await response.read()
        return response.status, _now() - began


async def _until_fresh(service: Service, paths: Sequence[str], up: Callable[[], Awaitable[None]]) -> float:
    """Seconds until the last key is fresh; they are read again and again, before MLflow is back and after."""
    fresh_at: dict[str, float] = {}

    async def caller(mine: Sequence[str]) -> None:
        while not fresh_at.keys() >= set(mine):
            for path in [one for one in mine if one not in fresh_at]:
                async with service.client.get(API + path) as response:
                    assert 200 == response.status, (path, await response.text())
                    if "stale" not in response.headers["Cache-Status"]:
                        fresh_at.setdefault(path, _now())
            await asyncio.sleep(0)

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for number in range(_CALLERS):
            group.create_task(caller(paths[number::_CALLERS]))
        await asyncio.sleep(_DOWN_STILL + random.random())  # at whatever moment of the pauses between tries
        assert not fresh_at
        began = _now()
        await up()
    return max(fresh_at.values()) - began


def _now() -> float:
    return time.perf_counter() - starved(os.getpid())
