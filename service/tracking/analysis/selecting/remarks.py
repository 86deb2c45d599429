"""What is said in words beside the numbers of a selection: warnings, and the verdict's figures. Pure."""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np

from service.tracking.analysis.declared import number_in
from service.tracking.analysis.refusals import Refusal
from service.tracking.analysis.selecting.evidence import Evidence
from service.tracking.analysis.sharpe import expected_maximum
from service.tracking.analysis.trials import Trials

_FOLDS: Final = re.compile(r"mean|avg|average|fold|split|path", re.IGNORECASE)
_UNLIKELY_ANNUAL: Final = 10.0
_FEW: Final = 10  # the deviation of so many is known to a fifth or so


def id_of_best(known: Evidence) -> str | None:
    """The run id of the best trial; None where there is none."""
    try:
        return known.best().run_id
    except Refusal:
        return None


def on_moments(known: Evidence) -> tuple[str, ...]:
    """On what is assumed of the returns."""
    if not known.assumes_normal():
        return ()
    return (
        (
            "The skewness or the kurtosis of the returns is assumed to be that of a normal distribution. "
            "That is optimistic for returns with a long left tail: see sensitivity."
        ),
    )


def on_spread(known: Evidence) -> tuple[str, ...]:
    """On how the trials are spread, which few of them hardly tell."""
    count = known.counts.with_sharpe
    if not 1 < count < _FEW:
        return ()
    return (f"Only {count} trials have a Sharpe ratio: how trials are spread is hardly known from so few.",)


def on_luck(known: Evidence, dsr: float, level: float) -> str:
    """The figures behind a verdict, in a sentence or two."""
    count = known.counts.all
    noise = known.deviation_for(count) * expected_maximum(count)
    than = "at least" if dsr >= level else "below"
    return (
        f"The best of {count} trials has a Sharpe ratio of {known.sharpe():.4g} a period; trials that are "
        f"spread like these around zero are expected to reach {noise:.4g}. The DSR is {dsr:.4f}, {than} "
        f"{level:g}."
    )


def on_others(others: int, break_even: float) -> str:
    """Why runs that are no trials of the metric leave it open what the best trial is."""
    return (
        f"But {others} runs of other types may have chosen what the trials are, and with more than "
        f"{break_even:g} trials the DSR is below. Ask for a metric that those runs log, or name the run "
        "types that were tried (`run_type`)."
    )


def on_trials(known: Evidence, trials: Trials, metric: str) -> tuple[str, ...]:
    """On all that makes the whole report doubtful."""
    said: list[str] = []
    if not trials.index.complete:
        said.append("The index has not read every run yet: there may be more trials.")
    if trials.deleted_reason:
        said.append(f"Deleted runs are not all known, and there may be more trials: {trials.deleted_reason}.")
    if "sharpe" not in metric.lower():
        said.append(
            f"Nothing in its name says that {metric} is a Sharpe ratio; the formulas hold for nothing else."
        )
    elif _FOLDS.search(metric):
        said.append(
            f"{metric} seems to be of folds or paths. The mean of their Sharpe ratios is not that of all "
            "their returns, so that the numbers are approximate."
        )
    if children := known.tried.children():
        said.append(
            f"Trials that are children of other trials: {children}. Where they are folds, leave them out by "
            "a filter."
        )
    return (*said, *_on_sharpes(known))


def _on_sharpes(known: Evidence) -> tuple[str, ...]:
    try:
        sharpes = known.sharpes()
        best = known.best()
    except Refusal:
        return ()
    said = list(sharpes.warnings)
    if best.run_type == "cpcv":
        said.append(
            "The paths of CPCV overlap: the number of returns is that of one path, not of all together."
        )
    if sharpes.annual:
        annual = known.sharpe() * math.sqrt(number_in(known.periods()))
        if annual > _UNLIKELY_ANNUAL:
            said.append(f"That is an annual Sharpe ratio of {annual:.3g}, which is unlikely: check its unit.")
    observations = sharpes.observations[~np.isnan(sharpes.observations)]
    if len(np.unique(observations)) > 1:
        said.append(
            "The trials have different numbers of returns: the PSR, the DSR and the years are from that of "
            "the best run, and each trial's p-value is from its own."
        )
    return tuple(said)
