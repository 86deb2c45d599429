"""The runs that every side has: 20 metrics, 15 parameters and 8 tags each, unless a row is about that."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import aiohttp

from tests.live.logbook import Logbook

RUN_TYPES = ("training", "walk_forward", "cpcv", "backtest")
STRATEGIES = tuple(f"5f0c7a52-3b7e-4c11-9d60-{number:012x}" for number in range(20))
METRICS = [
    "oos_sharpe",
    "oos_sortino",
    "oos_calmar",
    "oos_total_return",
    "oos_annual_return",
    "oos_max_drawdown",
    "oos_win_rate",
    "oos_profit_factor",
    "oos_turnover",
    "oos_volatility",
    "is_sharpe",
    "is_total_return",
    "is_max_drawdown",
    "val_loss",
    "train_loss",
    "val_accuracy",
    "val_auc",
    "risk_var_95",
    "risk_cvar_95",
    "trade_count",
]
PARAMS = [
    "lookback",
    "universe",
    "rebalance",
    "model",
    "learning_rate",
    "max_depth",
    "n_estimators",
    "subsample",
    "feature_set",
    "target",
    "horizon",
    "cost_bps",
    "leverage",
    "seed",
    "embargo",
]
NOON = 1_748_779_200_000
_ACTIVE_EVERY = 20  # one run in so many has not ended
_SEEDERS = 8


class Shape(NamedTuple):
    """How much a run holds."""

    metrics: int = len(METRICS)
    params: int = len(PARAMS)


USUAL = Shape()


class BenchRun(NamedTuple):
    """One run to be written into an upstream; times in milliseconds."""

    name: str
    status: str
    start_time: int
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]

    @property
    def end_time(self) -> int | None:
        """An hour after its start; None while it runs."""
        return None if self.status == "RUNNING" else self.start_time + 3_600_000


def bench_run(number: int, shape: Shape = USUAL, strategy: str | None = None) -> BenchRun:
    """The same number makes the same run; a higher one started later."""
    dice = random.Random(number)
    run_type = RUN_TYPES[number % len(RUN_TYPES)]
    return BenchRun(
        name=f"{run_type}-{number}",
        status="RUNNING" if number % _ACTIVE_EVERY == 0 else "FINISHED",
        start_time=NOON + number * 60_000,
        metrics={name: dice.gauss(0.5, 1) for name in _names(METRICS, shape.metrics)},
        params={name: f"{dice.choice((5, 21, 63, 252))}-{index}" for index, name in _numbered(shape)},
        tags={
            "run_type": run_type,
            "strategy_id": strategy or STRATEGIES[number // len(RUN_TYPES) % len(STRATEGIES)],
            "data_version": f"v2024.{number % 12:02}",
            "git_commit": f"{dice.getrandbits(160):040x}",
            "parent_run_id": f"{dice.getrandbits(128):032x}",
            "universe": "sp500",
            "desk": "systematic",
            "mlflow.user": "ada",
        },
    )


def run_id_of(number: int) -> str:
    """The id of a run, where the upstream lets one choose."""
    return f"{random.Random(f'id of {number}').getrandbits(128):032x}"


def finished(number: int, run_ids: Sequence[str]) -> list[str]:
    """The newest ids of so many runs that have ended; run_ids: of all, oldest first."""
    ended = [run_id for index, run_id in enumerate(run_ids) if index % _ACTIVE_EVERY]
    return ended[-number:]


def _numbered(shape: Shape) -> list[tuple[int, str]]:
    return list(enumerate(_names(PARAMS, shape.params)))


def _names(known: list[str], number: int) -> list[str]:
    return known[:number] + [f"{known[index % len(known)]}_{index}" for index in range(len(known), number)]


async def write_runs(url: str, number: int) -> list[str]:
    """Write runs into the default experiment of an empty upstream; their ids, oldest first."""
    ids = [""] * number
    waiting = iter(range(number))

    async def seeder(logbook: Logbook) -> None:
        for index in waiting:
            ids[index] = await _write(logbook, bench_run(index))

    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(url, timeout=timeout) as session:
        await asyncio.gather(*(seeder(Logbook(session)) for _ in range(_SEEDERS)))
    return ids


async def _write(logbook: Logbook, run: BenchRun) -> str:
    run_id = await logbook.create_run("0", run.name, tags=run.tags, start_time=run.start_time, user_id="ada")
    await logbook.log(run_id, metrics=run.metrics, params=run.params, timestamp=run.start_time)
    if run.end_time is not None:
        await logbook.finish(run_id, run.status, run.end_time)
    return run_id


def search_body(limit: int) -> dict[str, Any]:
    """What one asks MLflow directly for the newest runs."""
    return {
        "experiment_ids": ["0"],
        "max_results": limit,
        "order_by": ["attributes.start_time DESC"],
        "run_view_type": "ACTIVE_ONLY",
    }
