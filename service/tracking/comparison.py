"""What differs between runs, and which one is best by each metric. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isinf

import msgspec

from service.tracking.directions import Direction
from service.tracking.runs import Run


class MetricDiff(msgspec.Struct, frozen=True, gc=False):
    """One metric across the runs: a value for each run id, None where the run lacks a finite one.

    best_run_id is None where no run has a finite value, and for a metric that is neither better high nor low.
    """

    values: dict[str, float | None]
    best_run_id: str | None


class ParamDiff(msgspec.Struct, frozen=True, gc=False):
    """One parameter across the runs: a value for each run id, None where the run lacks it.

    varies is False only when every run has it with the same string: what is absent somewhere was not held
    constant.
    """

    values: dict[str, str | None]
    varies: bool


class Comparison(msgspec.Struct, frozen=True, gc=False):
    """The runs in the order asked for, and each metric and parameter that any of them has."""

    runs: tuple[Run, ...]
    metric_diff: Mapping[str, MetricDiff]
    param_diff: Mapping[str, ParamDiff]


def compare(runs: Sequence[Run], direction_of: Callable[[str], Direction]) -> Comparison:
    """Set runs side by side. Names stand in the order in which the runs bring them."""
    metrics = [(run.run_id, run.metrics) for run in runs]
    params = [(run.run_id, run.params) for run in runs]
    return Comparison(
        tuple(runs),
        {name: _metric_diff(name, metrics, direction_of) for name in _names(held for _, held in metrics)},
        {name: _param_diff(name, params) for name in _names(held for _, held in params)},
    )


def _names(mappings: Iterable[Mapping[str, object]]) -> dict[str, None]:
    return {name: None for mapping in mappings for name in mapping}


def _metric_diff(
    name: str,
    metrics: Sequence[tuple[str, Mapping[str, float | None]]],
    direction_of: Callable[[str], Direction],
) -> MetricDiff:
    values = {run_id: _finite(held.get(name)) for run_id, held in metrics}
    finite = [(value, run_id) for run_id, value in values.items() if value is not None]
    return MetricDiff(values, _best(finite, direction_of(name)) if finite else None)


def _finite(value: float | None) -> float | None:
    return None if value is None or isinf(value) else value


def _best(finite: Sequence[tuple[float, str]], direction: Direction) -> str | None:
    # min and max keep the first of equals: the run asked for first wins a tie.
    if direction is Direction.MAX:
        return max(finite, key=lambda pair: pair[0])[1]
    if direction is Direction.MIN:
        return min(finite, key=lambda pair: pair[0])[1]
    if direction is Direction.NONE:
        return None
    return min(finite, key=lambda pair: abs(pair[0]))[1]


def _param_diff(name: str, params: Sequence[tuple[str, Mapping[str, str]]]) -> ParamDiff:
    values = {run_id: held.get(name) for run_id, held in params}
    distinct = set(values.values())
    return ParamDiff(values, varies=len(distinct) > 1)
