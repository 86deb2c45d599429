"""Reads the folds of a run, and those of another one to compare them with."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import msgspec

from service.answer import Answer, combine
from service.tracking.analysis.computed import MIXED_DATA, NOT_COMPUTABLE, Reason
from service.tracking.analysis.folds import Axis, FoldAxis, Folds, axis_of, direction_of, folds_of, refusal_of
from service.tracking.analysis.paired import Paired, paired_of, refused
from service.tracking.analysis.reading_histories import histories_of_run
from service.tracking.directions import Decision
from service.tracking.history import History, last_by_step
from service.tracking.queries import TrackingQueries
from service.tracking.questions import GetRun
from service.tracking.runs import Run

_DATA = "dataset_version"
_NO_VERSION = "Neither run says which dataset_version it used: that they used the same is taken for granted."


class FoldsAsked(NamedTuple):
    """What is asked of the folds of a metric of a run.

    against: the run to compare with. axis: what the steps stand for; None derives it. ratio: n_test/n_train
    of a fold; None assumes it.
    """

    run_id: str
    key: str
    against: str | None = None
    axis: FoldAxis | None = None
    ratio: float | None = None


class FoldsRead(NamedTuple):
    """A run with the history of the metric."""

    run: Run
    history: History


class FoldsReport(msgspec.Struct, frozen=True, gc=False):
    """The folds of a run, and their comparison with those of another, if that was asked for."""

    folds: Folds
    paired: Paired | None


async def read_folds(queries: TrackingQueries, asked: FoldsAsked) -> Answer[tuple[FoldsRead, ...]]:
    """What the report is made from: the run's, then the other's. RunsNotFound."""
    run_ids = [asked.run_id] if asked.against is None else [asked.run_id, asked.against]
    read = await queries.together([GetRun(run_id) for run_id in run_ids])
    answers = await asyncio.gather(*(histories_of_run(queries, read, run, [asked.key]) for run in read.value))
    pairs = zip(read.value, answers, strict=True)
    return combine(tuple(FoldsRead(run, answer.value[0]) for run, answer in pairs), [read, *answers])


def report_of(read: tuple[FoldsRead, ...], asked: FoldsAsked, decision: Decision) -> FoldsReport:
    """The report on what was read. decision: the direction of the metric."""
    this, *others = read
    axis = axis_of(this.run, asked.axis)
    paired = _paired(this, others[0], asked, decision) if others else None
    return FoldsReport(folds_of(this.history, axis, decision), paired)


def _paired(this: FoldsRead, other: FoldsRead, asked: FoldsAsked, decision: Decision) -> Paired:
    axes = axis_of(this.run, asked.axis), axis_of(other.run, asked.axis)
    versions = this.run.tags.get(_DATA), other.run.tags.get(_DATA)
    reason = refusal_of(axes[0]) or refusal_of(axes[1]) or _unlike(axes) or _mixed(versions)
    if reason is not None:
        return refused(reason)
    paired = paired_of(
        last_by_step(this.history),
        last_by_step(other.history),
        direction_of(decision),
        asked.ratio,
        overlap=axes[0].value == "paths",
    )
    if versions == (None, None):
        return msgspec.structs.replace(paired, warnings=(*paired.warnings, _NO_VERSION))
    return paired


def _unlike(axes: tuple[Axis, Axis]) -> Reason | None:
    this, other = axes[0].value, axes[1].value
    if this == other:
        return None
    return Reason(
        NOT_COMPUTABLE, f"The steps of this run are {this}, those of the other {other}: they do not match."
    )


def _mixed(versions: tuple[str | None, str | None]) -> Reason | None:
    if versions[0] == versions[1]:
        return None
    this, other = (version or "none" for version in versions)
    return Reason(
        MIXED_DATA,
        f"This run has the dataset_version {this}, the other {other}: their folds are of other data, and "
        "differences say nothing. Choose two runs of the same dataset_version.",
    )
