"""How soon a search finds what happens in an MLflow of 100,000 runs."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from urllib.parse import urlencode

import aiohttp

from tests.bench.client import Client, client
from tests.bench.load import Question, Spread
from tests.bench.machine import Server
from tests.bench.report import Row, at_most
from tests.bench.rows.questions import TRACKING
from tests.bench.scale import EXPERIMENT_ID
from tests.live.logbook import Logbook

_TICK = 2.0  # seconds: TRACKING_INDEX__TICK by default
_MOST = _TICK + 1.0
_LOOK = 0.02  # seconds between two searches
_PATIENCE = 30.0  # seconds


async def fresh(service: Server, mlflow: Server, rounds: int) -> Row:
    """A run begins, logs something and ends; after each, the seconds until a search finds it so."""
    seconds: dict[str, list[float]] = {"began": [], "logged": [], "ended": []}
    async with client(service) as caller, aiohttp.ClientSession(mlflow.url) as session:
        logbook = Logbook(session)
        for number in range(rounds):
            run_id = await logbook.create_run(EXPERIMENT_ID, f"fresh {number}", start_time=_now())
            is_run = f"run_id = '{run_id}'"
            seconds["began"].append(await _until_found(caller, is_run))
            await logbook.log(run_id, metrics={"loss": number + 0.5})
            is_logged = f"{is_run} AND metrics.loss = {number + 0.5}"
            seconds["logged"].append(await _until_found(caller, is_logged))
            await logbook.finish(run_id, end_time=_now())
            seconds["ended"].append(await _until_found(caller, f"{is_run} AND status = 'FINISHED'"))
    whole = [taken for each in seconds.values() for taken in each]
    p99 = statistics.quantiles(whole, n=100, method="inclusive")[-1]
    wanted, shown, met = at_most(Spread(p99, p99, p99), _MOST, " s")
    each = ", ".join(f"{name} {statistics.median(taken):.2f} s" for name, taken in seconds.items())
    return Row(
        "a run that began, logged or ended in MLflow, to the search that finds it so, p99",
        f"medians: {each}",
        wanted,
        shown.partition(" (")[0],
        met=met,
        figures=seconds,
    )


async def _until_found(caller: Client, text: str) -> float:
    began = time.monotonic()
    asked = Question(f"{TRACKING}/runs/search?{urlencode({'filter': text, 'fields': 'run_id'})}")
    async with asyncio.timeout(_PATIENCE):
        while not json.loads(await caller.ask(asked))["total"]:
            await asyncio.sleep(_LOOK)
    return time.monotonic() - began


def _now() -> int:
    return time.time_ns() // 1_000_000
