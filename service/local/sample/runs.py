"""The values that are logged: what an experiment found, and the run that it becomes once it has its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

RunType = Literal["training", "walk_forward", "cpcv", "backtest"]
Status = Literal["FINISHED", "FAILED", "RUNNING"]

_SIGNIFICANT_DIGITS = 10  # beyond them two processors may differ


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One logged value. timestamp is in Unix epoch milliseconds."""

    key: str
    value: float
    step: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class SampleRun:
    """One MLflow run to be. Times are Unix epoch milliseconds; end_time is None while the run goes on."""

    name: str
    status: Status
    start_time: int
    end_time: int | None
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: tuple[MetricPoint, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one experiment found, before it has a time.

    series holds one mapping for each step (a fold, a split, a path); a summary is the result of the whole.
    """

    run_type: RunType
    params: Mapping[str, object]
    summary: Mapping[str, float] = field(default_factory=dict)
    series: tuple[Mapping[str, float], ...] = ()
    status: Status = "FINISHED"
    note: str = ""


def place(finding: Finding, tags: Mapping[str, str], start_time: int, duration: int) -> SampleRun:
    """A finding as a run that starts at start_time and would take duration milliseconds.

    Its steps are spread evenly over the duration, and the summary comes at the end, when the run ends too.
    """
    end = start_time + duration
    steps = len(finding.series)
    points = [
        _point(values, step, start_time + duration * (step + 1) // (steps + 1))
        for step, values in enumerate(finding.series)
    ]
    note = {"mlflow.note.content": finding.note} if finding.note else {}
    return SampleRun(
        name=finding.run_type,
        status=finding.status,
        start_time=start_time,
        end_time=None if finding.status == "RUNNING" else end,
        tags={"run_type": finding.run_type, **tags, **note},
        params={key: str(value) for key, value in finding.params.items()},
        metrics=tuple(_flat([*points, _point(finding.summary, 0, end)])),
    )


def _point(values: Mapping[str, float], step: int, timestamp: int) -> list[MetricPoint]:
    return [MetricPoint(key, _rounded(value), step, timestamp) for key, value in values.items()]


def _flat(points: Iterable[list[MetricPoint]]) -> Iterable[MetricPoint]:
    return (point for group in points for point in group)


def _rounded(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}") + 0.0  # + 0.0 makes -0.0 the plain zero
