"""The values that are logged: what an experiment found, and the run that it becomes once it has its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from service.local.sample.provenance import Context, Dataset, Model

RunType = Literal["training", "walk_forward", "cpcv", "backtest", "sweep"]
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
    """One MLflow run to be. Times are Unix epoch milliseconds; end_time is None while the run goes on.

    parent is the start time of the run that this one is a part of: no two runs of the sample start at the
    same time. makes is a model that the run logs, uses the name of one that an earlier run has logged.
    """

    name: str
    status: Status
    start_time: int
    end_time: int | None
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: tuple[MetricPoint, ...]
    dataset: Dataset | None = None
    parent: int | None = None
    makes: Model | None = None
    uses: str | None = None

    @property
    def context(self) -> Context:
        """What the run's dataset is used for, in MLflow's words."""
        return "training" if self.tags.get("run_type") == "training" else "evaluation"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one experiment found, before it has a time.

    series holds one mapping for each step (a fold, a split, a path); a summary is the result of the whole.
    children are findings that are parts of this one. dataset, makes and uses are those of the run.
    """

    run_type: RunType
    params: Mapping[str, object]
    summary: Mapping[str, float] = field(default_factory=dict)
    series: tuple[Mapping[str, float], ...] = ()
    status: Status = "FINISHED"
    note: str = ""
    children: tuple[Finding, ...] = ()
    dataset: Dataset | None = None
    makes: Model | None = None
    uses: str | None = None


def place(
    finding: Finding, tags: Mapping[str, str], start_time: int, duration: int, parent: int | None = None
) -> SampleRun:
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
        dataset=finding.dataset,
        parent=parent,
        makes=finding.makes,
        uses=finding.uses,
    )


def _point(values: Mapping[str, float], step: int, timestamp: int) -> list[MetricPoint]:
    return [MetricPoint(key, _rounded(value), step, timestamp) for key, value in values.items()]


def _flat(points: Iterable[list[MetricPoint]]) -> Iterable[MetricPoint]:
    return (point for group in points for point in group)


def _rounded(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}") + 0.0  # + 0.0 makes -0.0 the plain zero
