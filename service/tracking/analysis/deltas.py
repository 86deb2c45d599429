"""One metric over several runs: how each differs from a baseline, and how they rank. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from service.tracking.directions import Decision, Direction

# Why a difference cannot be had. Stable, for programs.
BASELINE_MISSING: Final = "baseline_missing"
BASELINE_NOT_FINITE: Final = "baseline_not_finite"
BASELINE_ZERO: Final = "baseline_zero"
VALUE_MISSING: Final = "value_missing"
VALUE_NOT_FINITE: Final = "value_not_finite"
SIGNS_DIFFER: Final = "signs_differ"
TOO_LARGE: Final = "too_large"

# What a run has of a metric: None and infinities are no finite numbers, and a run may lack the metric.
Values = Mapping[str, float | None]

_SCORE: Final[dict[Direction, Callable[[float], float]]] = {
    Direction.MAX: lambda value: value,
    Direction.MIN: lambda value: -value,
    Direction.CLOSEST_TO_ZERO: lambda value: -abs(value),
}


class Delta(msgspec.Struct, frozen=True, gc=False):
    """How a run's value differs from the baseline's.

    absolute: value minus baseline. relative: that as a share of the baseline's magnitude, so that a plus sign
    always means a higher value; None where the baseline is 0 or has another sign. better: None where the two
    are equally good, or none of them is better. reason: why one of the differences is None; None where both
    are there.
    """

    absolute: float | None
    relative: float | None
    better: bool | None
    reason: str | None


class Spread(msgspec.Struct, frozen=True, gc=False):
    """The finite values of a metric. missing: how many runs have none. sd: of the sample, from two on."""

    n: int
    missing: int
    mean: float | None
    sd: float | None
    min: float | None
    max: float | None


class Noise(msgspec.Struct, frozen=True, gc=False):
    """How much a metric differs between runs that repeat one configuration.

    sd: pooled over the groups of such runs. degrees_of_freedom: runs less groups.
    """

    sd: float
    degrees_of_freedom: int


class MetricAnalysis(msgspec.Struct, frozen=True, gc=False):
    """One metric over the runs, by run id.

    rule: the rule that decided the direction; None where no rule fits and the direction is assumed.
    not_finite_run_ids: of the runs without a value, those that logged NaN or infinity; the others lack it.
    deltas: of all runs but the baseline. ranks: 1 is best, and equals share a rank, behind which as many are
    left out (1, 2, 2, 4); None for a run without a finite value, and for all where no value is better.
    best_run_ids: all that have rank 1. noise: None where no configuration was repeated.
    """

    direction: Direction
    rule: str | None
    values: dict[str, float | None]
    not_finite_run_ids: list[str]
    deltas: dict[str, Delta]
    ranks: dict[str, int | None]
    best_run_ids: list[str]
    spread: Spread
    noise: Noise | None


def metric_analysis(
    held: Values, run_ids: Sequence[str], baseline: str, decision: Decision, repeats: Sequence[Sequence[str]]
) -> MetricAnalysis:
    """The analysis of a metric.

    held: what the runs have of it, by run id; a run that lacks it is not in there. run_ids: of all runs.
    repeats: groups of runs of one configuration.
    """
    values = {run_id: _finite(held.get(run_id)) for run_id in run_ids}
    score = _SCORE.get(decision.direction)
    ranks = _ranks(values, score)
    base, lacking = values[baseline], _lacking(held, baseline, BASELINE_MISSING, BASELINE_NOT_FINITE)
    deltas: dict[str, Delta] = {}
    for run_id, value in values.items():
        if run_id == baseline:
            continue
        if base is None or value is None:
            reason = lacking if base is None else _lacking(held, run_id, VALUE_MISSING, VALUE_NOT_FINITE)
            deltas[run_id] = Delta(None, None, None, reason)
        else:
            deltas[run_id] = _delta(value, base, score)
    best = [run_id for run_id, rank in ranks.items() if rank == 1]
    not_finite = [run_id for run_id, value in values.items() if value is None and run_id in held]
    spread, noise = _spread(values), _noise(values, repeats)
    return MetricAnalysis(*decision, values, not_finite, deltas, ranks, best, spread, noise)


def score_of(direction: Direction) -> Callable[[float], float] | None:
    """A function of a value that is higher the better the value is; None where none is better."""
    return _SCORE.get(direction)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _lacking(held: Values, run_id: str, missing: str, not_finite: str) -> str:
    return not_finite if run_id in held else missing


def _delta(value: float, base: float, score: Callable[[float], float] | None) -> Delta:
    better = None if score is None or score(value) == score(base) else score(value) > score(base)
    absolute = value - base
    if not math.isfinite(absolute):
        return Delta(None, None, better, TOO_LARGE)
    if base == 0:
        return Delta(absolute, None, better, BASELINE_ZERO)
    if value * math.copysign(1.0, base) < 0:
        return Delta(absolute, None, better, SIGNS_DIFFER)
    relative = absolute / abs(base)
    if not math.isfinite(relative):
        return Delta(absolute, None, better, TOO_LARGE)
    return Delta(absolute, relative, better, None)


def _ranks(
    values: Mapping[str, float | None], score: Callable[[float], float] | None
) -> dict[str, int | None]:
    """Competition ranks: one more than the number of runs that are better."""
    if score is None:
        return dict.fromkeys(values)
    scores = [None if value is None else score(value) for value in values.values()]
    rank_of: dict[float, int] = {}
    for place, one in enumerate(sorted((one for one in scores if one is not None), reverse=True), 1):
        rank_of.setdefault(one, place)
    return {run_id: None if one is None else rank_of[one] for run_id, one in zip(values, scores, strict=True)}


def _spread(values: Mapping[str, float | None]) -> Spread:
    finite = [value for value in values.values() if value is not None]
    n = len(finite)
    if not n:
        return Spread(0, len(values), None, None, None, None)
    low, high = min(finite), max(finite)
    mean = _mean(finite)
    sd = _finite(math.sqrt(_squares(finite, mean) / (n - 1))) if n > 1 else None
    return Spread(n, len(values) - n, mean, sd, low, high)


def _noise(values: Mapping[str, float | None], repeats: Sequence[Sequence[str]]) -> Noise | None:
    squares, degrees = 0.0, 0
    for run_ids in repeats:
        finite = [value for run_id in run_ids if (value := values[run_id]) is not None]
        if len(finite) > 1:
            squares += _squares(finite, _mean(finite))
            degrees += len(finite) - 1
    sd = _finite(math.sqrt(squares / degrees)) if degrees else None
    return None if sd is None else Noise(sd, degrees)


def _mean(finite: Sequence[float]) -> float:
    """Between the lowest and the highest, whatever rounding does."""
    n = len(finite)
    try:
        mean = math.fsum(finite) / n
    except OverflowError:  # the sum is no float, the mean is one
        mean = math.fsum([value / n for value in finite])
    return min(max(mean, min(finite)), max(finite))


def _squares(finite: Sequence[float], mean: float) -> float:
    try:
        return math.fsum([(value - mean) * (value - mean) for value in finite])
    except OverflowError:  # each square is a float, their sum is none
        return math.inf
