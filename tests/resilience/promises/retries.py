"""Promise 4: retries do not multiply an outage."""

import asyncio

from tests.api.serving import API
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.promises.figures import Figure, Figures
from tests.resilience.serving import serve

_SHARE = 1.1
_FLOOR = 10  # retries that a service makes that has seen no traffic
_CALLERS = 20


async def retries(*, requests: int = 1_000) -> Figures:
    """Cold reads of an MLflow that answers 503 to everything, with the breaker out of the way."""
    left = list(range(requests))
    async with FakeMlflow().serve() as fake, serve(fake.url, breaker=False) as service:
        fake.before = answering(503)

        async def caller() -> None:
            while left:
                async with service.client.get(f"{API}/runs/cold{left.pop()}") as response:
                    assert 502 == response.status

        await asyncio.gather(*(caller() for _ in range(_CALLERS)))
        hits = len(fake.calls)
        assert requests + service.transport.layers.retrying.retries == hits
    assert hits > requests  # some are retried
    return [Figure(f"upstream calls for {requests} requests", hits, _SHARE * requests + _FLOOR)]
