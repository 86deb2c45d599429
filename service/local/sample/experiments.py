"""The experiments of one strategy: each is a finding, under the metric names that it is known by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np

from service.local.sample import performance
from service.local.sample.prices import Floats
from service.local.sample.runs import Finding
from service.local.sample.splits import NotEnoughHistoryError, purged_splits, walk_forward_folds
from service.local.sample.strategy import Rule, positions
from service.local.sample.trades import net_returns, trade_profits, turnover
from service.local.sample.validation import Study, cross_validate, walk_forward

PLUGIN = "rules.ts_momentum"
WARM_UP = 252  # days of history that the longest lookback needs; nothing is judged on them
HORIZON = 5  # days that a label reaches ahead
TRAIN_SHARE = 0.7
TRAIN_DAYS = 504
N_GROUPS = 6
N_TEST_GROUPS = 2
EMBARGO = 10


def usable_days(prices: Floats) -> range:
    """The rows whose past and future are both long enough."""
    return range(WARM_UP, len(prices) - HORIZON)


def training(prices: Floats, rule: Rule, cost_bps: float) -> Finding:
    """One rule on the last 30% of usable days. It has nothing to fit: a sweep over rules is the training."""
    days = usable_days(prices)
    split = days.start + int(len(days) * TRAIN_SHARE)
    held = positions(prices, rule)
    held[:split] = 0.0
    returns = net_returns(held, prices, cost_bps)[split : days.stop]
    return Finding(
        "training",
        params={**_params(rule, cost_bps), "oos_days": len(returns)},
        summary={
            "oos_sharpe": performance.sharpe_ratio(returns),
            "oos_sortino": performance.sortino_ratio(returns),
            "max_drawdown": -performance.max_drawdown(returns),
            "calmar_ratio": performance.calmar_ratio(returns),
            **_shape(returns),
        },
    )


def walking_forward(
    material: Study, n_splits: int, method: Literal["rolling", "anchored"], done: int | None = None
) -> Finding:
    """A walk forward; `done` folds of it where it is still going on. Where it cannot begin, it has failed."""
    params: dict[str, object] = {
        **_study_params(material),
        "method": method,
        "n_splits": n_splits,
        "train_days": TRAIN_DAYS,
        "label_horizon_days": HORIZON,
    }
    try:
        folds = walk_forward_folds(usable_days(material.prices), n_splits, TRAIN_DAYS, HORIZON, method)
    except NotEnoughHistoryError as error:
        return Finding("walk_forward", params, status="FAILED", note=str(error))
    result = walk_forward(material, folds)
    series = tuple(
        {
            "fold_oos_sharpe": sharpe,
            "fold_mse": fold.errors.mse,
            "fold_dir_acc": fold.errors.directional_accuracy,
            "fold_lookback_days": float(fold.rule.lookback_days),
        }
        for fold, sharpe in zip(result.folds, result.sharpes, strict=True)
    )
    if done is not None:
        return Finding("walk_forward", params, series=series[:done], status="RUNNING")
    summary = {
        "joined_oos_sharpe": performance.sharpe_ratio(result.returns),
        **_shape(result.returns),
        "mean_oos_sharpe": float(np.mean(result.sharpes)),
        "std_oos_sharpe": float(np.std(result.sharpes, ddof=1)),
    }
    return Finding("walk_forward", params, summary, series)


def sweep(children: tuple[Finding, ...]) -> Finding:
    """The parent of walk forwards of one rule each, which are its results: it has none of its own."""
    grid = {key: dict.fromkeys(child.params[key] for child in children) for key in children[0].params}
    params = {key: _joined(values) for key, values in grid.items()}
    return Finding("sweep", params, children=children)


def cross_validation(material: Study) -> tuple[Finding, Rule]:
    """Combinatorial purged cross-validation, and the rule it found best.

    A step of its series is a split, and for the Sharpe ratios a path.
    """
    splits = purged_splits(usable_days(material.prices), N_GROUPS, N_TEST_GROUPS, HORIZON, EMBARGO)
    result = cross_validate(material, splits, N_GROUPS)
    errors = [split.errors for split in result.splits]
    params = {
        **_study_params(material),
        "n_groups": N_GROUPS,
        "n_test_groups": N_TEST_GROUPS,
        "n_splits": len(splits),
        "n_paths": len(result.path_sharpes),
        "purge_days": HORIZON,
        "embargo_days": EMBARGO,
        "best_lookback_days": result.best_rule.lookback_days,
        "best_holding_days": result.best_rule.holding_days,
    }
    summary = {
        "cv_mean_mse": float(np.mean([each.mse for each in errors])),
        "cv_mean_mae": float(np.mean([each.mae for each in errors])),
        "cv_directional_accuracy": float(np.mean([each.directional_accuracy for each in errors])),
        "best_score": result.best_score,
    }
    steps = [{"split_mse": each.mse, "split_mae": each.mae} for each in errors]
    for step, sharpe in enumerate(result.path_sharpes):
        steps[step]["path_sharpe"] = sharpe
    return Finding("cpcv", params, summary, tuple(steps)), result.best_rule


def backtest(prices: Floats, rule: Rule, cost_bps: float) -> Finding:
    """One rule over all usable days, those it was chosen on included: what it would have done, not a test."""
    days = usable_days(prices)
    held = positions(prices, rule)
    held[: days.start] = 0.0
    used = slice(days.start, days.stop)
    returns = net_returns(held, prices, cost_bps)[used]
    trades = performance.trade_statistics(trade_profits(held[: days.stop], prices[: days.stop], cost_bps))
    summary = {
        **_return_metrics(returns),
        **_risk_metrics(returns),
        **_shape(returns),
        "trade_count": float(trades.count),
        "trade_win_rate": trades.win_rate,
        "trade_profit_factor": trades.profit_factor,
        "trade_avg_loss": trades.average_loss,
        "trade_expectancy": trades.expectancy,
        "trade_turnover_annualised": turnover(held[used]),
    }
    return Finding(
        "backtest",
        params={**_params(rule, cost_bps), "days": len(returns)},
        summary=summary,
    )


def _params(rule: Rule, cost_bps: float) -> dict[str, object]:
    return {
        "plugin_key": PLUGIN,
        "signal": rule.signal,
        "lookback_days": rule.lookback_days,
        "holding_days": rule.holding_days,
        "vol_target": rule.vol_target,
        "entry_threshold": rule.entry_threshold,
        "cost_bps": cost_bps,
    }


def _study_params(material: Study) -> dict[str, object]:
    rules = [candidate.rule for candidate in material.candidates]
    return {
        **_params(rules[0], material.cost_bps),
        "lookback_days": _joined(sorted({rule.lookback_days for rule in rules})),
        "holding_days": _joined(sorted({rule.holding_days for rule in rules})),
    }


def _joined(values: Iterable[object]) -> str:
    return ",".join(map(str, values))


def _shape(returns: Floats) -> Mapping[str, float]:
    """What a Sharpe ratio's standard error needs beside the ratio: of daily returns, kurtosis 3 if normal."""
    return {
        "n_obs": float(len(returns)),
        "skewness": performance.skewness(returns),
        "kurtosis": performance.kurtosis(returns),
    }


def _return_metrics(returns: Floats) -> Mapping[str, float]:
    return {
        "total_return": performance.total_return(returns),
        "perf_cagr": performance.cagr(returns),
        "perf_sharpe_ratio": performance.sharpe_ratio(returns),
        "perf_sortino_ratio": performance.sortino_ratio(returns),
        "perf_calmar_ratio": performance.calmar_ratio(returns),
    }


def _risk_metrics(returns: Floats) -> Mapping[str, float]:
    return {
        "risk_max_drawdown": performance.max_drawdown(returns),
        "risk_max_drawdown_duration": float(performance.max_drawdown_duration(returns)),
        "risk_var_95": performance.value_at_risk(returns, 5),
        "risk_cvar_95": performance.expected_shortfall(returns, 5),
        "risk_var_99": performance.value_at_risk(returns, 1),
        "risk_cvar_99": performance.expected_shortfall(returns, 1),
        "risk_volatility_annualised": performance.volatility(returns),
    }
