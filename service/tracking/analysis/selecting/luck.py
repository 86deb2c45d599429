"""The best trial against luck: PSR, DSR and what follows from them, each with its method and inputs. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from service.tracking.analysis import sharpe
from service.tracking.analysis.computed import Computed, Input
from service.tracking.analysis.declared import ASSUMED, QUERY, number_in
from service.tracking.analysis.refusals import computed
from service.tracking.analysis.selecting import methods, remarks
from service.tracking.analysis.selecting.evidence import DERIVED, Evidence
from service.tracking.analysis.sharpe import Moments

_LDP_2025: Final = "ldp2025"


class Terms(NamedTuple):
    """As in SelectionInputs."""

    formula: str
    alpha: float
    autocorrelation: float | None


class Luck:
    """What can be said of the best trial.

    moments: skewness and raw kurtosis to take instead of those of the best run.
    """

    def __init__(self, known: Evidence, terms: Terms, moments: tuple[float, float] | None = None) -> None:
        self._known = known
        self._terms = terms
        self._other = moments
        self._conventions: methods.Conventions = {
            "alpha": terms.alpha,
            "level": 1 - terms.alpha,
            "kurtosis": "raw",
        }
        self._formula: sharpe.Formula = (
            sharpe.LopezDePrado2025(terms.autocorrelation or 0.0)
            if terms.formula == _LDP_2025
            else sharpe.Bailey2012()
        )
        self._warnings = () if moments else remarks.on_moments(known)

    def with_moments(self, skewness: float, kurtosis: float) -> Luck:
        """The same if the returns had this skewness and raw kurtosis."""
        return Luck(self._known, self._terms, (skewness, kurtosis))

    def psr(self) -> Computed:
        """The probability that the true Sharpe ratio is above the benchmark."""
        return computed(
            methods.method_of_psr(self._terms.formula, self._conventions),
            lambda: sharpe.psr(self._moments(), number_in(self._known.benchmark()), self._formula),
            [*self._inputs(), self._known.benchmark],
            self._warnings,
        )

    def dsr(self, trials: Callable[[], float]) -> Computed:
        """The probability that it is above what so many trials of noise are expected to reach."""
        known = self._known
        return computed(
            methods.method_of_dsr(self._terms.formula, self._conventions),
            lambda: sharpe.dsr(self._moments(), known.deviation_for(trials()), trials(), self._formula),
            [*self._inputs(), lambda: Input("trials", trials(), "trials", DERIVED), known.spread],
            [*self._warnings, *remarks.on_spread(known)],
        )

    def deflation_benchmark(self) -> Computed:
        """What the DSR is against, of one period."""
        known, count = self._known, self._known.counts.all
        return computed(
            methods.DEFLATION,
            lambda: known.deviation_for(count) * sharpe.expected_maximum(count),
            [known.trials, known.spread],
        )

    def expected_best_of_noise(self) -> Computed:
        """The annual Sharpe ratio that the best of so many trials of noise is expected to have."""
        known = self._known
        return computed(
            methods.NOISE,
            lambda: sharpe.expected_maximum(known.counts.all) / math.sqrt(known.years()),
            [known.trials, known.observations, known.periods],
        )

    def min_track_record(self) -> Computed:
        """Returns that are needed until the PSR is 1 - alpha."""
        known = self._known
        return computed(
            methods.method_of_track_record(self._terms.formula, self._conventions),
            lambda: sharpe.min_track_record(
                self._moments(), number_in(known.benchmark()), self._formula, self._terms.alpha
            ),
            [*self._inputs(), known.benchmark],
            self._warnings,
        )

    def min_backtest_length(self) -> Computed:
        """Years of returns, so that noise is not expected to reach the target."""
        known = self._known
        return computed(
            methods.BACKTEST_LENGTH,
            lambda: sharpe.min_backtest_length(known.counts.all, number_in(known.target())),
            [known.trials, known.target],
        )

    def trial_budget(self) -> Computed:
        """Trials, so that noise is not expected to reach the target."""
        known = self._known
        return computed(
            methods.BUDGET,
            lambda: sharpe.trial_budget(known.years(), number_in(known.target())),
            [known.target, known.observations, known.periods],
        )

    def break_even_trials(self) -> Computed:
        """The largest number of trials with a DSR of at least 1 - alpha."""
        known = self._known
        return computed(
            methods.method_of_break_even(self._terms.formula, self._conventions),
            lambda: sharpe.break_even_trials(
                self._moments(), known.deviation(), self._formula, 1 - self._terms.alpha, known.counts.all
            ),
            [*self._inputs(), known.spread],
            [*self._warnings, *remarks.on_spread(known)],
        )

    def _moments(self) -> Moments:
        known = self._known
        if self._other:
            return Moments(known.sharpe(), number_in(known.observations()), *self._other)
        return known.moments()

    def _inputs(self) -> list[Callable[[], Input]]:
        known = self._known
        inputs: list[Callable[[], Input]] = [known.sharpe_input, known.observations]
        if self._other:
            skewness, kurtosis = self._other
            inputs += [
                lambda: Input("skewness", skewness, "", ASSUMED),
                lambda: Input("kurtosis", kurtosis, "raw", ASSUMED),
            ]
        else:
            inputs += [known.skewness, known.kurtosis]
        return [*inputs, self._autocorrelation] if self._terms.formula == _LDP_2025 else inputs

    def _autocorrelation(self) -> Input:
        given = self._terms.autocorrelation
        return Input("autocorrelation", given or 0.0, "", ASSUMED if given is None else QUERY)
