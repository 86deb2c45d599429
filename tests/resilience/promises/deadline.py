"""Promise 1: a request is answered in time though MLflow never answers, and leaves nothing behind (and 7)."""

import asyncio
from collections import Counter
from typing import Any

from tests.api.serving import API
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.crowd import Ask, call
from tests.resilience.measure import descriptors, eventually, loop_lag, resident
from tests.resilience.promises.figures import Figure, Figures, best_of, liveness, livez_probes
from tests.resilience.proxy import FaultProxy, never_speak
from tests.resilience.serving import Service, serve

_GRACE = 0.2  # seconds past the deadline
_START = 0.5  # seconds of the crowd's, before it asks
_MOST_GROWTH = 6.0  # MB


def _questions(number: int) -> list[Ask]:
    kinds = [
        lambda each: Ask(_START, f"{API}/runs/cold{each}"),
        lambda each: Ask(_START, f"{API}/runs/cold{each}/metrics"),
        lambda each: Ask(_START, f"{API}/runs?run_type=t{each}"),
        lambda each: Ask(_START, f"{API}/runs/compare", "POST", {"run_ids": [f"a{each}", f"b{each}"]}),
        lambda each: Ask(_START, f"{API}/runs/cold{each}/params"),
    ]
    return [kinds[each % len(kinds)](each) for each in range(number)]


async def deadline(*, callers: int = 200, seconds: float = 0.8, rounds: int = 3) -> Figures:
    """Many callers at once ask an MLflow that accepts and never speaks, several times over."""
    settings: dict[str, Any] = {"deadline": seconds, "metrics": False}
    async with (
        FakeMlflow().serve() as fake,
        FaultProxy(fake.url, never_speak) as proxy,
        serve(proxy.url, breaker=False, **settings) as service,
    ):
        await _round(service, callers, seconds)  # what is made once is made here
        at_start = resident()
        figures = await best_of(rounds, lambda: _round(service, callers, seconds))
        grown = (resident() - at_start) / 2**20
    return [*figures, Figure("memory", grown, _MOST_GROWTH, " MB")]


async def _round(service: Service, callers: int, seconds: float) -> Figures:
    tasks, files = len(asyncio.all_tasks()), descriptors()
    probes, asks = livez_probes(_START + seconds), _questions(callers)
    async with loop_lag() as lags:
        answers, lived = await asyncio.gather(call(service.url, asks), call(service.url, probes))

    statuses = Counter((answer.status, answer.code) for answer in answers)
    assert {(504, "upstream_timeout"), (503, "upstream_unavailable")} >= set(statuses), statuses
    assert all(answer.retry_after.isdigit() for answer in answers if answer.status == 503)
    await eventually(lambda: service.is_idle, lambda: "requests or calls are left")
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks, lambda: f"left: {asyncio.all_tasks()}")
    await eventually(lambda: descriptors() <= files, lambda: f"{descriptors() - files} sockets are left")
    assert not service.transport.layers.limit.is_full
    return [
        Figure("slowest answer", max(answer.seconds for answer in answers), seconds + _GRACE, " s"),
        *liveness(lived, lags),
    ]
