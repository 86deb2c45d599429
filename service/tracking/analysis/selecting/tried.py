"""The trials of a metric, and their Sharpe ratios of one period. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from service.tracking.analysis.computed import MISSING_INPUT, TOO_FEW_TRIALS
from service.tracking.analysis.declared import ANNUAL, IMPLAUSIBLE_SHARPE, Declared, number_in
from service.tracking.analysis.refusals import Refusal
from service.tracking.analysis.trials import Trials
from service.tracking.runs import Run

Floats = npt.NDArray[np.float64]

_FAILED = frozenset({"FAILED", "KILLED"})


class TrialCounts(msgspec.Struct, frozen=True, gc=False):
    """How many trials there were.

    distinct: configurations, by their params. with_sharpe: trials with a finite metric of known unit. failed:
    killed ones included.
    """

    all: int
    distinct: int
    with_sharpe: int
    failed: int
    running: int
    deleted: int
    run_types: tuple[str, ...]


class Sharpes(NamedTuple):
    """The Sharpe ratios of the trials that have one, of one period of the best run.

    position: of the best run among them. annual: whether they were compared as annual ones. observations: NaN
    where a trial does not say it.
    """

    best: Run
    position: int
    values: Floats
    observations: Floats
    annual: bool
    warnings: tuple[str, ...]


class Tried:
    """The trials of a metric, deleted ones included, as `counting.counted` has them.

    configurations: the number of each trial's configuration, by run id.
    """

    def __init__(self, trials: Trials, metric: str, declared: Declared) -> None:
        self._metric = metric
        self._declared = declared
        self.active = trials.runs
        self.deleted = trials.deleted
        self.all = trials.all
        ids = (run.run_id for run in self.all)
        self.configurations: Mapping[str, int] = dict(zip(ids, trials.configurations().tolist(), strict=True))

    def counts(self, with_sharpe: int) -> TrialCounts:
        """Of these trials, so many of which have a Sharpe ratio."""
        return TrialCounts(
            all=len(self.all),
            distinct=len(set(self.configurations.values())),
            with_sharpe=with_sharpe,
            failed=sum(run.status in _FAILED for run in self.all),
            running=sum(not run.is_terminal for run in self.all),
            deleted=len(self.deleted),
            run_types=tuple(sorted({run.run_type for run in self.all})),
        )

    def children(self) -> int:
        """How many of these trials were started by another one of them."""
        ids = {run.run_id for run in self.all}
        return sum(run.tags.get("mlflow.parentRunId") in ids for run in self.all)

    def best_by_value(self) -> Run:
        """The finished run with the highest metric, whatever its unit; of several the newest."""
        return _best(self._metric, [(run, run.metrics[self._metric] or 0.0) for run in self._finished()])

    def sharpes(self) -> Sharpes:
        """Raises a Refusal where the unit of no finished run is known."""
        best = self.best_by_value()
        known: list[tuple[Run, float, float | None]] = []
        unknown = unusable = 0
        refusal: Refusal | None = None
        for run in self.all:
            value = self._declared.value(run)
            if value is None:
                unusable += self._metric in run.metrics
                continue
            try:
                sharpe, periods = self._of_period(run, value)
            except Refusal as unit_unknown:
                refusal, unknown = unit_unknown, unknown + 1
                continue
            if abs(sharpe) > IMPLAUSIBLE_SHARPE:
                unusable += 1
            else:
                known.append((run, sharpe, periods))
        candidates = {run.run_id for run in self._finished()}
        if not any(run.run_id in candidates for run, _, _ in known):
            raise refusal or Refusal(
                TOO_FEW_TRIALS,
                f"No finished run has a possible {self._metric}: that of {best.run_id} is the highest.",
            )
        return self._comparable(known, candidates, self._said(unknown, unusable))

    def _comparable(
        self, known: Sequence[tuple[Run, float, float | None]], candidates: set[str], said: Sequence[str]
    ) -> Sharpes:
        annual = all(periods is not None for _, _, periods in known)
        scale = [math.sqrt(periods) if annual and periods else 1.0 for _, _, periods in known]
        values = [sharpe * factor for (_, sharpe, _), factor in zip(known, scale, strict=True)]
        best = _best(
            self._metric,
            [
                (run, value)
                for (run, _, _), value in zip(known, values, strict=True)
                if run.run_id in candidates
            ],
        )
        position = next(number for number, (run, _, _) in enumerate(known) if run is best)
        return Sharpes(
            best,
            position,
            np.array(values) / scale[position],
            np.array([self._observations(run) for run, _, _ in known]),
            annual,
            tuple(said),
        )

    def _said(self, unknown: int, unusable: int) -> list[str]:
        said = []
        if unknown:
            said.append(f"Trials that do not say the unit of {self._metric} only count as trials: {unknown}.")
        if unusable:
            said.append(
                f"Trials whose {self._metric} is no number, infinite or impossible only count as trials: "
                f"{unusable}."
            )
        return said

    def _finished(self) -> list[Run]:
        return [
            run for run in self.active if run.status == "FINISHED" and self._declared.value(run) is not None
        ]

    def _of_period(self, run: Run, value: float) -> tuple[float, float | None]:
        """The Sharpe ratio of one period, and how many of them a year has, None where that is not known."""
        if self._declared.unit(run).value == ANNUAL:
            periods = number_in(self._declared.periods(run))
            return value / math.sqrt(periods), periods
        try:
            return value, number_in(self._declared.periods(run))
        except Refusal:
            return value, None

    def _observations(self, run: Run) -> float:
        try:
            return number_in(self._declared.observations(run))
        except Refusal:
            return math.nan


def _best(metric: str, candidates: Sequence[tuple[Run, float]]) -> Run:
    if not candidates:
        raise Refusal(MISSING_INPUT, f"No finished run that is not deleted has a finite metric {metric}.")
    return min(candidates, key=lambda one: (-one[1], one[0].place.rank))[0]
