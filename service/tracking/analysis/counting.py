"""Which runs of a strategy count as trials of a metric. Pure.

A trial is a run of a run type that logs the metric, be it that it failed before it did. No trial is a child
run (MLflow's tag mlflow.parentRunId) that is only a part of its parent, such as a fold: the parent is a trial
that logs the metric itself, and each parameter of the child is one of the parent's with the same text, apart
from those that number a part. The child of a sweep has parameters that the sweep has not, and is a trial. In
doubt a run counts: too many trials make a good one look like luck, too few hide that it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

import msgspec
import numpy as np

from service.tracking.analysis.trials import Trials
from service.tracking.runs import Run

PARENT: Final = "mlflow.parentRunId"
# Parameters that say which part of its parent a child is.
PART_NUMBERS: Final = frozenset(
    {
        *("fold", "fold_id", "fold_index", "fold_number", "fold_no", "cv_fold", "outer_fold", "inner_fold"),
        *("split", "split_id", "split_index", "split_number", "path", "path_id", "path_index"),
        *("window", "window_id", "window_index"),
    }
)


class Counted(msgspec.Struct, frozen=True, gc=False):
    """The trials of a metric.

    run_types: those that count. other_run_types: how many runs of each other type there are. parts: child
    runs of types that count, which are only parts of others.
    """

    trials: Trials
    run_types: tuple[str, ...]
    other_run_types: Mapping[str, int]
    parts: int

    def warnings(self, metric: str) -> tuple[str, ...]:
        """What the number of trials may leave out."""
        if not self.other_run_types or not self.run_types:
            return ()
        others = ", ".join(f"{number} {run_type}" for run_type, number in self.other_run_types.items())
        warning = (
            f"Runs of other types are no trials of {metric} ({others}). Where they helped to choose what the "
            "trials are, more was tried than is counted here."
        )
        return (warning,)


def counted(trials: Trials, metric: str, run_types: Collection[str] = ()) -> Counted:
    """The trials of a metric among the runs of a strategy.

    run_types: those that may count, where a run of them has a finite value of the metric; () for all.
    """
    logs = np.isfinite(trials.values(metric)).tolist()
    logging = {run.run_id: run for run, has_value in zip(trials.all, logs, strict=True) if has_value}
    types = {run.run_type for run in logging.values() if not run_types or run.run_type in run_types}
    parents = {run_id: run for run_id, run in logging.items() if run.run_type in types}
    others = Counter(run.run_type for run in trials.all if run.run_type not in types)
    narrowed = msgspec.structs.replace(
        trials,
        runs=tuple([run for run in trials.runs if run.run_type in types and not is_part(run, parents)]),
        deleted=tuple([run for run in trials.deleted if run.run_type in types and not is_part(run, parents)]),
    )
    parts = len(trials.all) - len(narrowed.all) - others.total()
    return Counted(narrowed, tuple(sorted(types)), dict(sorted(others.items())), parts)


def is_part(run: Run, parents: Mapping[str, Run]) -> bool:
    """Whether the run is only a part of its parent. parents: by run id, trials that log the metric."""
    parent = parents.get(run.tags.get(PARENT, ""))
    if parent is None or parent is run:
        return False
    own = {name: text for name, text in run.params.items() if name not in PART_NUMBERS}
    is_known = bool(parent.params) or len(own) < len(run.params)  # else nobody can tell what either tried
    return is_known and own.items() <= parent.params.items()
