"""Replicas of the service over the fake MLflow, with or without a store that they share."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from tests.bench.machine import allow_connections
from tests.deploy.balancer import Balancer, balancing, until
from tests.deploy.names import name_server
from tests.deploy.replicas import Replica
from tests.fakes.mlflow import FakeMlflow
from tests.fleet.calling import Caller, calling
from tests.fleet.peers import owner
from tests.live.server import free_port

REPLICAS = 3
CONNECTIONS = 3_000  # of callers, at both of their ends
_START_SECONDS = 60.0
_NONE: Mapping[str, str] = {}
_SETTINGS = {
    "TRACKING_AUTH__MODE": "none",
    "TRACKING_CREATE_EXPERIMENT": "false",
    "TRACKING_DRAIN_SECONDS": "1.5",
    "TRACKING_INDEX__ENABLED": "false",  # which asks MLflow by itself
    "TRACKING_MAX_REQUESTS": "2000",
}
MOST_IN_FLIGHT = 24  # calls of MLflow by all replicas together
_OF_A_STORE = {
    "TRACKING_STORE__MAX_IN_FLIGHT": str(MOST_IN_FLIGHT),
    # Where calls are counted, a machine that does other things is no store that is slow.
    "TRACKING_STORE__PATIENCE": "1",
}


class Call(NamedTuple):
    """A call of MLflow: when, by the machine's clock, of what, and by which process."""

    at: float
    endpoint: str
    pid: int | None


class Fleet:
    """replicas: of the service, all over `fake`. balancer: in front of them, if there is one."""

    def __init__(
        self, fake: FakeMlflow, replicas: list[Replica], caller: Caller, balancer: Balancer | None
    ) -> None:
        self.fake = fake
        self.replicas = replicas
        self.caller = caller
        self._balancer = balancer
        self._unasked = itertools.count()

    @property
    def balancer(self) -> Balancer:
        """The balancer, of a fleet that has one."""
        assert self._balancer is not None
        return self._balancer

    @property
    def urls(self) -> list[str]:
        """Where each replica answers."""
        return [replica.url for replica in self.replicas]

    def calls(self) -> Counter[str]:
        """How often MLflow was asked, by endpoint; its health is no call."""
        return Counter(call.endpoint for call in self.fake.calls if call.endpoint != "health")

    def said(self) -> str:
        """What the replicas logged last."""
        return "\n".join(replica.said()[-3_000:] for replica in self.replicas)

    async def has_started(self, replica: Replica) -> float:
        """Seconds until a replica takes requests, and has asked MLflow all that a start asks."""
        began = time.monotonic()

        async def ready() -> bool:
            is_ready = await self.caller.status(f"{replica.url}/readyz") == 200
            return is_ready and replica.has_welcomed()

        await until(ready, f"{replica.url} is ready", _START_SECONDS, replica.said)
        return time.monotonic() - began

    async def shares(self) -> bool:
        """Whether a run that was never asked for costs one call, whichever replica is asked."""
        run_id = self.fake.add_run(metrics={"unasked": float(next(self._unasked))})
        before = self.fake.count("runs/get")
        for url in self.urls:
            await self.caller.run(url, run_id)
        return self.fake.count("runs/get") == before + 1

    async def seconds_until_it_shares(self, within: float = 15.0) -> float:
        """Seconds until all replicas share answers."""
        began = time.monotonic()
        await until(self.shares, "the replicas share answers", within, self.said)
        return time.monotonic() - began

    @asynccontextmanager
    async def calls_noted(self) -> AsyncIterator[list[Call]]:
        """The calls of MLflow with the process that makes each, while the context lasts."""
        calls: list[Call] = []
        before = self.fake.before

        async def note(request: web.Request) -> web.StreamResponse | None:
            assert request.transport is not None
            port = request.transport.get_extra_info("peername")[1]
            pid = owner(port, [replica.pid for replica in self.replicas])
            if not await _is_of_a_start(request):
                calls.append(Call(time.monotonic(), request.path.partition("/mlflow/")[2], pid))
            return None if before is None else await before(request)

        self.fake.before = note
        try:
            yield calls
        finally:
            self.fake.before = before


async def _is_of_a_start(request: web.Request) -> bool:
    """Whether it asks for the few runs that a service shows when it starts."""
    return request.path.endswith("/runs/search") and (await request.json()).get("max_results") == 3


@asynccontextmanager
async def fleet(
    directory: Path,
    fake: FakeMlflow,
    store_url: str | None,
    *,
    replicas: int = REPLICAS,
    is_balanced: bool = False,
    settings: Mapping[str, str] = _NONE,
) -> AsyncIterator[Fleet]:
    """Replicas that take requests. settings: more of each, by the variable's name after TRACKING_."""
    allow_connections(4 * CONNECTIONS)
    port = free_port()
    variables = {"MLFLOW_TRACKING_URI": fake.url, **_SETTINGS}
    if store_url is not None:
        variables["TRACKING_STORE__URL"] = store_url
        variables |= _OF_A_STORE
    variables |= {f"TRACKING_{name}": value for name, value in settings.items()}
    async with AsyncExitStack() as stack:
        names = await stack.enter_async_context(name_server())
        some = [Replica(number, port, names, directory, variables) for number in range(1, replicas + 1)]
        for replica in some:
            stack.push_async_callback(replica.close)
            await replica.start()
        balancer = None
        if is_balanced:
            balancer = await stack.enter_async_context(
                balancing(directory, names.address, port, RATE_LIMIT="1000000", MAX_CALLERS=str(CONNECTIONS))
            )
        caller = await stack.enter_async_context(calling())
        all_of_them = Fleet(fake, some, caller, balancer)
        await asyncio.gather(*map(all_of_them.has_started, some))
        if balancer is not None:
            await balancer.has(replicas)
        yield all_of_them
