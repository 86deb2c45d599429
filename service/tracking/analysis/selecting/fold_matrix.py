"""The folds of several runs as one matrix: a row for each fold, a column for each configuration. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from service.tracking.analysis.computed import MISSING_INPUT, MIXED_DATA
from service.tracking.analysis.refusals import Refusal
from service.tracking.runs import Run

FoldVector = Mapping[int, float]  # the step of a fold to its value


class FoldMatrix(NamedTuple):
    """values: folds (rows, by step) of configurations (columns). steps: of the rows. run_ids: of columns."""

    values: npt.NDArray[np.float64]
    steps: tuple[int, ...]
    run_ids: tuple[str, ...]
    warnings: tuple[str, ...]


def fold_matrix(
    runs: Sequence[Run], configurations: Mapping[str, int], vectors: Mapping[str, FoldVector]
) -> FoldMatrix:
    """Of the runs that have a fold vector: the newest run of each configuration. Both mappings are by run id.

    Runs whose folds are not at the steps that most have are left out, and said. Raises a Refusal where no run
    has folds, or where they come from several versions of the data set.
    """
    newest: dict[int, Run] = {}
    for run in sorted(runs, key=lambda run: run.place.rank):
        if vectors.get(run.run_id):
            newest.setdefault(configurations[run.run_id], run)
    chosen = sorted(newest.values(), key=lambda run: run.run_id)
    if not chosen:
        raise Refusal(MISSING_INPUT, "No trial has a metric that was logged once for each walk-forward fold.")
    versions = sorted({run.tags.get("dataset_version", "(none)") for run in chosen})
    if len(versions) > 1:
        raise Refusal(
            MIXED_DATA,
            f"The folds come from {len(versions)} versions of the data set ({', '.join(versions[:3])} …): "
            "choose one with filter=tags.dataset_version = '…'.",
        )
    finite = {
        run.run_id: {step: value for step, value in vectors[run.run_id].items() if math.isfinite(value)}
        for run in chosen
    }
    counted = Counter(tuple(sorted(folds)) for folds in finite.values())
    steps = min(counted, key=lambda steps: (-counted[steps], -len(steps), steps))
    fitting = [run.run_id for run in chosen if tuple(sorted(finite[run.run_id])) == steps]
    left = len(chosen) - len(fitting)
    return FoldMatrix(
        np.array([[finite[run_id][step] for run_id in fitting] for step in steps], dtype=float),
        steps,
        tuple(fitting),
        (f"{left} configurations have folds at other steps and are left out.",) if left else (),
    )
