"""The haircut of the best trial's Sharpe ratio, over the p-values of all trials that have one. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from service.tracking.analysis import haircut
from service.tracking.analysis.computed import NOT_COMPUTABLE, Computed, Input, Method
from service.tracking.analysis.declared import number_in
from service.tracking.analysis.haircut import Floats
from service.tracking.analysis.refusals import Attempt, Refusal, computed
from service.tracking.analysis.selecting import methods
from service.tracking.analysis.selecting.evidence import DERIVED, OF_PERIOD, Evidence


class _Tested(NamedTuple):
    """p: of all trials with a Sharpe ratio. best: where the best one stands among them."""

    p: Floats
    best: int
    sharpe: float
    observations: float
    warnings: tuple[str, ...]


class HaircutOfTrials:
    """Three ways to adjust for the other trials, from the strictest on."""

    def __init__(self, known: Evidence) -> None:
        self._known = known
        self._tested = Attempt(self._test)

    def bonferroni(self) -> Computed:
        """As if each trial could have been the one false finding, all at once."""
        return self._cut(methods.BONFERRONI, haircut.bonferroni)

    def holm(self) -> Computed:
        """As strict in what it promises, and never a larger haircut."""
        return self._cut(methods.HOLM, haircut.holm)

    def benjamini_yekutieli(self) -> Computed:
        """Of the share of false findings and not of any."""
        return self._cut(methods.BENJAMINI_YEKUTIELI, haircut.benjamini_yekutieli)

    def _cut(self, method: Method, adjust: Callable[[Floats], Floats]) -> Computed:
        tested = self._tested
        adjusted = Attempt(lambda: float(adjust(tested().p)[tested().best]))
        left = Attempt(lambda: haircut.sharpe_with(adjusted(), tested().observations, tested().sharpe))
        return computed(
            method,
            lambda: 1 - left() / tested().sharpe,
            [
                self._known.sharpe_input,
                self._known.observations,
                self._known.with_sharpe,
                lambda: Input("p_value", float(tested().p[tested().best]), "probability", DERIVED),
                lambda: Input("adjusted_p_value", adjusted(), "probability", DERIVED),
                lambda: Input("sharpe_left", left(), OF_PERIOD, DERIVED),
            ],
            self._said(),
        )

    def _test(self) -> _Tested:
        sharpes = self._known.sharpes()
        own = number_in(self._known.observations())
        if self._known.sharpe() <= 0:
            raise Refusal(
                NOT_COMPUTABLE, "The best Sharpe ratio is not above zero, so that nothing can be taken off."
            )
        missing = np.isnan(sharpes.observations)
        observations = np.where(missing, own, sharpes.observations)
        said = []
        if count := int(missing.sum()):
            said.append(f"{count} trials do not say their number of returns: that of the best run is taken.")
        if len(np.unique(observations)) > 1:
            said.append(
                f"The trials have {observations.min():g} to {observations.max():g} returns: each p-value is "
                "from its own number."
            )
        p = haircut.p_values(sharpes.values, observations)
        return _Tested(p, sharpes.position, self._known.sharpe(), own, tuple(said))

    def _said(self) -> tuple[str, ...]:
        try:
            return self._tested().warnings
        except Refusal:
            return ()
