"""The folds of a strategy's walk-forward runs, for what only folds can say: is the choice overfitted?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from service.answer import Answer, combine
from service.tracking.analysis.computed import AXIS_UNKNOWN, FOLDS_OVERLAP, TOO_MANY, Reason
from service.tracking.analysis.selecting.fold_matrix import FoldVector, preference
from service.tracking.analysis.trials import Trials
from service.tracking.asked import Asked
from service.tracking.history import GetHistory, History, last_by_step
from service.tracking.runs import Run

MOST_RUNS: Final = 100

_WALK_FORWARD: Final = "walk_forward"
_OVERLAPPING: Final = "cpcv"


class Folds(msgspec.Struct, frozen=True, gc=False):
    """The fold vectors by run id, or the reason why there are none. metric: whose values they are."""

    metric: str
    vectors: Mapping[str, FoldVector] = {}
    reason: Reason | None = None


def fold_metric_of(trials: Trials, metric: str) -> str:
    """The metric that is taken for the folds of another: fold_<metric> where a walk-forward run has it."""
    own = f"fold_{metric}"
    return own if any(own in run.metrics for run in _walk_forwards(trials)) else metric


async def folds_of(asked: Asked, trials: Trials, metric: str) -> Answer[Folds]:
    """The folds of a walk-forward run of each configuration: the newest that finished and logs the metric.

    Each step of the metric's history is a fold. UpstreamFailure where MLflow fails.
    """
    runs = await asked.workers.run(partial(_one_of_each, trials, metric))
    if not runs:
        return Answer(Folds(metric, reason=_why_none(trials, metric)))
    if len(runs) > MOST_RUNS:
        text = (
            f"Folds are read of at most {MOST_RUNS} walk-forward configurations, and there are {len(runs)}: "
            "narrow them by a filter."
        )
        return Answer(Folds(metric, reason=Reason(TOO_MANY, text)))
    answers = await asked.queries.several([GetHistory(run.run_id, metric, run.is_terminal) for run in runs])
    histories = {run.run_id: answer.value for run, answer in zip(runs, answers, strict=True)}
    vectors = await asked.workers.run(partial(_vectors, histories))
    return combine(Folds(metric, vectors), answers)


def _vectors(histories: Mapping[str, History]) -> dict[str, FoldVector]:
    return {run_id: last_by_step(history) for run_id, history in histories.items()}


def _one_of_each(trials: Trials, metric: str) -> list[Run]:
    """Of each configuration the walk-forward run that logs the metric: by `preference`, NaN last."""
    logged = [run for run in _walk_forwards(trials) if metric in run.metrics]
    logged.sort(key=lambda run: (run.metrics[metric] is None, *preference(run)))
    logging = msgspec.structs.replace(trials, runs=tuple(logged), deleted=())
    newest: dict[int, Run] = {}
    for run, configuration in zip(logging.runs, logging.configurations().tolist(), strict=True):
        newest.setdefault(configuration, run)
    return list(newest.values())


def _walk_forwards(trials: Trials) -> list[Run]:
    return [run for run in trials.runs if run.run_type == _WALK_FORWARD]


def _why_none(trials: Trials, metric: str) -> Reason:
    if any(run.run_type == _OVERLAPPING and metric in run.metrics for run in trials.runs):
        return Reason(
            FOLDS_OVERLAP,
            f"Only runs of CPCV log {metric}, whose splits overlap, so that they are no folds: it takes "
            "walk-forward runs.",
        )
    return Reason(
        AXIS_UNKNOWN,
        f"No trial with the tag run_type = {_WALK_FORWARD} logs {metric}, and only of such runs a step is "
        "known to be a fold: name another metric by fold_metric.",
    )
