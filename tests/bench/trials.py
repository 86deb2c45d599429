"""The runs for the rows of analysis: 2,000 trials of 50 parameters, and a session of 200 runs."""

import random
from collections.abc import Iterator
from itertools import chain
from typing import Final

from service.tracking.runs import Run
from tests.bench.scale import BEGINNING, EXPERIMENT_ID, YEARS

STRATEGY: Final = "7d1c0b1e-90a4-4d43-8a0c-0000000000aa"
SESSION: Final = "session-000"
PARAMS: Final = 50
_TRIALS: Final = 2_000
_SESSION: Final = 200
_HOUR: Final = 3_600_000
_TYPES: Final = ("training", "walk_forward", "cpcv", "backtest")
_RETURNS: Final = {"sharpe_unit": "annual", "periods_per_year": "252"}


def strategy_runs() -> Iterator[Run]:
    """All of them, of which the trials are older."""
    return chain(map(_trial, range(_TRIALS)), map(_of_session, range(_SESSION)))


def _trial(number: int) -> Run:
    """A backtest: a third of its parameters are numbers of many values, and most pairs differ in several."""
    dice = random.Random(number)
    params = {
        f"p{place:02}": str(dice.choice((1, 2, 5, 10)) if place % 3 else round(dice.random(), 3))
        for place in range(PARAMS)
    }
    metrics: dict[str, float | None] = {
        "oos_sharpe": dice.gauss(0.3, 0.5),
        "n_obs": 1_250.0,
        "skewness": -0.5,
        "kurtosis": 5.0,
    }
    tags = {"kurtosis_convention": "raw", "dataset_version": "v1", "strategy_id": STRATEGY, **_RETURNS}
    return _run(f"trial-{number:05}", "backtest", BEGINNING + number * _HOUR, params, metrics, tags)


def _of_session(number: int) -> Run:
    """A run of one commit, data set and model of another strategy, which lineage puts together."""
    tags = {
        "strategy_id": f"{STRATEGY[:-2]}bb",
        "git_commit": "c0ffee" * 6 + "c0ff",
        "dataset_version": "s1",
        "feature_version": "f1",
        "model_version": "m1",
        "signal_version": "x1",
    }
    start = BEGINNING + YEARS // 2 + number * _HOUR
    metrics: dict[str, float | None] = {"oos_sharpe": number / 100}
    return _run(f"session-{number:03}", _TYPES[number % 4], start, {"fold": str(number)}, metrics, tags)


def _run(
    run_id: str,
    run_type: str,
    start: int,
    params: dict[str, str],
    metrics: dict[str, float | None],
    tags: dict[str, str],
) -> Run:
    return Run(
        run_id=run_id,
        run_name=run_id,
        status="FINISHED",
        start_time=start,
        end_time=start + _HOUR // 2,
        artifact_uri=f"mlflow-artifacts:/{EXPERIMENT_ID}/{run_id}/artifacts",
        params=params,
        metrics=metrics,
        tags={"run_type": run_type, "mlflow.user": "ada", "mlflow.runName": run_id, **tags},
        experiment_id=EXPERIMENT_ID,
    )
