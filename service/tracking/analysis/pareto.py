"""The Pareto front of runs: those that no other run beats on all of some metrics. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.tracking.analysis.computed import MISSING_INPUT, NOT_COMPUTABLE, TOO_MANY, Reason
from service.tracking.analysis.deltas import score_of
from service.tracking.directions import Direction
from service.tracking.runs import Run

MAX_PARETO_METRICS: Final = 4


class Pareto(msgspec.Struct, frozen=True, gc=False):
    """The runs that no other run beats.

    run_ids: None where there is no front, and then `reason` says why. metrics: those that it is of.
    missing_run_ids: runs that lack a finite value of one of them, which neither beat nor are beaten.
    """

    run_ids: list[str] | None
    metrics: list[str]
    missing_run_ids: list[str]
    reason: Reason | None


def pareto_of(runs: Sequence[Run], directions: Mapping[str, Direction]) -> Pareto:
    """The front of those metrics that have a direction. directions: of each metric, by name.

    One run beats another if it is at least as good by every metric, and better by one. Of runs with equal
    values none beats the other.
    """
    judged = {name: score for name, each in directions.items() if (score := score_of(each)) is not None}
    if not judged:
        return _none(MISSING_INPUT, "Ask for one to four metrics of which some value is better than others.")
    if len(judged) > MAX_PARETO_METRICS:
        text = f"By {len(judged)} metrics hardly any run beats another: ask for at most {MAX_PARETO_METRICS}."
        return _none(TOO_MANY, text)
    scores = np.array([[score(_number(run, name)) for name, score in judged.items()] for run in runs])
    is_whole = np.isfinite(scores).all(axis=1)
    mine, other = scores[:, None, :], scores[None, is_whole, :]
    beats: NDArray[np.bool_] = np.all(other >= mine, axis=2) & np.any(other > mine, axis=2)
    is_beaten = beats.any(axis=1)
    missing = _ids(runs, ~is_whole)
    if len(missing) == len(runs):
        return Pareto(None, [*judged], missing, Reason(NOT_COMPUTABLE, "No run has all of these metrics."))
    return Pareto(_ids(runs, is_whole & ~is_beaten), [*judged], missing, None)


def _number(run: Run, name: str) -> float:
    value = run.metrics.get(name)
    return math.nan if value is None else value


def _ids(runs: Sequence[Run], chosen: NDArray[np.bool_]) -> list[str]:
    return [run.run_id for run, is_chosen in zip(runs, chosen.tolist(), strict=True) if is_chosen]


def _none(code: str, text: str) -> Pareto:
    return Pareto(None, [], [], Reason(code, text))
