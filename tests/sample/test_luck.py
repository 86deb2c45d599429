"""What the sample is made to show, worked out here from the formulas and not by the service.

Bailey and López de Prado, "The Deflated Sharpe Ratio" (2014).
"""

from __future__ import annotations

import math
import statistics
from itertools import combinations
from statistics import NormalDist

import pytest

from service.local.sample.runs import SampleRun
from service.local.sample.session import STRATEGIES, Strategy

NORMAL = NormalDist()
EULER = 0.5772156649015329
DAYS_A_YEAR = 252
PARAMS = ("lookback_days", "holding_days", "entry_threshold")


def walked(runs: tuple[SampleRun, ...], universe: str) -> list[SampleRun]:
    """The walk forwards of a strategy that have come to a result."""
    return [
        run
        for run in runs
        if run.params["universe"] == universe and "joined_oos_sharpe" in {point.key for point in run.metrics}
    ]


def of_sweep(runs: tuple[SampleRun, ...], universe: str) -> dict[tuple[str, ...], float]:
    """The Sharpe ratios of a sweep by the params that it varies."""
    return {
        tuple(run.params[name] for name in PARAMS): value(run, "joined_oos_sharpe")
        for run in walked(runs, universe)
        if run.parent is not None
    }


def value(run: SampleRun, key: str) -> float:
    return next(point.value for point in run.metrics if point.key == key)


def probabilistic_sharpe(run: SampleRun, benchmark: float) -> float:
    """How likely the true Sharpe ratio is above a benchmark; both are of a day."""
    sharpe = value(run, "joined_oos_sharpe") / math.sqrt(DAYS_A_YEAR)
    variance = 1 - value(run, "skewness") * sharpe + (value(run, "kurtosis") - 1) / 4 * sharpe**2
    return NORMAL.cdf((sharpe - benchmark) * math.sqrt((value(run, "n_obs") - 1) / variance))


def deflated_sharpe(trials: list[SampleRun], count: int) -> float:
    """The same against the best Sharpe ratio that so many trials without skill are expected to reach."""
    sharpes = [value(run, "joined_oos_sharpe") / math.sqrt(DAYS_A_YEAR) for run in trials]
    expected = (1 - EULER) * NORMAL.inv_cdf(1 - 1 / count) + EULER * NORMAL.inv_cdf(1 - 1 / (count * math.e))
    best = max(trials, key=lambda run: value(run, "joined_oos_sharpe"))
    return probabilistic_sharpe(best, statistics.stdev(sharpes) * expected)


def changes(sharpes: dict[tuple[str, ...], float], name: str, before: str, after: str) -> list[float]:
    """What each pair of a sweep's runs that differs in this param alone gained by it."""
    place = PARAMS.index(name)
    return [
        sharpes[(*key[:place], after, *key[place + 1 :])] - sharpe
        for key, sharpe in sharpes.items()
        if key[place] == before
    ]


def test_the_best_run_of_the_control_is_luck(runs: tuple[SampleRun, ...]) -> None:
    """Alone it would pass at 95 %, but not as the best of all that were tried."""
    trials = walked(runs, "no-trend-control")
    best = max(trials, key=lambda run: value(run, "joined_oos_sharpe"))
    assert len(trials) == 14
    assert pytest.approx(0.9672, abs=1e-4) == probabilistic_sharpe(best, 0.0)
    assert pytest.approx(0.6891, abs=1e-4) == deflated_sharpe(trials, len(trials))


def test_the_best_run_of_the_equity_strategy_is_more(runs: tuple[SampleRun, ...]) -> None:
    """It passes at 95 % as the best of 14, and would pass as the best of all 23 runs of the strategy."""
    trials = walked(runs, "equity-index")
    assert len(trials) == 14
    assert pytest.approx(0.9661, abs=1e-4) == deflated_sharpe(trials, len(trials))
    assert deflated_sharpe(trials, 23) > 0.95


def test_pairs_find_the_parameter_that_the_prices_were_made_with(runs: tuple[SampleRun, ...]) -> None:
    """Trends last 160 days, so a month looks back too little, whatever else is chosen."""
    assert STRATEGIES[0].market.trend_days == 160
    sharpes = of_sweep(runs, "equity-index")
    assert all(gain > 0.2 for gain in changes(sharpes, "lookback_days", "21", "63"))
    assert all(gain > 0.15 for gain in changes(sharpes, "lookback_days", "21", "126"))
    gains = changes(sharpes, "entry_threshold", "0.0", "0.5")
    assert min(gains) < 0.0 < max(gains)
    assert abs(statistics.mean(gains)) < 0.1


def test_a_sweep_tries_each_rule_once(runs: tuple[SampleRun, ...]) -> None:
    """Twelve children that differ in what is swept alone, on the folds of one another."""
    for parent in (run for run in runs if run.name == "sweep"):
        children = [run for run in runs if run.parent == parent.start_time]
        assert len({tuple(run.params[name] for name in PARAMS) for run in children}) == 12
        rest = [{key: text for key, text in run.params.items() if key not in PARAMS} for run in children]
        assert [rest[0]] * 12 == rest
        steps = [[p.step for p in run.metrics if p.key == "fold_oos_sharpe"] for run in children]
        assert [list(range(6))] * 12 == steps


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.market.name)
def test_in_one_training_two_params_change_together(runs: tuple[SampleRun, ...], strategy: Strategy) -> None:
    """holding_days and vol_target do so in the training of the commodities; elsewhere they stay the same."""
    name = strategy.market.name
    trained = [run.params for run in runs if run.name == "training" and run.params["universe"] == name]
    together = {(params["holding_days"], params["vol_target"]) for params in trained}
    expected = {("5", "0.15"), ("21", "0.1")} if name == "commodities" else {("5", "0.15")}
    assert expected == together


def test_what_was_found_is_no_param(runs: tuple[SampleRun, ...]) -> None:
    """Runs of a sweep that differ in one choice differ in one param: no result is among them."""
    sharpes = of_sweep(runs, "equity-index")
    neighbours = [
        pair
        for pair in combinations(sharpes, 2)
        if sum(one != other for one, other in zip(*pair, strict=True)) == 1
    ]
    assert len(neighbours) == 24
