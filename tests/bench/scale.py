"""The runs of the scale rows: 20 metrics, 15 params and 8 tags each, of 200 strategies over two years.

The same number and seed make the same run, on each machine. What real runs are like is in them: metrics that
are NaN or missing, runs that failed, params that are numbers and such that are not, names that are unique.
"""

import math
import random
from collections.abc import Iterator
from typing import Any

from service.tracking.runs import Run
from tests.bench.runs import METRICS, RUN_TYPES

STRATEGIES = tuple(f"5f0c7a52-3b7e-4c11-9d60-{number:012x}" for number in range(200))
DATASETS = tuple(f"v{number}" for number in range(1, 6))
EXPERIMENT_ID = "0"
BEGINNING = 1_704_067_200_000  # Unix epoch milliseconds: 2024
YEARS = 2 * 365 * 86_400_000
_ACTIVE = 20  # the last ones that started
_SECOND = 1_000
_PARAMS = {
    "lookback": ("21", "63", "126", "252", "auto"),
    "universe": ("sp500", "russell1000", "stoxx600", "topix", "futures"),
    "rebalance": ("daily", "weekly", "monthly"),
    "model": ("ridge", "lasso", "lightgbm", "xgboost", "lstm", "transformer"),
    "learning_rate": ("0.1", "0.03", "0.01", "3e-3", "0.001"),
    "max_depth": ("3", "4", "6", "8", "None"),
    "n_estimators": ("100", "200", "500", "1000"),
    "subsample": ("0.5", "0.75", "1.0"),
    "feature_set": ("price", "price+volume", "price+volume+fundamentals"),
    "target": ("sign", "return", "rank"),
    "horizon": ("1", "5", "10", "21"),
    "cost_bps": ("1", "2.5", "5", "10"),
    "leverage": ("1", "1.5", "2"),
    "embargo": ("0", "5", "10"),
}
_STATUSES = ("FINISHED", "FAILED", "KILLED")
_WEIGHTS = (92, 6, 2)


def run_id_at(number: int, seed: int = 0) -> str:
    """The id of the run of this number."""
    return f"{random.Random(f'{seed}/{number}').getrandbits(128):032x}"


def runs_of(count: int, seed: int = 0) -> Iterator[Run]:
    """So many runs, oldest start first, spread evenly over two years; the last 20 of them still run."""
    for number in range(count):
        yield _run(number, count, seed)


def _run(number: int, count: int, seed: int) -> Run:
    dice = random.Random(seed * 1_000_003 + number)
    run_id = run_id_at(number, seed)
    run_type = RUN_TYPES[number % len(RUN_TYPES)]
    name = f"{run_type}-{dice.getrandbits(32):08x}-{number}"
    is_active = number >= count - _ACTIVE
    status = "RUNNING" if is_active else dice.choices(_STATUSES, _WEIGHTS)[0]
    start = BEGINNING + number * (YEARS // count) + dice.randrange(_SECOND)
    return Run(
        run_id=run_id,
        run_name=name,
        status=status,
        start_time=start,
        end_time=None if is_active else start + int(dice.lognormvariate(13.0, 1.2)),
        artifact_uri=f"mlflow-artifacts:/{EXPERIMENT_ID}/{run_id}/artifacts",
        params={**{key: dice.choice(values) for key, values in _PARAMS.items()}, "seed": str(number)},
        metrics=dict(_metrics(dice, status)),
        tags=_tags(dice, run_type, name),
        experiment_id=EXPERIMENT_ID,
    )


def _metrics(dice: random.Random, status: str) -> Iterator[tuple[str, float | None]]:
    """A run that failed has logged a part of them; one in a hundred is NaN, few profit factors are ∞."""
    skill = dice.gauss(0.6, 0.8)
    for name in METRICS if status != "FAILED" else METRICS[: dice.randrange(len(METRICS))]:
        match dice.random():
            case chance if chance < 0.01:
                yield name, None
            case chance if chance < 0.015 and name == "oos_profit_factor":
                yield name, math.inf
            case _:
                yield name, _value(dice, name, skill)


def _value(dice: random.Random, name: str, skill: float) -> float:
    if name.endswith("drawdown"):
        return -min(0.95, dice.lognormvariate(-2.0, 0.6))
    if name == "trade_count":
        return float(dice.randrange(5_000))
    if name.endswith(("loss", "rate", "accuracy", "auc", "volatility", "95")):
        return dice.betavariate(4, 5)
    return skill + dice.gauss(0.0, 0.4)


def _tags(dice: random.Random, run_type: str, name: str) -> dict[str, Any]:
    return {
        "run_type": run_type,
        "strategy_id": dice.choice(STRATEGIES),
        "dataset_version": dice.choice(DATASETS),
        **({"git_commit": f"{dice.getrandbits(160):040x}"} if dice.random() < 0.98 else {}),
        "feature_version": f"v{dice.randrange(1, 9)}",
        "model_version": f"v{dice.randrange(1, 4)}",
        "mlflow.user": dice.choice(("ada", "blaise", "carl", "dorothy")),
        "mlflow.runName": name,
    }
