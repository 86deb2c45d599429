"""Ten runs that the store lacks: one runs/search by their ids, or ten runs/get at once?"""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp

from tests.bench.machine import Server
from tests.bench.report import Findings, Table
from tests.bench.rows.bench import Bench

API = "api/2.0/mlflow/"
SIZE = 10
_POOL = 32  # connections that the service keeps to MLflow by default

Ask = Callable[[aiohttp.ClientSession, Sequence[str]], Awaitable[None]]


async def by_get(session: aiohttp.ClientSession, run_ids: Sequence[str]) -> None:
    """Ten questions at once."""

    async def one(run_id: str) -> None:
        async with session.get(f"{API}runs/get", params={"run_id": run_id}) as response:
            response.raise_for_status()
            await response.read()

    await asyncio.gather(*map(one, run_ids))


async def by_search(session: aiohttp.ClientSession, run_ids: Sequence[str]) -> None:
    """One question for all."""
    body: dict[str, Any] = {
        "experiment_ids": ["0"],
        "filter": f"attributes.run_id IN ({', '.join(map(repr, run_ids))})",
        "run_view_type": "ALL",
        "max_results": len(run_ids),
    }
    async with session.post(f"{API}runs/search", json=body) as response:
        response.raise_for_status()
        found = (await response.read()).count(b'"run_uuid"')
    if found != len(run_ids):
        raise RuntimeError(f"{found} runs found of {len(run_ids)}")


WAYS: dict[str, Ask] = {"10 x runs/get": by_get, "1 x runs/search": by_search}


async def measure(
    server: Server, run_ids: Sequence[str], callers: int, seconds: float, rounds: int
) -> list[dict[str, Any]]:
    """Each way in turn, several times: latency of a comparison, and the upstream's CPU time for one."""
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    cpu = dict.fromkeys(WAYS, 0.0)
    failed = dict.fromkeys(WAYS, 0)
    async with aiohttp.ClientSession(server.url, connector=aiohttp.TCPConnector(limit=_POOL)) as session:
        for ask in WAYS.values():
            await ask(session, run_ids[:SIZE])
        for _ in range(rounds):
            for way, ask in WAYS.items():
                before = server.cpu_seconds()
                times = await asyncio.gather(
                    *(_caller(session, ask, run_ids, seconds / rounds) for _ in range(callers))
                )
                cpu[way] += server.cpu_seconds() - before
                taken[way] += [one for many in times for one in many if one is not None]
                failed[way] += sum(many.count(None) for many in times)
    return [
        {
            "upstream": server.name,
            "callers": callers,
            "way": way,
            "median_ms": statistics.median(times) * 1_000,
            "p90_ms": statistics.quantiles(times, n=10)[-1] * 1_000,
            "upstream_cpu_ms": cpu[way] / len(times) * 1_000,
            "compares": len(times),
            "failed": failed[way],
        }
        for way, times in taken.items()
    ]


async def _caller(
    session: aiohttp.ClientSession, ask: Ask, run_ids: Sequence[str], seconds: float
) -> list[float | None]:
    """Seconds of each comparison, None where the upstream failed."""
    times: list[float | None] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        chosen = random.sample(run_ids, SIZE)
        began = time.perf_counter()
        try:
            await ask(session, chosen)
        except aiohttp.ClientResponseError:
            times.append(None)
        else:
            times.append(time.perf_counter() - began)
    return times


def compare_cold(bench: Bench) -> Findings:
    """Both ways over MLflow and FastTrackML, with one caller and with four."""
    found = [
        one
        for upstream in (bench.mlflow, bench.fasttrackml)
        if upstream is not None
        for callers in (1, 4)
        for one in asyncio.run(measure(*upstream, callers, bench.pick(12, 2), bench.pick(4, 1)))
    ]
    header = ("upstream", "callers", "way", "median ms", "p90 ms", "upstream CPU ms", "compares", "failed")
    lines = [
        [
            one["upstream"],
            str(one["callers"]),
            one["way"],
            *(f"{one[key]:.1f}" for key in ("median_ms", "p90_ms", "upstream_cpu_ms")),
            str(one["compares"]),
            str(one["failed"]),
        ]
        for one in found
    ]
    return Findings(
        tables=[Table("Ten runs that the store lacks, asked of the upstream", header, lines, found)]
    )
