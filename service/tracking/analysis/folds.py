"""What a metric says that was logged once a fold: mean, spread, interval, worst fold. Pure.

MLflow shows the value of the last fold as the run's result. What the steps of a metric stand for is not
recorded anywhere: it is declared, or read from the run's type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from service.tracking.analysis.computed import (
    AXIS_UNKNOWN,
    FOLDS_OVERLAP,
    NOT_COMPUTABLE,
    TOO_FEW_FOLDS,
    TOO_MANY,
    Method,
    Reason,
)
from service.tracking.directions import Decision, Direction
from service.tracking.history import History, last_by_step
from service.tracking.runs import Run
from service.tracking.statistics import t_quantile

FoldAxis = Literal["folds", "paths", "epochs"]
CONFIDENCE: Final = 0.95
MOST_FOLDS: Final = 1_000
NO_DIRECTION: Final = (
    "No rule knows which values of this metric are better, so that no fold is worst and none wins."
)
SINGLE: Final = Reason(TOO_FEW_FOLDS, "One fold has no spread, and so no interval: two are the least.")
_TWO: Final = 2
LARGEST: Final = 1e150
_OF_RUN_TYPE: Final[Mapping[str, FoldAxis]] = {
    "walk_forward": "folds",
    "cpcv": "paths",
    "training": "epochs",
}
METHOD: Final = Method(
    "Mean of folds, with an interval by Student's t distribution",
    "Student (1908), The probable error of a mean",
    {"confidence": CONFIDENCE, "ddof": 1},
)
UNKNOWN: Final = Reason(
    AXIS_UNKNOWN,
    "The run_type tag does not say what the steps of the metric stand for. Say it: axis=folds where each is "
    "a fold whose test data no other has, axis=paths where it is a path of a combinatorial split.",
)
EPOCHS: Final = Reason(
    NOT_COMPUTABLE,
    "The steps of a training run are the epochs of one fit, which are no samples: there is nothing to "
    "average. If they are folds, say axis=folds.",
)
OVERLAP: Final = Reason(
    FOLDS_OVERLAP,
    "The paths of a combinatorial split share data, so that they are not independent: no interval and no "
    "test holds. Mean, spread, worst path and share describe the paths, and prove nothing.",
)


class Axis(msgspec.Struct, frozen=True, gc=False):
    """What the steps stand for; None where nothing says it. source: "query" or "tags.run_type"."""

    value: FoldAxis | None
    source: str | None


class Fold(msgspec.Struct, frozen=True, gc=False):
    """A value with the step that it was logged at; None where it is no finite number."""

    step: int
    value: float | None


class Folds(msgspec.Struct, frozen=True, gc=False):
    """The folds of a metric of a run.

    n: folds with a finite value, which all else is of; missing: folds without. worst: by the metric's
    direction; None where no rule knows it. share_positive: of values above 0. reason: why what is None here
    cannot be had.
    """

    axis: Axis
    direction: Direction | None
    rule: str | None
    n: int
    missing: int
    values: tuple[Fold, ...]
    mean: float | None = None
    sd: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    worst: Fold | None = None
    share_positive: float | None = None
    method: Method = METHOD
    reason: Reason | None = None
    warnings: tuple[str, ...] = ()


def axis_of(run: Run, declared: FoldAxis | None) -> Axis:
    """What the steps of a run's metrics stand for: what is declared, else what its run_type says."""
    if declared is not None:
        return Axis(declared, "query")
    derived = _OF_RUN_TYPE.get(run.run_type)
    return Axis(derived, None if derived is None else "tags.run_type")


def refusal_of(axis: Axis) -> Reason | None:
    """Why nothing can be said of such steps as folds; None where something can."""
    return {None: UNKNOWN, "epochs": EPOCHS}.get(axis.value)


def folds_of(history: History, axis: Axis, decision: Decision) -> Folds:
    """What the folds of a history say. decision: the direction of the metric."""
    vector = last_by_step(history)
    direction = direction_of(decision)
    finite = {step: value for step, value in vector.items() if math.isfinite(value)}
    n, missing = len(finite), len(vector) - len(finite)
    empty = Folds(axis, direction, decision.rule, n, missing, (), reason=_refusal(axis, finite, len(vector)))
    if len(vector) > MOST_FOLDS:
        return empty
    folds = msgspec.structs.replace(empty, values=tuple(map(fold_of, vector.items())))
    if empty.reason is not None:
        return folds
    values = np.array(list(finite.values()))
    mean, sd = mean_and_sd(values)
    half = None if sd is None or axis.value == "paths" else half_width(sd**2 / n, n - 1)
    return msgspec.structs.replace(
        folds,
        mean=mean,
        sd=sd,
        ci_low=None if half is None else mean - half,
        ci_high=None if half is None else mean + half,
        worst=_worst(finite, direction),
        share_positive=float(np.mean(values > 0)),
        reason=OVERLAP if axis.value == "paths" else SINGLE if n == 1 else None,
        warnings=tuple(_warnings(history, vector, missing, direction)),
    )


def direction_of(decision: Decision) -> Direction | None:
    """The direction of a metric; None where no rule says it, or says that no value is better than another."""
    return None if decision.rule is None or decision.direction is Direction.NONE else decision.direction


def fold_of(item: tuple[int, float]) -> Fold:
    """The fold of a step and a value."""
    step, value = item
    return Fold(step, value if math.isfinite(value) else None)


def goodness(value: float, direction: Direction) -> float:
    """A number that is the higher the better the value is."""
    return {Direction.MAX: value, Direction.MIN: -value}.get(direction, -abs(value))


def mean_and_sd(values: npt.NDArray[np.float64]) -> tuple[float, float | None]:
    """The mean, and the standard deviation (ddof 1) of at least two values."""
    return float(values.mean()), float(values.std(ddof=1)) if len(values) >= _TWO else None


def half_width(variance: float, df: int) -> float:
    """Half of the confidence interval of a mean that has this variance."""
    return t_quantile((1 + CONFIDENCE) / 2, df) * math.sqrt(variance)


def _refusal(axis: Axis, finite: Mapping[int, float], count: int) -> Reason | None:
    if (refusal := refusal_of(axis)) is not None:
        return refusal
    if (reason := too_many(count)) is not None:
        return reason
    if not finite:
        return Reason(TOO_FEW_FOLDS, "The run logged no finite value of this metric.")
    return too_large(finite)


def too_many(count: int) -> Reason | None:
    """Why so many steps are not taken for folds; None where they are."""
    if count <= MOST_FOLDS:
        return None
    return Reason(TOO_MANY, f"Logged at {count:,} steps: more than {MOST_FOLDS:,} are no folds.")


def too_large(values: Mapping[int, float]) -> Reason | None:
    """Why nothing is computed of values whose squares are no numbers; None of all others."""
    if max(map(abs, values.values()), default=0.0) <= LARGEST:
        return None
    return Reason(NOT_COMPUTABLE, f"A value is beyond {LARGEST:g}, so that its square is no number.")


def _worst(values: Mapping[int, float], direction: Direction | None) -> Fold | None:
    """The fold that is worst by the direction, the first of several; None where there is no direction."""
    if direction is None:
        return None
    return fold_of(min(values.items(), key=lambda item: goodness(item[1], direction)))


def _warnings(
    history: History, vector: Mapping[int, float], missing: int, direction: Direction | None
) -> list[str]:
    warnings = []
    if again := len(history) - len(vector):
        warnings.append(f"{again} values were logged at a step that has a later one, which counts.")
    if missing:
        warnings.append(f"{missing} folds have no finite value and are left out.")
    if direction is None:
        warnings.append(NO_DIRECTION)
    return warnings
