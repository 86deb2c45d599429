"""Trials of a strategy, made up."""

import math
from collections.abc import Mapping, Sequence

from service.tracking.analysis.trials import Trials
from service.tracking.runs import Run
from service.tracking.search.queries import IndexStatus
from tests.tracking.values import make_run

METRIC = "oos_sharpe"
# What the runs of the example of 2014 say of themselves.
DECLARED = {"sharpe_unit": "annual", "periods_per_year": "250", "kurtosis_convention": "raw"}
MOMENTS = {"n_obs": 1250.0, "skewness": -3.0, "kurtosis": 10.0}


def trial(
    number: int,
    sharpe: float | None,
    *,
    status: str = "FINISHED",
    run_type: str = "backtest",
    metrics: Mapping[str, float | None] = MOMENTS,
    tags: Mapping[str, str] = DECLARED,
    params: Mapping[str, str] | None = None,
) -> Run:
    """A run with parameters of its own; without the metric where sharpe is None."""
    logged = {} if sharpe is None else {METRIC: sharpe}
    return make_run(
        f"r{number}",
        status=status,
        start_time=number,
        params={"window": str(number)} if params is None else params,
        metrics={**metrics, **logged},
        tags={"run_type": run_type, **tags},
    )


def trials(runs: Sequence[Run], deleted: Sequence[Run] = (), *, complete: bool = True) -> Trials:
    """Of a strategy that has been read entirely, unless it is said."""
    return Trials(tuple(runs), tuple(deleted), IndexStatus(complete=complete, runs=len(runs)))


def example_of_2014(count: int = 100) -> Trials:
    """So many trials whose annual Sharpe ratios have a variance of 1/2; the best, r0, has 2.5."""
    return trials([trial(number, sharpe) for number, sharpe in enumerate(sharpes_of_2014(count))])


def sharpes_of_2014(count: int = 100) -> list[float]:
    """Their annual Sharpe ratios. count: even, and at least 18.

    One other trial has 0, and the rest have the same value above or below it, such that ddof 1 makes it 1/2.
    """
    rest = count - 2
    spread = math.sqrt((0.5 * (count - 1) - 2.5**2 * (1 - 1 / count)) / rest)
    return [2.5, 0.0, *[spread, -spread] * (rest // 2)]
