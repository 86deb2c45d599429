"""The service under test, in this process, with its insides at hand."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from service.cache.cached_source import CachedSource
from service.http.capacity import Capacity
from service.upstream.breaker import Breaker, Sign
from service.upstream.door import Door
from tests.api.serving import API, Client, serving

__all__ = ["API", "Clock", "Service", "serve"]


class Clock:
    """Seconds of the machine's clock, which a test may stop, and of which it may skip any number."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._stopped_at: float | None = None

    def __call__(self) -> float:
        return self._skipped + (time.monotonic() if self._stopped_at is None else self._stopped_at)

    def stop(self) -> None:
        """From now on only what is skipped passes."""
        self._stopped_at = time.monotonic()

    def run(self) -> None:
        """From now on, time passes as on the machine."""
        if self._stopped_at is not None:
            self._skipped -= time.monotonic() - self._stopped_at
            self._stopped_at = None

    def skip(self, seconds: float) -> None:
        self._skipped += seconds


class NeverOpens(Breaker):
    """A breaker out of the way."""

    def report(self, admission: int, sign: Sign, question: int) -> None:
        """What happens changes nothing."""


class Service(NamedTuple):
    """A client of the service, and the parts of it that a promise is about."""

    client: Client
    door: Door
    source: CachedSource
    capacity: Capacity
    clock: Clock

    @property
    def url(self) -> str:
        return str(self.client.make_url("/"))

    @property
    def is_idle(self) -> bool:
        """Whether nobody is answered and nothing is asked for."""
        gate = self.door.gate
        return (0, 0, 0) == (self.capacity.active, gate.in_flight, gate.waiting)


@asynccontextmanager
async def serve(mlflow_url: str, *, breaker: bool = True, **settings: Any) -> AsyncIterator[Service]:
    """The service over this MLflow, its clock in the test's hand; breaker: whether it has one."""
    async with serving(mlflow_url, **settings) as client:
        door, source, clock = client.service.door, client.service.source, Clock()
        if not breaker:
            door.breaker = NeverOpens(1, 1.0, clock)
        door._clock = door.breaker._clock = source._clock = clock
        yield Service(client, door, source, client.service.capacity, clock)
