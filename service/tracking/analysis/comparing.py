"""Runs side by side: what each metric and parameter says, and whether the runs may be compared. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from service.tracking.analysis.comparability import RunWarning, repeats_of, warnings_of
from service.tracking.analysis.deltas import MetricAnalysis, metric_analysis
from service.tracking.analysis.parameters import ParamAnalysis, param_analysis, tags_that_differ
from service.tracking.analysis.pareto import Pareto, pareto_of
from service.tracking.directions import Directions
from service.tracking.runs import Run


class RunsAnalysis:
    """The analysis of runs, in parts: each is some microseconds of work for a run.

    baseline: the id of the run that the others are compared with. metrics: names, () for all that any run
    has. Names stand in the order in which they are asked for, or in which the runs bring them.
    """

    def __init__(
        self, runs: Sequence[Run], baseline: str, metrics: Sequence[str], directions: Directions
    ) -> None:
        self.baseline = baseline
        self.metric_names: list[str] = list(metrics) or _names(run.metrics for run in runs)
        self.param_names = _names(run.params for run in runs)
        self._runs = runs
        self._run_ids = [run.run_id for run in runs]
        self._directions = directions
        self._repeats = repeats_of(runs)

    def metric(self, name: str) -> MetricAnalysis:
        """One metric over the runs, which none of them need have."""
        held = {run.run_id: run.metrics[name] for run in self._runs if name in run.metrics}
        decision = self._directions.decide(name)
        return metric_analysis(held, self._run_ids, self.baseline, decision, self._repeats)

    def param(self, name: str) -> ParamAnalysis:
        """One parameter over the runs."""
        return param_analysis({run.run_id: run.params.get(name) for run in self._runs})

    def tags(self) -> Mapping[str, Mapping[str, str | None]]:
        """The tags that differ, by name."""
        return tags_that_differ(self._runs)

    def warnings(self) -> tuple[RunWarning, ...]:
        """What makes the comparison doubtful."""
        [baseline] = [run for run in self._runs if run.run_id == self.baseline]
        return warnings_of(
            self._runs, baseline, {name: self._directions.decide(name) for name in self.metric_names}
        )

    def pareto(self) -> Pareto:
        """The runs that no other beats on the metrics."""
        return pareto_of(self._runs, {name: self._directions(name) for name in self.metric_names})


def _names(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(chain.from_iterable(mappings)))
