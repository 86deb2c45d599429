"""Promise 11: whoever polls the worst questions there are harms nobody else."""

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from tests.api.serving import API
from tests.fakes.faults import Hook, answering, reset
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.crowd import Answer, Ask, call
from tests.resilience.faults import flood, hang, of_mlflow, replying
from tests.resilience.measure import quantile
from tests.resilience.process import service
from tests.resilience.promises.figures import Figure, Figures, best_of

_USERS = 100
_A_SECOND = 2.0  # questions of each
_COLD = 0.05  # of them about a run that nobody has asked for
_OF_LISTS = 0.3
_LISTS = ("/runs", "/runs?limit=5", "/runs?run_type=t1", "/runs?run_type=t2&limit=20", "/experiments")
_RUNS = 200
_LATENCY = 0.02  # seconds that MLflow takes
_SLOW = 0.2  # seconds
_START = 0.5  # seconds of the crowd's, before it asks
_SETTINGS = {
    "TRACKING_UPSTREAM__MAX_BODY_BYTES": "2000000",
    "TRACKING_DEADLINE": "5",
    "TRACKING_UPSTREAM__READ_TIMEOUT": "3",
    "TRACKING_UPSTREAM__QUEUE_TIMEOUT": "2",  # the machine may be as slow as that
    "TRACKING_LOG_LEVEL": "error",
}
# What MLflow, or what stands before it, makes of a question that holds the word.
_POISON: Mapping[str, Hook] = {
    "failing": replying(500, of_mlflow("INTERNAL_ERROR")),
    "crashing": answering(500, "<title>500</title>", content_type="text/html"),
    "gateway": answering(502),
    "unavailable": replying(503, of_mlflow("TEMPORARILY_UNAVAILABLE")),
    "reset": reset,
    "slow": hang,
    "large": replying(200, b'{"runs": ["' + b"x" * 3_000_000 + b'"]}'),
    "endless": flood,
    "halved": replying(200, '{"runs": [{"info": {"run_id": "a'),
    "misshapen": replying(200, '{"runs": [{"info": {}}], "run": 5}'),
    "forbidden": answering(403, "Permission denied"),
    "login": answering(200, "<title>Sign in</title>", content_type="text/html"),
    "redirected": answering(302, headers={"Location": "https://sso.example.com/"}),
    "busy": answering(429, headers={"Retry-After": "30"}),
}


async def _poisoned(request: web.Request) -> web.StreamResponse | None:
    asked = request.query_string + await request.text()
    if "\\u0000" in asked or "%00" in asked:
        return await _POISON["failing"](request)
    for word, hook in _POISON.items():
        if word in asked:
            return await hook(request)
    return None


def _poison(seconds: float, a_second: float) -> list[Ask]:
    """Every kind in turn, each question another, on the routes where callers' text reaches MLflow."""

    def questions() -> Iterator[tuple[str, str, Any]]:
        number = 0
        while True:
            for word in _POISON:
                number += 1
                yield f"/runs?strategy_id={word}{number}", "GET", None
                yield f"/runs/{word}{number}", "GET", None
            ids = [f"{word}{number}" for word in random.sample(list(_POISON), 9)]
            yield "/runs/compare", "POST", {"run_ids": [*ids, f"nobody{number}"]}
            yield f"/runs?run_type=%00{number}", "GET", None
            yield f"/runs?run_type={'y' * 7_000}{number}", "GET", None

    asked = zip(range(int(seconds * a_second)), questions(), strict=False)
    return [Ask(_START + each / a_second, API + path, method, body) for each, (path, method, body) in asked]


def _known(runs: Sequence[str]) -> list[str]:
    """The lists, and every run with its parts."""
    details = [f"/runs/{run}{part}" for run in runs for part in ("", "/metrics", "/params")]
    return [API + path for path in (*_LISTS, *details)]


def _browsing(runs: Sequence[str], cold: Iterator[str], seconds: float) -> list[Ask]:
    """What a hundred people look at: lists, runs, their parts, comparisons; most of it again and again."""
    known, number = _known(runs), int(seconds * _USERS * _A_SECOND)
    asks = []
    for at in sorted(random.uniform(_START, _START + seconds) for _ in range(number)):
        kind = random.random()
        if kind < _COLD:
            asks.append(Ask(at, f"{API}/runs/{next(cold)}"))
        elif kind < 2 * _COLD:
            start = random.randrange(0, len(runs), 10)
            asks.append(Ask(at, f"{API}/runs/compare", "POST", {"run_ids": runs[start : start + 10]}))
        else:
            asks.append(Ask(at, random.choice(known[: len(_LISTS)] if kind < _OF_LISTS else known)))
    return asks


async def poison(
    *, seconds: float = 2.5, a_second: float = 25.0, rounds: int = 3, most: float | None = None
) -> Figures:
    """A hundred people browse, without and with one who polls the worst.

    most: times the p99 without that their p99 may be; None where the machine is too noisy for a ratio.
    """
    async with FakeMlflow().serve() as fake:
        runs = [fake.add_run(tags={"run_type": f"t{each % 3}"}) for each in range(_RUNS)]
        others = int(seconds * _USERS * _A_SECOND * 2 * _COLD * 2 * rounds)
        cold = iter([fake.add_run(tags={"run_type": "other"}) for _ in range(others)])
        fake.latency, fake.before = _LATENCY, _poisoned
        with tempfile.TemporaryDirectory() as folder:
            async with service(fake.url, Path(folder) / "log", _SETTINGS) as (url, process):

                async def one_round() -> Figures:
                    plain = await call(url, _browsing(runs, cold, seconds), service=process.pid)
                    beside, attack = await asyncio.gather(
                        call(url, _browsing(runs, cold, seconds), service=process.pid),
                        call(url, _poison(seconds, a_second), service=process.pid),
                    )
                    _nobody_fails(plain + beside)
                    _all_are_told(attack)
                    await _is_well(url)
                    slow, usual = _p99(beside), _p99(plain)
                    bound = _SLOW if most is None else most * usual
                    return [Figure(f"p99 of the others, {usual:.4f} s without", slow, bound, " s")]

                await call(url, [Ask(0, path) for path in _known(runs)], callers=4, service=process.pid)
                figures = await best_of(rounds, one_round)
    return [Figure("answers to others that were not 200", 0, 0), *figures]


def _p99(answers: Sequence[Answer]) -> float:
    return quantile([answer.seconds for answer in answers], 0.99)


def _nobody_fails(answers: Sequence[Answer]) -> None:
    assert {200} == {answer.status for answer in answers}, Counter(
        (answer.status, answer.code) for answer in answers
    )


def _all_are_told(answers: Sequence[Answer]) -> None:
    """Each question of the attacker's is answered, and most of them by what is wrong."""
    statuses = Counter(answer.status for answer in answers)
    assert {200, 404, 422, 502, 503, 504} >= statuses.keys(), statuses
    assert statuses[502] > len(answers) / 3, statuses
    assert all(answer.retry_after.isdigit() for answer in answers if answer.status == 503)


async def _is_well(url: str) -> None:
    """The breaker has never opened, and MLflow is held to be well."""
    async with aiohttp.ClientSession(url) as session:
        async with session.get("/metrics") as response:
            assert "tracking_upstream_breaker_openings_total 0.0" in await response.text()
        async with session.get("/readyz") as response:
            condition = await response.json()
    assert ("ok", "closed") == (condition["upstream"], condition["breaker"])
