"""The statistics of a selection: their names, where they are published, and the conventions taken. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.tracking.analysis.computed import Method

_EFFICIENT_FRONTIER: Final = (
    "Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2)"
)
_DEFLATED: Final = (
    "Bailey and López de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5)"
)
_HOW_TO_USE: Final = "López de Prado, Lipton and Zoonekynd (2025), How to Use the Sharpe Ratio, SSRN 5520741"
_CHARLATANISM: Final = (
    "Bailey, Borwein, López de Prado and Zhu (2014), Pseudo-Mathematics and Financial Charlatanism, "
    "Notices of the AMS 61(5)"
)
_OVERFITTING: Final = (
    "Bailey, Borwein, López de Prado and Zhu (2017), The Probability of Backtest Overfitting, "
    "Journal of Computational Finance 20(4)"
)
_BACKTESTING: Final = "Harvey and Liu (2015), Backtesting, Journal of Portfolio Management 42(1)"
_BY_FORMULA: Final = {"bailey2012": (_EFFICIENT_FRONTIER, _DEFLATED), "ldp2025": (_HOW_TO_USE, _HOW_TO_USE)}
_VARIANCE: Final = {
    "bailey2012": "at the estimated Sharpe ratio, over T - 1",
    "ldp2025": "at the benchmark, over T, and of a maximum where there are several trials",
}

Conventions = Mapping[str, str | float]


def method_of_psr(formula: str, conventions: Conventions) -> Method:
    """The Probabilistic Sharpe Ratio."""
    return Method(
        "Probabilistic Sharpe Ratio",
        _BY_FORMULA[formula][0],
        {"formula": formula, "variance": _VARIANCE[formula], "unit": "probability", **conventions},
    )


def method_of_dsr(formula: str, conventions: Conventions) -> Method:
    """The Deflated Sharpe Ratio."""
    return Method(
        "Deflated Sharpe Ratio",
        _BY_FORMULA[formula][1],
        {"formula": formula, "variance": _VARIANCE[formula], "unit": "probability", "ddof": 1, **conventions},
    )


def method_of_track_record(formula: str, conventions: Conventions) -> Method:
    """The minimum track record length."""
    return Method(
        "Minimum Track Record Length",
        _BY_FORMULA[formula][0],
        {"formula": formula, "variance": _VARIANCE[formula], "unit": "observations", **conventions},
    )


def method_of_break_even(formula: str, conventions: Conventions) -> Method:
    """How many trials the best one stands."""
    return Method(
        "Largest number of trials with a DSR of at least the level",
        _BY_FORMULA[formula][1],
        {"formula": formula, "unit": "trials", "deviation": "held as it is", **conventions},
    )


SHARPE: Final = Method(
    "Sharpe ratio of one period",
    "Sharpe (1994), The Sharpe Ratio, Journal of Portfolio Management 21(1)",
    {"unit": "Sharpe ratio of one period", "annual": "annual Sharpe ratio / square root of periods a year"},
)
DEVIATION: Final = Method(
    "Standard deviation of the trials' Sharpe ratios",
    _DEFLATED,
    {"unit": "Sharpe ratio of one period", "ddof": 1},
)
DEFLATION: Final = Method(
    "Expected maximum of trials whose Sharpe ratios are spread like these around zero",
    _DEFLATED,
    {"unit": "Sharpe ratio of one period", "ddof": 1},
)
NOISE: Final = Method(
    "Expected best annual Sharpe ratio of trials that are nothing but noise",
    _CHARLATANISM,
    {"unit": "annual Sharpe ratio", "trials": "independent, with a true Sharpe ratio of zero"},
)
BACKTEST_LENGTH: Final = Method(
    "Minimum Backtest Length", _CHARLATANISM, {"unit": "years", "trials": "independent"}
)
BUDGET: Final = Method(
    "Largest number of trials whose noise is not expected to reach the Sharpe ratio",
    _CHARLATANISM,
    {"unit": "trials", "trials": "independent"},
)
EFFECTIVE: Final = Method(
    "Effective number of independent trials, from the mean correlation of their folds: rough",
    _DEFLATED,
    {"unit": "trials", "formula": "correlation + (1 - correlation) * trials"},
)
HOLM: Final = Method(
    "Haircut of the Sharpe ratio, p-values adjusted by Holm",
    f"{_BACKTESTING}; Holm (1979), Scandinavian Journal of Statistics 6(2)",
    {
        "unit": "share of the Sharpe ratio",
        "test": "two-sided t, df = T - 1",
        "trials": "all with a Sharpe ratio",
    },
)
BENJAMINI_YEKUTIELI: Final = Method(
    "Haircut of the Sharpe ratio, p-values adjusted by Benjamini and Yekutieli",
    f"{_BACKTESTING}; Benjamini and Yekutieli (2001), Annals of Statistics 29(4)",
    HOLM.conventions,
)
BONFERRONI: Final = Method(
    "Haircut of the Sharpe ratio, p-values adjusted by Bonferroni", _BACKTESTING, HOLM.conventions
)
PBO: Final = Method(
    "Probability of Backtest Overfitting, by CSCV over folds: approximate",
    _OVERFITTING,
    {"unit": "probability", "metric": "mean of the folds", "ties": "logit <= 0 counts", "noise": 0.5},
)
DEGRADATION: Final = Method(
    "Slope of the out-of-sample metric of each half's best trial on its in-sample metric",
    _OVERFITTING,
    {"unit": "slope", "metric": "mean of the folds"},
)
LOSS: Final = Method(
    "Share of halves whose best trial is below zero in the other half",
    _OVERFITTING,
    {"unit": "probability", "metric": "mean of the folds"},
)
