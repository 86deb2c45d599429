"""A deploy drops no request: three replicas behind HAProxy, under a hundred callers, are replaced in turn.

ROLLING_ROUNDS=2 and ROLLING_DRAIN_SECONDS=5 make it longer: the shipped drain, and every replica twice.
"""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web

from service.http.server import SHUTDOWN_SECONDS
from tests.deploy.balancer import Balancer, balancing
from tests.deploy.callers import Authentication
from tests.deploy.names import name_server
from tests.deploy.replicas import Replica
from tests.fakes.faults import Hook
from tests.fakes.mlflow import FakeMlflow
from tests.live.server import free_port

pytestmark = pytest.mark.haproxy

ROUNDS = int(os.environ.get("ROLLING_ROUNDS", "1"))
DRAIN_SECONDS = float(os.environ.get("ROLLING_DRAIN_SECONDS", "1.5"))
REPLICAS = 3
CALLERS = 100
ANEW = 0.1
RUNS = 20
LATENCY_SECONDS = 0.1
# What is asked at SIGTERM is answered after the socket has closed; and who waits for two such answers, one
# after the other, still has them before the deadline.
SLOW_SECONDS = min(DRAIN_SECONDS + 1, 4.0)
AT_A_TIME = 300  # answers


class Deployment:
    """Replicas, the balancer in front of them, the MLflow behind them."""

    def __init__(self, replicas: list[Replica], balancer: Balancer, fake: FakeMlflow) -> None:
        self.replicas = replicas
        self.balancer = balancer
        self.callers = Authentication(balancer.url, list(fake.store.runs), ANEW)

    def said(self) -> str:
        """What the balancer and the replicas logged last."""
        return "\n".join(
            said[-4_000:] for said in (self.balancer.said(), *(one.said() for one in self.replicas))
        )


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """Three replicas that take requests. Every tenth question that reaches MLflow takes it very long."""
    port = free_port()
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeMlflow().serve())
        for number in range(RUNS):
            fake.add_run(metrics={"oos_sharpe": number / 10}, params={"window": str(number)})
        fake.latency = LATENCY_SECONDS
        fake.before = _sometimes_slow()
        names = await stack.enter_async_context(name_server())
        variables = {
            "MLFLOW_TRACKING_URI": fake.url,
            "TRACKING_DRAIN_SECONDS": f"{DRAIN_SECONDS:g}",
            # For the sake of an MLflow as slow as this one some would be refused, which is another promise.
            "TRACKING_UPSTREAM__MAX_IN_FLIGHT": str(CALLERS),
        }
        replicas = [Replica(number, port, names, tmp_path, variables) for number in range(1, REPLICAS + 1)]
        for replica in replicas:
            stack.push_async_callback(replica.close)
            await replica.start()
        # All callers have one address here.
        balancer = await stack.enter_async_context(
            balancing(tmp_path, names.address, port, RATE_LIMIT="1000000")
        )
        await balancer.has(REPLICAS)
        yield Deployment(replicas, balancer, fake)


def _sometimes_slow() -> Hook:
    asked = itertools.count()

    async def hook(request: web.Request) -> web.StreamResponse | None:
        if request.path.endswith("/runs/get") and next(asked) % 10 == 0:
            await asyncio.sleep(SLOW_SECONDS)
        return None

    return hook


async def test_replicas_replaced_in_turn(deployment: Deployment) -> None:
    """No caller notices: every answer is the right one, and every replica ends with 0 in bounded time."""
    callers, ends = deployment.callers, []
    async with callers.calling(CALLERS):
        for replica in deployment.replicas * ROUNDS:
            await callers.more(AT_A_TIME)
            replica.send(signal.SIGTERM)
            ends.append(await replica.ended(DRAIN_SECONDS + SHUTDOWN_SECONDS))
            await replica.start()
            await deployment.balancer.has(REPLICAS)
        await callers.more(AT_A_TIME)
    report(callers, [f"{seconds:.1f}" for _, seconds in ends])
    assert ([], []) == (callers.reads_failed, callers.compares_failed), deployment.said()
    assert [0] * REPLICAS * ROUNDS == [code for code, _ in ends], deployment.said()
    assert all(seconds >= DRAIN_SECONDS for _, seconds in ends)


async def test_a_replica_killed(deployment: Deployment) -> None:
    """A replica that dies in the midst of its answers fails no GET, and the others serve on."""
    callers = deployment.callers
    async with callers.calling(CALLERS):
        await callers.more(AT_A_TIME)
        await deployment.replicas[0].kill()
        await deployment.balancer.has(REPLICAS - 1)
        await callers.more(AT_A_TIME)
    report(callers, [])
    assert [] == callers.reads_failed, deployment.said()
    # A comparison only reads, too, and so is asked again like a GET.
    assert [] == callers.compares_failed, deployment.said()


def report(callers: Authentication, ends: list[str]) -> None:
    """The figures, for `pytest -rP`."""
    seconds = sorted(callers.seconds)
    p99 = seconds[len(seconds) * 99 // 100]
    print(f"{len(seconds)} answers, p99 {p99 * 1e3:.0f} ms, longest {seconds[-1]:.2f} s; ends (s): {ends}")
