"""What the folds of all trials say together: whether to select the best one overfits, and how alike they are.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from service.tracking.analysis import overfitting
from service.tracking.analysis.computed import Computed, Input, Method, Reason
from service.tracking.analysis.refusals import Attempt, Refusal, computed
from service.tracking.analysis.selecting import methods
from service.tracking.analysis.selecting.evidence import DERIVED
from service.tracking.analysis.selecting.fold_matrix import FoldMatrix, FoldVector, fold_matrix
from service.tracking.analysis.selecting.tried import Tried
from service.tracking.analysis.sharpe import effective_trials

_APPROXIMATE = (
    "It is of the means of folds, not of returns, so that it is approximate; pure noise gives about 0.5."
)
_ROUGH = "A mean correlation over a few folds that share the same markets is rough."


class FoldsOfTrials:
    """Of walk-forward runs whose folds do not overlap.

    vectors: the value of each fold, by run id. unknown: why there are none.
    """

    def __init__(self, tried: Tried, vectors: Mapping[str, FoldVector], unknown: Reason | None) -> None:
        self._tried = tried
        self._vectors = vectors
        self._unknown = unknown
        self._matrix = Attempt(self._read)
        self._means = Attempt(lambda: overfitting.block_means(self._matrix().values))
        self._halves = Attempt(lambda: overfitting.halves_of(self._means()))

    def pbo(self) -> Computed:
        """The probability that the best trial of one half is no better than the median in the other."""
        return self._computed(methods.PBO, lambda: self._halves().probability, _APPROXIMATE)

    def degradation(self) -> Computed:
        """How a better metric in one half goes with that in the other."""
        return self._computed(methods.DEGRADATION, lambda: self._halves().slope)

    def probability_of_loss(self) -> Computed:
        """How often the best trial of one half loses in the other."""
        return self._computed(methods.LOSS, lambda: self._halves().loss)

    def effective_trials(self, trials: int) -> Computed:
        """How many independent trials so many are worth."""

        def correlation() -> float:
            return overfitting.mean_correlation(self._matrix().values)

        return computed(
            methods.EFFECTIVE,
            lambda: effective_trials(trials, correlation()),
            [
                lambda: Input("trials", trials, "trials", DERIVED),
                lambda: Input("correlation", correlation(), "", DERIVED),
                lambda: Input("configurations", len(self._matrix().run_ids), "configurations", DERIVED),
                lambda: Input("folds", len(self._matrix().steps), "folds", DERIVED),
            ],
            [*self._said(), _ROUGH],
        )

    def _computed(self, method: Method, compute: Callable[[], float], *warnings: str) -> Computed:
        return computed(
            method,
            compute,
            [
                lambda: Input("configurations", len(self._matrix().run_ids), "configurations", DERIVED),
                lambda: Input("folds", len(self._matrix().steps), "folds", DERIVED),
                lambda: Input("blocks", len(self._means()), "blocks", DERIVED),
                lambda: Input("halves", self._halves().halves, "halves", DERIVED),
            ],
            [*self._said(), *self._left_out(), *warnings],
        )

    def _read(self) -> FoldMatrix:
        if self._unknown is not None:
            raise Refusal(self._unknown.code, self._unknown.text)
        return fold_matrix(self._tried.active, self._tried.configurations, self._vectors)

    def _said(self) -> tuple[str, ...]:
        try:
            return self._matrix().warnings
        except Refusal:
            return ()

    def _left_out(self) -> tuple[str, ...]:
        try:
            steps = self._matrix().steps
            blocks, each = overfitting.blocks_of(len(steps))
        except Refusal:
            return ()
        left = steps[: len(steps) - blocks * each]
        if not left:
            return ()
        at = ", ".join(map(str, left))
        return (f"The oldest folds, at step {at}, are left out, so that all blocks have as many.",)
