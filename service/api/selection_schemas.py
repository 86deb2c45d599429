"""The public contract of selection: what callers send and get, as pydantic models."""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from service.api.computed_schemas import Statistic
from service.api.schemas import AnswerBody
from service.api.search_schemas import EXPERIMENTS, FILTER, Count, IndexState

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _number_or_name(value: object) -> object:
    """A number where the text is one, else the name of a field."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return _none_if_empty(value)
    if not math.isfinite(float(value)):
        raise ValueError("must be a finite number, or the name of a metric, parameter or tag")
    return float(value)


Number = Annotated[float | None, Field(allow_inf_nan=False), BeforeValidator(_none_if_empty)]
NumberOrName = Annotated[
    float | str | None, BeforeValidator(_number_or_name), WithJsonSchema({"type": ["string", "null"]})
]
Unit = Annotated[Literal["annual", "period"] | None, BeforeValidator(_none_if_empty)]
Convention = Annotated[Literal["raw", "excess"] | None, BeforeValidator(_none_if_empty)]

_OR_NAME = (
    "a number, or the name of the metric, parameter or tag that holds it (`metrics.x`, `params.x`, `tags.x`)"
)


class SelectionParameters(BaseModel):
    """The query parameters of a selection. Unknown ones are ignored; an empty one is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    metric: str = Field(min_length=1, description="A Sharpe ratio that runs log.", examples=["oos_sharpe"])
    unit: Unit = Field(
        None,
        description="Whether it is annual or of one period. Runs may say it by a tag `sharpe_unit`.",
    )
    periods_per_year: Number = Field(
        None,
        gt=0,
        description="Returns a year: 252 for daily ones. Runs may say it by a tag `periods_per_year`.",
    )
    observations: NumberOrName = Field(
        None,
        description=f"How many returns the Sharpe ratio comes from: {_OR_NAME}. Runs may say it by a metric "
        "`n_obs`.",
    )
    skew: NumberOrName = Field(
        None, description=f"The skewness of the returns: {_OR_NAME}. Runs may say it by a metric `skewness`."
    )
    kurtosis: NumberOrName = Field(
        None, description=f"The kurtosis of the returns: {_OR_NAME}. Runs may say it by a metric `kurtosis`."
    )
    kurtosis_convention: Convention = Field(
        None,
        description="Whether it is raw (3 for a normal distribution) or excess kurtosis (0). Runs may say it "
        "by a tag `kurtosis_convention`.",
    )
    benchmark: Number = Field(
        None,
        description="The Sharpe ratio that PSR and minimum track record are against, in the unit of the "
        "metric; 0 where there is none.",
    )
    target: Number = Field(
        None,
        gt=0,
        description="The annual Sharpe ratio that backtest length and trial budget are for; that of the best "
        "run where there is none.",
    )
    alpha: Annotated[float, Field(allow_inf_nan=False)] = Field(
        0.05, gt=0, lt=1, description="One less the level that PSR and DSR have to reach."
    )
    method: Literal["bailey2012", "ldp2025"] = Field(
        "bailey2012",
        description="The formulas: Bailey and López de Prado (2012, 2014), or López de Prado, Lipton and "
        "Zoonekynd (2025).",
    )
    autocorrelation: Number = Field(
        None, gt=-1, lt=1, description="Of neighbouring returns; only for `ldp2025`. 0 where there is none."
    )
    run_type: str | None = Field(
        None,
        description="Run types with commas between: only they may be trials. All of which a run logs the "
        "metric where there is none.",
    )
    fold_metric: str | None = Field(
        None,
        description="The metric that walk-forward runs log once a fold, for `pbo` and `effective_trials`: "
        "`fold_` and the metric where a run has it, else the metric itself, where there is none.",
    )
    filter: str | None = Field(None, description=f"Only trials that match. {FILTER}")
    experiment_id: str | None = Field(None, description=f"{EXPERIMENTS} Several with commas between.")


class SelectionTrials(AnswerBody):
    """The trials: all runs, deleted ones too, of a run type that logs the metric."""

    all: Count
    distinct: Count = Field(description="Configurations: runs with equal parameters are one.")
    with_sharpe: Count = Field(description="Trials with a finite value of the metric whose unit is known.")
    failed: Count = Field(description="Trials that failed or were killed.")
    running: Count = Field(description="Trials that have not ended.")
    deleted: Count | None = Field(
        description="Trials that were deleted; null where they are not all known: see `deleted_reason`."
    )
    deleted_reason: str | None
    parts: Count = Field(
        description="Child runs that are no trials: their parameters are those of their parent, which is one."
    )
    run_types: list[str] = Field(description="The run types that count.")
    run_types_source: str = Field(
        description="`derived`: those of which a run logs the metric; `query`: of them those that were named."
    )
    other_run_types: dict[str, int] = Field(description="Number of the runs that are no trials, by run type.")


class SelectionVerdict(AnswerBody):
    """What the DSR says."""

    code: str = Field(
        description="`more_than_luck` where the DSR reaches the level, `luck` below, `undecided` without one "
        "and where it would be below if the runs of other types were trials, too."
    )
    text: str


class Haircuts(AnswerBody):
    """What share of the best Sharpe ratio is taken off for all trials: 0 for none, 1 for all of it."""

    bonferroni: Statistic
    holm: Statistic
    benjamini_yekutieli: Statistic


class MomentSensitivity(AnswerBody):
    """PSR and DSR if the returns had other moments than those assumed."""

    skewness: float
    kurtosis: float = Field(description="Raw.")
    psr: Statistic
    dsr: Statistic


class SelectionReport(AnswerBody):
    """Is the best trial of a strategy more than luck?"""

    strategy_id: str
    metric: str
    method: str = Field(description="The formulas: bailey2012 or ldp2025.")
    level: float = Field(description="That PSR and DSR have to reach: 1 - alpha.")
    trials: SelectionTrials
    best_run_id: str | None = Field(
        description="The finished run with the highest Sharpe ratio, deleted ones left out; null for none."
    )
    verdict: SelectionVerdict
    sharpe: Statistic = Field(description="Of the best run, of one period.")
    deviation: Statistic = Field(description="Of all trials' Sharpe ratios of one period.")
    expected_best_of_noise: Statistic = Field(
        description="The annual Sharpe ratio that the best of so many trials of noise is expected to reach."
    )
    deflation_benchmark: Statistic = Field(description="What the DSR is against, of one period.")
    psr: Statistic = Field(description="Probabilistic Sharpe Ratio: a probability.")
    dsr: Statistic = Field(description="Deflated Sharpe Ratio: a probability, for all trials.")
    dsr_distinct: Statistic = Field(description="The same for the distinct configurations.")
    dsr_effective: Statistic = Field(description="The same for the effective number of trials.")
    effective_trials: Statistic
    min_track_record: Statistic = Field(description="Returns until the PSR reaches the level.")
    min_backtest_length: Statistic = Field(description="Years until noise does not reach the target.")
    trial_budget: Statistic = Field(
        description="Trials among which noise does not reach the target in the years there are."
    )
    break_even_trials: Statistic = Field(
        description="The largest number of trials with which the DSR reaches the level."
    )
    haircut: Haircuts
    fold_metric: str = Field(description="The metric whose steps are folds.")
    pbo: Statistic = Field(description="Probability of Backtest Overfitting, by CSCV over folds.")
    degradation: Statistic = Field(description="Slope of the metric out of sample on that in sample.")
    probability_of_loss: Statistic = Field(
        description="How often the best of one half of the folds loses in the other."
    )
    sensitivity: list[MomentSensitivity] = Field(description="Where skewness or kurtosis are assumed.")
    warnings: list[str]
    index: IndexState
