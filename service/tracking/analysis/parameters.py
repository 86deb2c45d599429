"""Parameters and tags over several runs: what differs, and what only looks as if it did. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from service.tracking.analysis.typed import canonical, number_of
from service.tracking.runs import Run

_OF_MLFLOW = "mlflow."


class ParamAnalysis(msgspec.Struct, frozen=True, gc=False):
    """One parameter over the runs, by run id; None where a run lacks it.

    varies: whether the texts differ, or a run lacks it. numeric: whether each value that is there is a finite
    number. same_number: whether it varies in nothing but how one number is written, as 0.1 and 0.10.
    """

    values: dict[str, str | None]
    varies: bool
    numeric: bool
    same_number: bool


def param_analysis(values: dict[str, str | None]) -> ParamAnalysis:
    """The analysis of a parameter, of which at least one run has a value."""
    distinct = set(values.values())
    texts = [text for text in distinct if text is not None]
    varies, numeric = len(distinct) > 1, all(number_of(text) is not None for text in texts)
    is_same = numeric and 1 < len(texts) == len(distinct) and len(set(map(canonical, texts))) == 1
    return ParamAnalysis(values, varies, numeric, is_same)


def tags_that_differ(runs: Sequence[Run]) -> dict[str, dict[str, str | None]]:
    """The values of each tag that is not the same for all runs, by run id; those of MLflow's own left out."""
    tags: dict[str, dict[str, str | None]] = {}
    for name in {name: None for run in runs for name in run.tags}:
        values = {run.run_id: run.tags.get(name) for run in runs}
        if not name.startswith(_OF_MLFLOW) and len(set(values.values())) > 1:
            tags[name] = values
    return tags
