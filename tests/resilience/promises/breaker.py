"""Promise 5: an MLflow that is ill is soon left alone, and soon found to be well again."""

import asyncio
import os
import time

from tests.api.serving import API
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import eventually, quantile, starved
from tests.resilience.promises.figures import Figure, Figures, best_of
from tests.resilience.serving import serve

_CALLERS = 50
_MOST_FAILURES = 20
_MOST_SECONDS = 1.0
_PROMPT = 0.02  # seconds
_INTERVAL = 0.4  # seconds between two probes
_GOOD_PROBES = 2


async def breaker(*, intervals: int = 4, answers: int = 200) -> Figures:
    """Many callers, an MLflow that fails and then does not: what it is asked meanwhile."""
    own, upstream = os.getpid(), {"breaker_interval": _INTERVAL}
    async with FakeMlflow().serve() as fake, serve(fake.url, upstream=upstream) as service:
        _, _, state, limit, _ = service.transport.layers
        number, is_over = 0, False
        fake.before = answering(500)

        async def ask() -> int:
            nonlocal number
            number += 1
            async with service.client.get(f"{API}/runs/cold{number}") as response:
                await response.read()
                return response.status

        async def prompt() -> Figures:
            times: list[float] = []
            while len(times) < answers:
                began, before = time.perf_counter() - starved(own), len(fake.calls)
                status = await ask()
                assert 503 == status
                if before == len(fake.calls):  # no probe was under way
                    times.append(time.perf_counter() - starved(own) - began)
            return [Figure("answer while open, p99", quantile(times, 0.99), _PROMPT, " s")]

        async def caller() -> None:
            while not is_over:
                await ask()

        began = time.perf_counter()
        callers = [asyncio.create_task(caller()) for _ in range(_CALLERS)]
        await eventually(lambda: state.state != "closed", lambda: "the breaker stays closed")
        opened_after = time.perf_counter() - began
        failures = len(fake.calls)
        # Both sides: what the service has sent, a busy machine may bring to MLflow some time later.
        await eventually(
            lambda: 0 == limit.in_flight == fake.in_flight,
            lambda: "calls are under way",
        )

        before, began = len(fake.calls), time.perf_counter()
        fake.max_in_flight = 0
        await eventually(
            lambda: intervals <= len(fake.calls) - before, lambda: "nobody probes", 5 * intervals * _INTERVAL
        )
        probed, taken = len(fake.calls) - before, time.perf_counter() - began
        assert 1 == fake.max_in_flight
        is_over = True
        await asyncio.gather(*callers)
        figures = await best_of(3, prompt)

        fake.before = None
        before = len(fake.calls)
        assert 503 == await ask()
        await eventually(lambda: "closed" == state.state, lambda: "it stays open")
        assert _GOOD_PROBES == len(fake.calls) - before
        assert 404 == await ask()
    within = Figure("failures until it opens", failures, _MOST_FAILURES)
    if not within.is_kept:
        within = Figure("time until it opens", opened_after, _MOST_SECONDS, " s")
    figures = [within, *figures, Figure("probes an interval", probed / (taken / _INTERVAL + 1), 1)]
    assert all(figure.is_kept for figure in figures), list(map(str, figures))
    return figures
