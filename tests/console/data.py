"""What MLflow holds in tests of the console: the sample, and names and values that break careless pages."""

import asyncio
import math
import time
from functools import cache
from typing import Final

from service.local.sample.runs import SampleRun
from service.local.sample.session import session
from tests.api.serving import API, Client
from tests.fakes.mlflow import FakeMlflow

SECONDS: Final = 30.0  # that reading the runs may take on a busy machine
BEGIN: Final = 1_764_201_600_000  # Unix epoch milliseconds

ODD_NAMES: Final = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "constructor",
    "__proto__",
    "hasOwnProperty",
    "n" * 300,
    "\u05d0\u05e1\u05d8\u05e8\u05d8\u05d2\u05d9\u05d4 \u202e abc",  # right to left, and an override
    "🚀📈 mean-reversion 👩‍🔬",
    "a,b\\c \"d\" 'e' | f & g % h",
    "  spaces  around  ",
    "50%_off",
    "=1+1",
)
ODD_VALUES: Final = {
    "nan": math.nan,
    "infinite": math.inf,
    "minus_infinite": -math.inf,
    "minus_zero": -0.0,
    "tiny": 1e-12,
    "huge": 1e15,
    "negative_huge": -1e15,
    "third": 1 / 3,
}


def odd_id(number: int) -> str:
    """The id of the run with this of the odd names."""
    return f"0dd{number:029x}"


def add_odd_runs(fake: FakeMlflow) -> list[str]:
    """A run for each odd name, as its name and its keys; one runs, one has failed, one has logged nothing."""
    ids = []
    for number, name in enumerate(ODD_NAMES):
        run_id = fake.add_run(
            run_id=odd_id(number),
            name=name,
            status=("RUNNING", "FAILED", "KILLED", "SCHEDULED")[number] if number < 4 else "FINISHED",
            start_time=BEGIN + number * 60_000,
            end_time=None if number == 0 else BEGIN + number * 60_000 + 3_840_000,
            params={name: name, "learning_rate": f"0.{number}"},
            metrics={name: float(number), **ODD_VALUES, "oos_sharpe": number / 4},
            tags={
                name: name,
                "strategy_id": name,
                "run_type": "backtest",
                "dataset_version": f"v{number % 2}",
            },
            user_id=name[:250],
        )
        fake.log(
            run_id, "equity", ((step, BEGIN + step, value) for step, value in enumerate(_with_gaps(number)))
        )
        ids.append(run_id)
    ids.append(fake.add_run(run_id=odd_id(len(ODD_NAMES)), name="logged nothing", start_time=BEGIN - 60_000))
    return ids


def add_session(fake: FakeMlflow) -> dict[int, str]:
    """The sample research session, as `make run` writes it; its ids by start, the same each time."""
    ids: dict[int, str] = {}
    for number, run in enumerate(_session()):
        tags = dict(run.tags)
        if run.parent is not None:
            tags["mlflow.parentRunId"] = ids[run.parent]
        ids[run.start_time] = run_id = fake.add_run(
            run_id=sample_id(number),
            name=run.name,
            status=run.status,
            start_time=run.start_time,
            end_time=run.end_time,
            params=run.params,
            tags=tags,
            user_id="ada",
        )
        for point in run.metrics:
            fake.log(run_id, point.key, [(point.step, point.timestamp, point.value)])
    return ids


def sample_id(number: int) -> str:
    """The id of the sample's run of this number, oldest first."""
    return f"5a{number:030x}"


def sample_ids(run_type: str) -> list[str]:
    """The ids of the sample's runs of this type, oldest first."""
    return [
        sample_id(number) for number, run in enumerate(_session()) if run.tags.get("run_type") == run_type
    ]


def sample_strategies() -> list[str]:
    """The ids of the sample's strategies."""
    return sorted({run.tags["strategy_id"] for run in _session()})


async def all_read(client: Client, key: str = "", runs: int = 0) -> None:
    """Wait until the service's index holds all runs.

    runs: that there are at least. A service that has begun with fewer has read those "completely", too.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    until = time.monotonic() + SECONDS
    while True:
        response = await client.get(f"{API}/runs/search?page_size=1", headers=headers)
        body = await response.json()
        if response.status == 200 and body["index"]["complete"] and body["total"] >= runs:
            return
        assert time.monotonic() < until, body
        await asyncio.sleep(0.02)


async def becomes(client: Client, part: str, state: str) -> None:
    """Wait until /readyz says so of a part: becomes(client, "upstream", "failing")."""
    until = time.monotonic() + SECONDS
    while True:
        body = await (await client.get("/readyz")).json()
        if body[part] == state:
            return
        assert time.monotonic() < until, body
        await asyncio.sleep(0.02)


@cache
def _session() -> tuple[SampleRun, ...]:
    return session()


def _with_gaps(number: int) -> list[float]:
    """A curve with values that are no numbers, and a spike."""
    curve = [100 + 10 * math.sin(step / 9 + number) for step in range(200)]
    curve[50], curve[51], curve[120], curve[199] = math.nan, math.nan, 400.0, math.inf
    return curve
