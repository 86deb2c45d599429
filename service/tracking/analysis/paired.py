"""Two runs compared fold by fold: differences, corrected t, sign and signed-rank tests. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from service.tracking.analysis.computed import (
    NOT_COMPUTABLE,
    TOO_FEW_FOLDS,
    Computed,
    Input,
    Method,
    Reason,
)
from service.tracking.analysis.folds import (
    CONFIDENCE,
    NO_DIRECTION,
    OVERLAP,
    SINGLE,
    Fold,
    fold_of,
    goodness,
    half_width,
    mean_and_sd,
    too_large,
    too_many,
)
from service.tracking.analysis.signed_ranks import exact_sign_p, signed_rank_p
from service.tracking.directions import Direction
from service.tracking.statistics import incomplete_beta

_LEVEL: Final = 0.05
_ROUNDING: Final = 1e-12  # of the largest value: differences below it are none
_Numbers = npt.NDArray[np.float64]
CORRECTED_T: Final = Method(
    "Corrected resampled t-test",
    "Nadeau and Bengio (2003), Inference for the Generalization Error, Machine Learning 52",
    {"confidence": CONFIDENCE, "ddof": 1, "sides": 2},
)
SIGN: Final = Method(
    "Exact sign test",
    "Arbuthnot (1710); Dixon and Mood (1946), The Statistical Sign Test, JASA 41",
    {"sides": 2, "ties": "left out"},
)
SIGNED_RANKS: Final = Method(
    "Wilcoxon signed-rank test, exact up to 50 differences, else by the normal distribution",
    "Wilcoxon (1945), Individual Comparisons by Ranking Methods, Biometrics Bulletin 1",
    {"sides": 2, "zeros": "left out", "ties": "mean ranks", "continuity_correction": "none"},
)
SMALLEST: Final = Method(
    "Smallest p that the sign test and the exact signed-rank test can give: all differences have one sign",
    "Wilcoxon (1945), Individual Comparisons by Ranking Methods, Biometrics Bulletin 1",
    {"sides": 2},
)


class Paired(msgspec.Struct, frozen=True, gc=False):
    """The differences of two runs, this minus the other, at the steps that both have.

    n: such steps with two finite values. only_this, only_other: steps with a finite value of one run alone.
    wins: of this run, by the metric's direction; None where no rule knows it. reason: why what is None here
    cannot be had.
    """

    n: int = 0
    only_this: int = 0
    only_other: int = 0
    differences: tuple[Fold, ...] = ()
    mean: float | None = None
    sd: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    worst: Fold | None = None
    wins: int | None = None
    ties: int | None = None
    losses: int | None = None
    corrected_t_test: Computed = Computed(None, CORRECTED_T)
    sign_test: Computed = Computed(None, SIGN)
    signed_rank_test: Computed = Computed(None, SIGNED_RANKS)
    smallest_p: Computed = Computed(None, SMALLEST)
    reason: Reason | None = None
    warnings: tuple[str, ...] = ()


def refused(reason: Reason, *warnings: str, paired: Paired | None = None) -> Paired:
    """No pairs, or pairs without any test, for this reason."""
    return msgspec.structs.replace(
        paired or Paired(),
        corrected_t_test=Computed(None, CORRECTED_T, reason=reason),
        sign_test=Computed(None, SIGN, reason=reason),
        signed_rank_test=Computed(None, SIGNED_RANKS, reason=reason),
        smallest_p=Computed(None, SMALLEST, reason=reason),
        reason=reason,
        warnings=warnings,
    )


def paired_of(
    this: Mapping[int, float],
    other: Mapping[int, float],
    direction: Direction | None,
    ratio: float | None = None,
    *,
    overlap: bool = False,
) -> Paired:
    """The folds of two runs, matched by step.

    ratio: observations that a fold tests on for each that it trains on (n_test/n_train); None assumes
    1/(J - 1), as k-fold cross-validation of J folds has it. overlap: whether the folds share test data.
    """
    first, second = _finite(this), _finite(other)
    steps = sorted(first.keys() & second.keys())
    count = len(steps)
    paired = Paired(count, len(first) - count, len(second) - count)
    alone = paired.only_this + paired.only_other
    warnings = [f"{alone} folds have no counterpart in the other run and are left out."] if alone else []
    if not steps:
        reason = Reason(TOO_FEW_FOLDS, "The two runs have no step in common with a finite value in each.")
        return refused(reason, *warnings, paired=paired)
    if reason_ := too_many(max(len(first), len(second))) or too_large(first) or too_large(second):
        return refused(reason_, *warnings, paired=paired)
    rounding = _ROUNDING * max(max(abs(first[step]), abs(second[step])) for step in steps)
    differences = {step: _unless_tiny(first[step] - second[step], rounding) for step in steps}
    values = np.array(list(differences.values()))
    mean, sd = mean_and_sd(values)
    paired = msgspec.structs.replace(
        paired, differences=tuple(map(fold_of, differences.items())), mean=mean, sd=sd
    )
    if direction is None:
        warnings.append(NO_DIRECTION)
    else:
        gains = {
            step: _unless_tiny(goodness(first[step], direction) - goodness(second[step], direction), rounding)
            for step in steps
        }
        paired = _judged(paired, differences, gains)
    if overlap:
        return refused(OVERLAP, *warnings, paired=paired)
    if sd is None:
        return refused(SINGLE, *warnings, paired=paired)
    return _tested(paired, values, rounding, ratio, warnings)


def _judged(paired: Paired, differences: Mapping[int, float], gains: Mapping[int, float]) -> Paired:
    """With wins, ties and losses, and the step at which this run falls furthest behind."""
    worst = min(gains, key=lambda step: gains[step])
    wins = sum(gain > 0 for gain in gains.values())
    losses = sum(gain < 0 for gain in gains.values())
    return msgspec.structs.replace(
        paired,
        worst=Fold(worst, differences[worst]),
        wins=wins,
        losses=losses,
        ties=len(gains) - wins - losses,
    )


def _tested(
    paired: Paired, values: _Numbers, rounding: float, ratio: float | None, warnings: list[str]
) -> Paired:
    count, mean, sd = len(values), paired.mean or 0.0, paired.sd or 0.0
    used = 1 / (count - 1) if ratio is None else ratio
    variance = (1 / count + used) * sd**2
    half = half_width(variance, count - 1)
    moved = values[values != 0]
    trained = Input("n_test/n_train", used, "1", "assumed" if ratio is None else "query")
    pairs = (Input("pairs that differ", len(moved), "folds", "derived"),)
    paired = msgspec.structs.replace(
        paired,
        ci_low=mean - half,
        ci_high=mean + half,
        corrected_t_test=_corrected_t(mean, variance, count, trained, rounding),
        warnings=tuple(warnings),
    )
    if not len(moved):
        reason = Reason(NOT_COMPUTABLE, "No fold differs between the two runs.")
        return msgspec.structs.replace(
            paired,
            sign_test=Computed(None, SIGN, pairs, reason),
            signed_rank_test=Computed(None, SIGNED_RANKS, pairs, reason),
            smallest_p=Computed(None, SMALLEST, pairs, reason),
        )
    return msgspec.structs.replace(
        paired,
        sign_test=Computed(exact_sign_p(moved), SIGN, pairs),
        signed_rank_test=Computed(signed_rank_p(moved, rounding), SIGNED_RANKS, pairs),
        smallest_p=_smallest(len(moved), pairs),
    )


def _corrected_t(mean: float, variance: float, count: int, ratio: Input, rounding: float) -> Computed:
    """The two-sided p of the mean difference; t and the degrees of freedom are among the inputs."""
    df = count - 1
    inputs: tuple[Input, ...] = (
        Input("mean difference", mean, "of the metric", "derived"),
        Input("folds", count, "folds", "derived"),
        Input("degrees of freedom", df, "1", "derived"),
        ratio,
    )
    error = math.sqrt(variance)
    if error <= rounding:
        text = "All differences are the same, so that they have no spread to hold the mean against."
        return Computed(None, CORRECTED_T, inputs, Reason(NOT_COMPUTABLE, text))
    t = mean / error
    p = incomplete_beta(df / 2, 0.5, df / (df + t * t))
    warnings = ["Derived for random splits: for folds of a walk forward the correction is a rule of thumb."]
    if ratio.source == "assumed":
        warnings.append("n_test/n_train is taken as in k-fold cross-validation: give test_train_ratio.")
    return Computed(p, CORRECTED_T, (Input("t", t, "1", "derived"), *inputs), None, tuple(warnings))


def _smallest(moved: int, pairs: tuple[Input, ...]) -> Computed:
    smallest = min(1.0, 2.0 ** (1 - moved))
    text = f"With {moved} pairs that differ, neither test can reach 5 %, whatever the differences are."
    return Computed(smallest, SMALLEST, pairs, None, (text,) if smallest > _LEVEL else ())


def _finite(vector: Mapping[int, float]) -> dict[int, float]:
    return {step: value for step, value in vector.items() if math.isfinite(value)}


def _unless_tiny(difference: float, rounding: float) -> float:
    return difference if abs(difference) > rounding else 0.0
