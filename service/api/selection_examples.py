"""The example of what the route of selections answers."""

from __future__ import annotations

from typing import Any

from service.api.examples import STRATEGY
from service.api.search_examples import INDEX

_FRONTIER = "Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2)"
_DEFLATED = (
    "Bailey and López de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5)"
)
_CHARLATANISM = (
    "Bailey, Borwein, López de Prado and Zhu (2014), Pseudo-Mathematics and Financial Charlatanism, "
    "Notices of the AMS 61(5)"
)
_OVERFITTING = (
    "Bailey, Borwein, López de Prado and Zhu (2017), The Probability of Backtest Overfitting, "
    "Journal of Computational Finance 20(4)"
)
_BACKTESTING = "Harvey and Liu (2015), Backtesting, Journal of Portfolio Management 42(1)"

_SHARPE = {
    "name": "sharpe",
    "value": 0.0894515919455171,
    "unit": "Sharpe ratio of one period",
    "source": "derived",
}
_OBSERVATIONS = {"name": "observations", "value": 1250.0, "unit": "returns", "source": "metrics.n_obs"}
_TRIALS = {"name": "trials", "value": 6, "unit": "trials", "source": "derived"}
_NO_FOLDS = {
    "code": "axis_unknown",
    "text": "No trial with the tag run_type = walk_forward logs oos_sharpe, and only of such runs a step is "
    "known to be a fold: name another metric by fold_metric.",
}
_OTHERS = (
    "Runs of other types are no trials of oos_sharpe (2 backtest). Where they helped to choose what the "
    "trials are, more was tried than is counted here."
)


def _statistic(
    value: float | None,
    name: str,
    reference: str,
    unit: str,
    *inputs: dict[str, Any],
    reason: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "value": value,
        "method": {"name": name, "reference": reference, "conventions": {"unit": unit}},
        "inputs": list(inputs),
        "reason": reason,
        "warnings": [],
    }


SELECTION: dict[str, Any] = {
    "strategy_id": STRATEGY,
    "metric": "oos_sharpe",
    "method": "bailey2012",
    "level": 0.95,
    "trials": {
        "all": 6,
        "distinct": 6,
        "with_sharpe": 6,
        "failed": 0,
        "running": 0,
        "deleted": 0,
        "deleted_reason": None,
        "parts": 0,
        "run_types": ["training"],
        "run_types_source": "derived",
        "other_run_types": {"backtest": 2},
    },
    "best_run_id": "abc123def456",
    "verdict": {
        "code": "luck",
        "text": "The best of 6 trials has a Sharpe ratio of 0.08945 a period; trials that are spread like "
        "these around zero are expected to reach 0.05485. The DSR is 0.8843, below 0.95.",
    },
    "sharpe": _statistic(
        0.0894515919455171,
        "Sharpe ratio of one period",
        "Sharpe (1994), The Sharpe Ratio, Journal of Portfolio Management 21(1)",
        "Sharpe ratio of one period",
        {"name": "value", "value": 1.42, "unit": "annual", "source": "metrics.oos_sharpe"},
        {"name": "periods_per_year", "value": 252.0, "unit": "1/year", "source": "query"},
    ),
    "deviation": _statistic(
        0.04219083001750661,
        "Standard deviation of the trials' Sharpe ratios",
        _DEFLATED,
        "Sharpe ratio of one period",
        _TRIALS,
    ),
    "expected_best_of_noise": _statistic(
        0.5837617659226224,
        "Expected best annual Sharpe ratio of trials that are nothing but noise",
        _CHARLATANISM,
        "annual Sharpe ratio",
        _TRIALS,
        _OBSERVATIONS,
    ),
    "deflation_benchmark": _statistic(
        0.054854018978820154,
        "Expected maximum of trials whose Sharpe ratios are spread like these around zero",
        _DEFLATED,
        "Sharpe ratio of one period",
        _TRIALS,
    ),
    "psr": _statistic(
        0.9990116832398446, "Probabilistic Sharpe Ratio", _FRONTIER, "probability", _SHARPE, _OBSERVATIONS
    ),
    "dsr": _statistic(
        0.8842632111573849, "Deflated Sharpe Ratio", _DEFLATED, "probability", _SHARPE, _OBSERVATIONS, _TRIALS
    ),
    "dsr_distinct": _statistic(
        0.8842632111573849, "Deflated Sharpe Ratio", _DEFLATED, "probability", _SHARPE, _OBSERVATIONS, _TRIALS
    ),
    "dsr_effective": _statistic(
        None, "Deflated Sharpe Ratio", _DEFLATED, "probability", _SHARPE, _OBSERVATIONS, reason=_NO_FOLDS
    ),
    "effective_trials": _statistic(
        None, "Effective number of independent trials", _DEFLATED, "trials", _TRIALS, reason=_NO_FOLDS
    ),
    "min_track_record": _statistic(
        354.06502191223046,
        "Minimum Track Record Length",
        _FRONTIER,
        "observations",
        _SHARPE,
        _OBSERVATIONS,
    ),
    "min_backtest_length": _statistic(
        0.8383089011206781, "Minimum Backtest Length", _CHARLATANISM, "years", _TRIALS
    ),
    "trial_budget": _statistic(
        725,
        "Largest number of trials whose noise is not expected to reach the Sharpe ratio",
        _CHARLATANISM,
        "trials",
        _OBSERVATIONS,
    ),
    "break_even_trials": _statistic(
        3,
        "Largest number of trials with a DSR of at least the level",
        _DEFLATED,
        "trials",
        _SHARPE,
        _OBSERVATIONS,
    ),
    "haircut": {
        name: _statistic(
            share,
            f"Haircut of the Sharpe ratio, p-values adjusted by {author}",
            _BACKTESTING,
            "share of the Sharpe ratio",
            _TRIALS,
        )
        for name, author, share in (
            ("bonferroni", "Bonferroni", 0.1799073971346431),
            ("holm", "Holm", 0.1799073971346431),
            ("benjamini_yekutieli", "Benjamini and Yekutieli", 0.28307772625642125),
        )
    },
    "fold_metric": "oos_sharpe",
    "pbo": _statistic(
        None, "Probability of Backtest Overfitting", _OVERFITTING, "probability", reason=_NO_FOLDS
    ),
    "degradation": _statistic(
        None,
        "Slope of the out-of-sample metric of each half's best trial on its in-sample metric",
        _OVERFITTING,
        "slope",
        reason=_NO_FOLDS,
    ),
    "probability_of_loss": _statistic(
        None,
        "Share of halves whose best trial is below zero in the other half",
        _OVERFITTING,
        "probability",
        reason=_NO_FOLDS,
    ),
    "sensitivity": [],
    "warnings": [_OTHERS],
    "index": INDEX,
}
