"""Is the best trial of a strategy more than luck? Everything that can be said of it, in one report. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from service.tracking.analysis.computed import Computed, Reason
from service.tracking.analysis.declared import Declaration
from service.tracking.analysis.refusals import computed, value_of
from service.tracking.analysis.selecting import methods, remarks
from service.tracking.analysis.selecting.evidence import Evidence
from service.tracking.analysis.selecting.fold_matrix import FoldVector
from service.tracking.analysis.selecting.folds_of_trials import FoldsOfTrials
from service.tracking.analysis.selecting.haircut_of_trials import HaircutOfTrials
from service.tracking.analysis.selecting.luck import Luck, Terms
from service.tracking.analysis.selecting.tried import TrialCounts
from service.tracking.analysis.trials import Trials

# What the returns may be like where nobody says it: with a long left tail, and as in the example of 2014.
_OTHER_MOMENTS: Final = ((-1.0, 8.0), (-3.0, 10.0))

LUCK: Final = "luck"
MORE_THAN_LUCK: Final = "more_than_luck"
UNDECIDED: Final = "undecided"


class SelectionInputs(msgspec.Struct, frozen=True, gc=False):
    """What is asked of the trials.

    metric: a Sharpe ratio. declared: its unit and what it was computed from. benchmark: the Sharpe ratio that
    the PSR and the track record are against, in the unit of the metric; None for zero. target: the annual
    Sharpe ratio that the backtest length and the trial budget are for; None for that of the best run. alpha:
    above 0 and below 1. formula: "bailey2012" or "ldp2025". autocorrelation: of neighbouring returns, above
    -1 and below 1, None for none; only ldp2025 takes it. folds: the fold vectors of walk-forward runs, by run
    id; where they are not known, folds_reason says why. others: runs that are no trials of the metric, but
    may have chosen what the trials are.
    """

    metric: str
    declared: Declaration = Declaration()
    benchmark: float | None = None
    target: float | None = None
    alpha: float = 0.05
    formula: str = "bailey2012"
    autocorrelation: float | None = None
    folds: Mapping[str, FoldVector] = {}
    folds_reason: Reason | None = None
    others: int = 0


class Haircut(msgspec.Struct, frozen=True, gc=False):
    """What share of the best Sharpe ratio is taken off: 0 for none, 1 for all of it.

    Each has the p-value, the adjusted p-value and the Sharpe ratio that is left among its inputs.
    """

    bonferroni: Computed
    holm: Computed
    benjamini_yekutieli: Computed


class Sensitivity(msgspec.Struct, frozen=True, gc=False):
    """The PSR and the DSR if the returns had this skewness and raw kurtosis."""

    skewness: float
    kurtosis: float
    psr: Computed
    dsr: Computed


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """code: "more_than_luck" where the DSR is at least 1 - alpha, "luck" below, "undecided" without it.

    It is undecided, too, where the DSR would be below if each of the other runs were a trial.
    """

    code: str
    text: str


class Selection(msgspec.Struct, frozen=True, gc=False):
    """The report on the best trial of a strategy.

    best_run_id: the finished run with the highest Sharpe ratio; None where there is none. sharpe: its Sharpe
    ratio of one period. deviation: of all trials' Sharpe ratios of one period. expected_best_of_noise: the
    annual Sharpe ratio that the best of so many trials of noise reaches. deflation_benchmark: what the DSR is
    against, of one period. dsr: with all trials; dsr_distinct: with distinct configurations; dsr_effective:
    with the effective number of trials. degradation and probability_of_loss come with pbo. sensitivity: where
    the moments are assumed.
    """

    metric: str
    formula: str
    level: float
    trials: TrialCounts
    best_run_id: str | None
    verdict: Verdict
    sharpe: Computed
    deviation: Computed
    expected_best_of_noise: Computed
    deflation_benchmark: Computed
    psr: Computed
    dsr: Computed
    dsr_distinct: Computed
    dsr_effective: Computed
    effective_trials: Computed
    min_track_record: Computed
    min_backtest_length: Computed
    trial_budget: Computed
    break_even_trials: Computed
    haircut: Haircut
    pbo: Computed
    degradation: Computed
    probability_of_loss: Computed
    sensitivity: tuple[Sensitivity, ...]
    warnings: tuple[str, ...]


def selection_of(trials: Trials, asked: SelectionInputs) -> Selection:
    """The report on the trials. 2,000 of them take some 30 ms, so that it belongs into a thread."""
    known = Evidence(trials, asked.metric, asked.declared, asked.benchmark, asked.target)
    luck = Luck(known, Terms(asked.formula, asked.alpha, asked.autocorrelation))
    folds = FoldsOfTrials(known.tried, asked.folds, asked.folds_reason)
    count = known.counts.all
    effective = folds.effective_trials(count)
    dsr = luck.dsr(lambda: count)
    break_even = luck.break_even_trials()
    return Selection(
        metric=asked.metric,
        formula=asked.formula,
        level=1 - asked.alpha,
        trials=known.counts,
        best_run_id=remarks.id_of_best(known),
        verdict=_verdict(known, dsr, break_even, asked),
        sharpe=computed(methods.SHARPE, known.sharpe, [known.value, known.unit, known.periods]),
        deviation=computed(methods.DEVIATION, known.deviation, [known.with_sharpe]),
        expected_best_of_noise=luck.expected_best_of_noise(),
        deflation_benchmark=luck.deflation_benchmark(),
        psr=luck.psr(),
        dsr=dsr,
        dsr_distinct=luck.dsr(lambda: known.counts.distinct),
        dsr_effective=luck.dsr(lambda: value_of(effective)),
        effective_trials=effective,
        min_track_record=luck.min_track_record(),
        min_backtest_length=luck.min_backtest_length(),
        trial_budget=luck.trial_budget(),
        break_even_trials=break_even,
        haircut=_haircut(known),
        pbo=folds.pbo(),
        degradation=folds.degradation(),
        probability_of_loss=folds.probability_of_loss(),
        sensitivity=_sensitivity(luck, count) if known.assumes_normal() else (),
        warnings=remarks.on_trials(known, trials, asked.metric),
    )


def _sensitivity(luck: Luck, count: int) -> tuple[Sensitivity, ...]:
    return tuple(
        Sensitivity(skewness, kurtosis, other.psr(), other.dsr(lambda: count))
        for skewness, kurtosis in _OTHER_MOMENTS
        for other in [luck.with_moments(skewness, kurtosis)]
    )


def _haircut(known: Evidence) -> Haircut:
    cut = HaircutOfTrials(known)
    return Haircut(cut.bonferroni(), cut.holm(), cut.benjamini_yekutieli())


def _verdict(known: Evidence, dsr: Computed, break_even: Computed, asked: SelectionInputs) -> Verdict:
    """From the DSR, with the trials that are counted and with all that may have been some."""
    level = 1 - asked.alpha
    if dsr.value is None:
        return Verdict(UNDECIDED, dsr.reason.text if dsr.reason else "")
    text = remarks.on_luck(known, dsr.value, level)
    if dsr.value < level:
        return Verdict(LUCK, text)
    most = known.counts.all + asked.others
    if asked.others and break_even.value is not None and break_even.value < most:
        return Verdict(UNDECIDED, f"{text} {remarks.on_others(asked.others, break_even.value)}")
    return Verdict(MORE_THAN_LUCK, text)
