"""Promise 6: at three times what MLflow can do it does as much as ever, and the rest is told so (and 7)."""

import asyncio
from collections.abc import Iterator, Sequence

from tests.api.serving import API
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.crowd import Answer, Ask, call
from tests.resilience.measure import eventually, loop_lag, quantile
from tests.resilience.promises.figures import Figure, Figures, best_of, liveness, livez_probes
from tests.resilience.serving import Service, serve

_PLACES = 4
_LATENCY = 0.2  # seconds that MLflow takes for an answer: long beside what a busy machine adds
_PATIENCE = 0.3  # seconds that a request waits for a place
_TIMES = 3
_GOODPUT = 0.9
_START = 0.3  # seconds of the crowd's, before it asks
_RUNS = 100_000


async def shedding(*, seconds: float = 3.0, rounds: int = 5) -> Figures:
    """The rate of good answers with as many callers as places, and under three times what they can do."""
    upstream = {"max_in_flight": _PLACES, "queue_timeout": _PATIENCE}
    async with FakeMlflow().serve() as fake, serve(fake.url, upstream=upstream) as service:
        fake.latency = _LATENCY
        cold = (f"{API}/runs/{run_id}" for run_id in _runs(fake))
        return await best_of(rounds, lambda: _round(fake, service, cold, seconds))


def _runs(fake: FakeMlflow) -> Iterator[str]:
    for _ in range(_RUNS):
        yield fake.add_run()


async def _round(fake: FakeMlflow, service: Service, cold: Iterator[str], seconds: float) -> Figures:
    number = int(_PLACES / _LATENCY * seconds)
    peak = _goodput(await call(service.url, [Ask(0, next(cold)) for _ in range(number)], callers=_PLACES))
    rate = _TIMES * _PLACES / _LATENCY
    asks = [Ask(_START + each / rate, next(cold)) for each in range(int(rate * seconds))]
    probes = livez_probes(_START + seconds)
    fake.max_in_flight = 0
    async with loop_lag() as lags:
        answers, lived = await asyncio.gather(call(service.url, asks), call(service.url, probes))

    assert {200, 503} == {answer.status for answer in answers}
    refusals = [answer for answer in answers if answer.status == 503]
    assert {"upstream_unavailable"} == {answer.code for answer in refusals}
    assert all(int(answer.retry_after) >= 1 for answer in refusals)
    assert _PLACES == fake.max_in_flight
    await eventually(lambda: service.is_idle, lambda: "requests or calls are left")
    return [
        Figure("peak over goodput", peak / _goodput(answers), 1 / _GOODPUT),
        Figure("upstream in flight", fake.max_in_flight, _PLACES),
        Figure("refusal p99", quantile([one.seconds for one in refusals], 0.99), _PATIENCE + 0.1, " s"),
        *liveness(lived, lags),
    ]


def _goodput(answers: Sequence[Answer]) -> float:
    """Good answers a second, from the first to the last of them."""
    ended = [answer.ended for answer in answers if answer.status == 200]
    return (len(ended) - 1) / (max(ended) - min(ended))
