"""The folds of several runs as one matrix: a row for each fold, a column for each configuration. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from service.tracking.analysis.computed import MISSING_INPUT, MIXED_DATA
from service.tracking.analysis.folds import LARGEST
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
    """Of the runs that have a fold vector one of each configuration, by `preference`.

    Both mappings are by run id. Runs whose folds are not at the steps that most have are left out, and said;
    so are runs without any fold that can be computed with. Raises a Refusal where no run has folds, or where
    they come from several versions of the data set.
    """
    usable = {
        run_id: {step: value for step, value in vector.items() if abs(value) <= LARGEST}  # NaN is not
        for run_id, vector in vectors.items()
    }
    newest: dict[int, Run] = {}
    empty: set[int] = set()
    for run in sorted(runs, key=preference):
        if usable.get(run.run_id):
            newest.setdefault(configurations[run.run_id], run)
        elif run.run_id in usable:
            empty.add(configurations[run.run_id])
    chosen = sorted(newest.values(), key=lambda run: run.run_id)
    if not chosen:
        raise Refusal(
            MISSING_INPUT,
            "No trial has a metric that was logged once for each walk-forward fold, with numbers up to "
            f"{LARGEST:g}.",
        )
    versions = sorted({run.tags.get("dataset_version", "(none)") for run in chosen})
    if len(versions) > 1:
        raise Refusal(
            MIXED_DATA,
            f"The folds come from {len(versions)} versions of the data set ({', '.join(versions[:3])} …): "
            "choose one with filter=tags.dataset_version = '…'.",
        )
    counted = Counter(tuple(sorted(usable[run.run_id])) for run in chosen)
    steps = min(counted, key=lambda steps: (-counted[steps], -len(steps), steps))
    fitting = [run.run_id for run in chosen if tuple(sorted(usable[run.run_id])) == steps]
    left = {
        "their folds are at other steps": len(chosen) - len(fitting),
        f"none of their folds has a number up to {LARGEST:g}": len(empty - newest.keys()),
    }
    return FoldMatrix(
        np.array([[usable[run_id][step] for run_id in fitting] for step in steps], dtype=float),
        steps,
        tuple(fitting),
        tuple(
            f"Configurations that are left out, since {why}: {count}." for why, count in left.items() if count
        ),
    )


def preference(run: Run) -> tuple[bool, tuple[float, str]]:
    """The order in which the runs of one configuration are chosen: those that finished, then the newest."""
    return run.status != "FINISHED", run.place.rank
