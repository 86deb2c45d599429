"""Twenty minutes of browsing while MLflow is now well and now not: `python -m tests.resilience.soak`.

The service runs as a process of its own over a FakeMlflow behind the fault proxy. First come the other
promises in their long forms. Prints a table; exit code 1 where a promise is broken.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from tests.api.serving import API
from tests.fakes.mlflow import FakeMlflow
from tests.resilience import proxy as wire
from tests.resilience.faults import FAULTS
from tests.resilience.measure import descriptors, eventually, resident
from tests.resilience.process import service
from tests.resilience.promises.breaker import breaker
from tests.resilience.promises.deadline import deadline
from tests.resilience.promises.figures import Figure, Figures
from tests.resilience.promises.flight import flight
from tests.resilience.promises.index import index
from tests.resilience.promises.outage import continued, outage, stopped
from tests.resilience.promises.poison import poison
from tests.resilience.promises.retries import retries
from tests.resilience.promises.shedding import shedding
from tests.resilience.proxy import FaultProxy

_USERS = 16
_RUNS = 200
_PAUSE = 0.1  # seconds between a user's questions, on average
_SAMPLES = 40
_WARM_UP = 0.25  # of the time, after which memory has found its level
_MOST_GROWTH = 8.0  # MB
_MOST_DESCRIPTORS = 4  # more than before, once the callers are gone


class Soak(NamedTuple):
    """statuses: of what was read before, and of what was not. samples: of memory and descriptors."""

    warm: Counter[int]
    cold: Counter[int]
    samples: list[tuple[int, int]]


async def soak(minutes: float) -> Figures:
    """Browse for so long, with faults; no 5xx on what was read once, memory and descriptors flat."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "service.log"
        async with FakeMlflow().serve() as fake, FaultProxy(fake.url) as proxy:
            runs = [fake.add_run(tags={"run_type": f"t{each % 3}"}) for each in range(_RUNS)]
            fake.latency = 0.005
            async with service(proxy.url, log) as (url, process):
                files = descriptors(process.pid)
                seen = await _browse(url, process.pid, runs, minutes * 60, fake, proxy)
                await eventually(
                    lambda: descriptors(process.pid) <= files + _MOST_DESCRIPTORS,
                    lambda: f"{descriptors(process.pid) - files} descriptors are left",
                )
        errors = [line for line in log.read_text().splitlines() if '"level":"error"' in line]
    assert [] == errors
    assert {status for status in seen.cold if status >= 500} <= {502, 503, 504}
    bad = sum(number for status, number in seen.warm.items() if status != 200)
    settled = seen.samples[int(len(seen.samples) * _WARM_UP) :]
    half = len(settled) // 2
    before, after = settled[:half], settled[half:]
    grown = statistics.median(one[0] for one in after) - statistics.median(one[0] for one in before)
    more = max(one[1] for one in after) - max(one[1] for one in before)
    print(f"answers of what was warm {dict(seen.warm)}, of what was cold {dict(seen.cold)}")
    return [
        Figure(f"of {seen.warm.total()} warm reads not 200", bad, 0),
        Figure("memory grown by", grown / 2**20, _MOST_GROWTH, " MB"),
        Figure("descriptors more", more, _USERS),
    ]


async def _browse(
    url: str, pid: int, runs: list[str], seconds: float, fake: FakeMlflow, proxy: FaultProxy
) -> Soak:
    warm: Counter[int] = Counter()
    cold: Counter[int] = Counter()
    samples: list[tuple[int, int]] = []
    until = time.monotonic() + seconds
    trace = _trace(runs)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(url, timeout=timeout) as session:

        async def ask(path: str, body: Any = None) -> int:
            method = "GET" if body is None else "POST"
            async with session.request(method, API + path, json=body) as response:
                await response.read()
                return response.status

        for path, body in trace:
            assert 200 == await ask(path, body)

        async def user() -> None:
            while time.monotonic() < until:
                path, body = random.choice(trace)
                warm[await ask(path, body)] += 1
                if random.random() < 0.05:
                    cold[await ask(f"/runs/cold{random.getrandbits(64):x}")] += 1
                await asyncio.sleep(random.expovariate(1 / _PAUSE))

        async def watch() -> None:
            while True:
                samples.append((resident(pid), descriptors(pid)))
                await asyncio.sleep(seconds / _SAMPLES)

        async with asyncio.TaskGroup() as group:
            others = [group.create_task(watch()), group.create_task(_misbehave(fake, proxy))]
            await asyncio.gather(*(user() for _ in range(_USERS)))
            for other in others:
                other.cancel()
    return Soak(warm, cold, samples)


def _trace(runs: list[str]) -> list[tuple[str, Any]]:
    """What a person looks at: lists, runs, their parts, comparisons, experiments."""
    lists = [f"/runs{query}" for query in ("", "?limit=5", "?run_type=t1", "?run_type=t2&limit=20")]
    details = [f"/runs/{run}{part}" for run in runs for part in ("", "/metrics", "/params")]
    compared = [("/runs/compare", {"run_ids": runs[start : start + 4]}) for start in range(0, len(runs), 10)]
    return [(path, None) for path in (lists * 20 + details + ["/experiments"] * 10)] + compared


async def _misbehave(fake: FakeMlflow, proxy: FaultProxy) -> None:
    """A fault after the other, each for a while, with as much peace between them."""
    names = list(FAULTS)
    while True:
        await asyncio.sleep(random.uniform(1.0, 4.0))
        if random.random() < 0.2:
            await proxy.refuse()
            await asyncio.sleep(random.uniform(0.5, 4.0))
            await proxy.listen()
            continue
        fault = FAULTS[random.choice(names)]
        fake.before = fault.hook
        await proxy.behave(fault.on_wire)
        await asyncio.sleep(random.uniform(0.5, 4.0))
        fake.before = None
        await proxy.behave(wire.forward)


async def _hung_outage() -> Figures:
    return await outage(keys=500, steps=20, down=stopped, up=continued)


LONG_FORMS: dict[str, Callable[[], Awaitable[Figures]]] = {
    "1, 7 deadline": lambda: deadline(seconds=3.0, rounds=10),
    "2 one flight": lambda: flight(callers=500),
    "3 outage": lambda: outage(keys=500, steps=300),
    "3 outage, hanging": _hung_outage,
    "4 retries": lambda: retries(requests=10_000),
    "5 breaker": lambda: breaker(intervals=30, answers=2_000),
    "6, 7 shedding": lambda: shedding(seconds=20.0),
    "11 poison": lambda: poison(seconds=30.0, rounds=5, most=1.2),
}


async def _all(minutes: float, *, long_forms: bool) -> bool:
    kept = True
    forms = dict(LONG_FORMS) if long_forms else {}
    forms["10 soak"] = lambda: soak(minutes)
    forms["12 index"] = lambda: index(minutes * 60, _misbehave)
    for name, measure in forms.items():
        try:
            figures = await measure()
        except AssertionError as error:
            print(f"| {name} | BROKEN | {error} |", flush=True)
            kept = False
            continue
        for figure in figures:
            kept = kept and figure.is_kept
            print(f"| {name} | {'kept' if figure.is_kept else 'BROKEN'} | {figure} |", flush=True)
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description="The long forms of the promises.")
    parser.add_argument("--minutes", type=float, default=20.0, help="how long the soak lasts")
    parser.add_argument("--only-soak", action="store_true", help="leave out the other promises")
    given = parser.parse_args()
    return 0 if asyncio.run(_all(given.minutes, long_forms=not given.only_soak)) else 1


if __name__ == "__main__":
    sys.exit(main())
