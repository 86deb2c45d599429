"""What the statistics of a selection are computed from: of the best run, and of all trials. Pure.

Each attribute is called for its value, and raises a Refusal where it cannot be had.
"""

from __future__ import annotations

import math

import numpy as np

from service.tracking.analysis.computed import TOO_FEW_TRIALS, Input
from service.tracking.analysis.declared import (
    ANNUAL,
    ASSUMED,
    QUERY,
    Declaration,
    Declared,
    number_in,
)
from service.tracking.analysis.refusals import Attempt, Refusal
from service.tracking.analysis.selecting.tried import Tried
from service.tracking.analysis.sharpe import Moments, expected_maximum
from service.tracking.analysis.trials import Trials
from service.tracking.runs import Run

DERIVED = "derived"
OF_PERIOD = "Sharpe ratio of one period"
OF_YEAR = "annual Sharpe ratio"
_A_PAIR = 2


class Evidence:
    """Of the trials of a metric.

    benchmark: in the unit of the metric, target: an annual Sharpe ratio; None where the query says nothing.
    """

    def __init__(
        self,
        trials: Trials,
        metric: str,
        declaration: Declaration,
        benchmark: float | None,
        target: float | None,
    ) -> None:
        declared = Declared(metric, declaration)
        self._metric = metric
        self._benchmark = benchmark
        self._target = target
        self.tried = Tried(trials, metric, declared)
        self.sharpes = Attempt(self.tried.sharpes)
        self.counts = self.tried.counts(self._with_sharpe())
        self.best = Attempt(self._best)
        self.unit = Attempt(lambda: declared.unit(self.best()))
        self.periods = Attempt(lambda: declared.periods(self.best()))
        self.observations = Attempt(lambda: declared.observations(self.best()))
        self.skewness = Attempt(lambda: declared.skewness(self.best()))
        self.kurtosis = Attempt(lambda: declared.kurtosis(self.best()))
        self.sharpe = Attempt(self._sharpe)
        self.moments = Attempt(self._moments)
        self.deviation = Attempt(self._deviation)

    def value(self) -> Input:
        """The metric of the best run, as it was logged."""
        value = self.best().metrics[self._metric]
        return Input("value", value, str(self.unit().value), f"metrics.{self._metric}")

    def sharpe_input(self) -> Input:
        """The Sharpe ratio of the best run."""
        return Input("sharpe", self.sharpe(), OF_PERIOD, DERIVED)

    def benchmark(self) -> Input:
        """Of one period."""
        source = ASSUMED if self._benchmark is None else QUERY
        return Input("benchmark", self.of_period(self._benchmark or 0.0), OF_PERIOD, source)

    def target(self) -> Input:
        """An annual Sharpe ratio: the one asked for, else that of the best run."""
        if self._target is not None:
            return Input("target", self._target, OF_YEAR, QUERY)
        return Input("target", self.sharpe() * math.sqrt(number_in(self.periods())), OF_YEAR, DERIVED)

    def of_period(self, sharpe: float) -> float:
        """A Sharpe ratio in the unit of the metric as one of one period. Zero is zero in every unit."""
        if not sharpe:
            return 0.0
        return sharpe / math.sqrt(number_in(self.periods())) if self.unit().value == ANNUAL else sharpe

    def years(self) -> float:
        """Of the returns of the best run."""
        return number_in(self.observations()) / number_in(self.periods())

    def trials(self) -> Input:
        """How many there were, failed and deleted ones included."""
        return Input("trials", self.counts.all, "trials", DERIVED)

    def with_sharpe(self) -> Input:
        """How many of them have a Sharpe ratio of known unit."""
        return Input("trials", self.counts.with_sharpe, "trials", DERIVED)

    def spread(self) -> Input:
        """The standard deviation of the trials' Sharpe ratios of one period, ddof 1."""
        return Input("deviation", self.deviation(), OF_PERIOD, DERIVED)

    def deviation_for(self, trials: float) -> float:
        """The same; one trial is expected to reach nothing, so that it needs none."""
        return self.deviation() if expected_maximum(trials) > 0 else 0.0

    def assumes_normal(self) -> bool:
        """Whether the skewness or the kurtosis is assumed."""
        try:
            return ASSUMED in {self.skewness().source, self.kurtosis().source}
        except Refusal:
            return False

    def _best(self) -> Run:
        """By the Sharpe ratio; where no unit is known the numbers are compared as they are."""
        try:
            return self.sharpes().best
        except Refusal:
            return self.tried.best_by_value()

    def _sharpe(self) -> float:
        self.sharpes()
        return self.of_period(self.best().metrics[self._metric] or 0.0)

    def _moments(self) -> Moments:
        return Moments(
            self.sharpe(),
            number_in(self.observations()),
            number_in(self.skewness()),
            number_in(self.kurtosis()),
        )

    def _deviation(self) -> float:
        values = self.sharpes().values
        if len(values) < _A_PAIR:
            raise Refusal(
                TOO_FEW_TRIALS,
                f"Only one of {self.counts.all} trials has a Sharpe ratio of known unit: nobody can tell "
                "how they are spread.",
            )
        return float(np.std(values, ddof=1))

    def _with_sharpe(self) -> int:
        try:
            return len(self.sharpes().values)
        except Refusal:
            return 0
