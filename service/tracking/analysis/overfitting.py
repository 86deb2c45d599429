"""The probability of backtest overfitting, by combinatorially symmetric cross-validation over folds. Pure.

Bailey, Borwein, López de Prado and Zhu (2017). The folds are cut into an even number of blocks. Each choice
of half of them is in-sample once: the trial that is best there is looked up in the other half. Where the
selection means nothing its rank there is anywhere, and the probability is about one half.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from service.tracking.analysis.computed import NOT_COMPUTABLE, TOO_FEW_FOLDS, TOO_FEW_TRIALS
from service.tracking.analysis.refusals import Refusal

Floats = npt.NDArray[np.float64]

FEWEST_BLOCKS: Final = 6
MOST_BLOCKS: Final = 12  # 924 halves
FEWEST_TRIALS: Final = 5
_VALUES_AT_ONCE: Final = 250_000


class Halves(NamedTuple):
    """What all choices of an in-sample half say. A half whose best trials tie counts once, in equal parts.

    weight, logit, in_sample and out_of_sample are of one length: for each half and each of its best trials
    its part, the logit of its rank in the other half, and its metric in both.
    """

    halves: int
    weight: Floats
    logit: Floats
    in_sample: Floats
    out_of_sample: Floats

    @property
    def probability(self) -> float:
        """The share of halves whose best trial is at the median of the other half or below it."""
        return min(float(self.weight[self.logit <= 0].sum()) / self.halves, 1.0)

    @property
    def loss(self) -> float:
        """The share of halves whose best trial is below zero in the other half."""
        return min(float(self.weight[self.out_of_sample < 0].sum()) / self.halves, 1.0)

    @property
    def slope(self) -> float:
        """Of the best trials' metric in the other half on that in their own, by least squares."""
        if (self.in_sample == self.in_sample[0]).all():
            raise Refusal(NOT_COMPUTABLE, "The best trial has the same metric in every half.")
        mean = self.weight @ self.in_sample / self.halves
        apart = self.weight * (self.in_sample - mean)
        return float(apart @ self.out_of_sample / (apart @ (self.in_sample - mean)))


def blocks_of(folds: int) -> tuple[int, int]:
    """Into how many blocks, of how many folds each, so many folds are cut; the oldest may be left out.

    As many blocks as leave the fewest folds out. Raises a Refusal where there are fewer than 6 folds.
    """
    if folds < FEWEST_BLOCKS:
        raise Refusal(TOO_FEW_FOLDS, f"It takes at least {FEWEST_BLOCKS} folds, and there are {folds}.")
    numbers = range(FEWEST_BLOCKS, min(MOST_BLOCKS, folds) + 1, 2)
    blocks = max(numbers, key=lambda number: (folds // number * number, number))
    return blocks, folds // blocks


def block_means(folds: Floats) -> Floats:
    """The mean of each block (rows) of each trial (columns), of folds in the order of time."""
    if folds.shape[1] < FEWEST_TRIALS:
        raise Refusal(
            TOO_FEW_TRIALS,
            f"It takes folds of at least {FEWEST_TRIALS} configurations, and there are {folds.shape[1]}.",
        )
    blocks, each = blocks_of(len(folds))
    means: Floats = folds[len(folds) - blocks * each :].reshape(blocks, each, -1).mean(axis=1)
    return means


def halves_of(blocks: Floats) -> Halves:
    """What all halves of an even number of blocks (rows) say of some trials (columns)."""
    count, trials = blocks.shape
    chosen = list(combinations(range(count), count // 2))
    at_once = max(1, _VALUES_AT_ONCE // trials)
    parts = [_compared(blocks, chosen[start : start + at_once]) for start in range(0, len(chosen), at_once)]
    return Halves(len(chosen), *(np.concatenate(part) for part in zip(*parts, strict=True)))


def _compared(blocks: Floats, chosen: list[tuple[int, ...]]) -> tuple[Floats, Floats, Floats, Floats]:
    """weight, logit, in_sample and out_of_sample of some halves."""
    inside = np.zeros((len(chosen), len(blocks)), dtype=bool)
    np.put_along_axis(inside, np.array(chosen), values=True, axis=1)
    in_sample, out_of_sample = _means(blocks, inside), _means(blocks, ~inside)
    best = in_sample == in_sample.max(axis=1, keepdims=True)
    half, trial = np.nonzero(best)
    ours = out_of_sample[half, trial]
    others = out_of_sample[half]
    rank = (others < ours[:, None]).sum(axis=1) + ((others == ours[:, None]).sum(axis=1) + 1) / 2
    share = rank / (blocks.shape[1] + 1)
    weight = 1 / best.sum(axis=1)[half]
    return weight, np.log(share / (1 - share)), in_sample[half, trial], ours


def _means(blocks: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
    """The mean of the blocks that are inside, half by half.

    They are added up one by one, so that trials with the same folds tie: a product of matrices may round each
    column in its own way.
    """
    total = np.zeros((len(inside), blocks.shape[1]))
    for number, block in enumerate(blocks):
        total += np.where(inside[:, number, None], block, 0.0)
    return total / (len(blocks) // 2)


def mean_correlation(folds: Floats) -> float:
    """The mean correlation of all pairs of trials (columns) over folds (rows)."""
    apart = folds - folds.mean(axis=0)
    length = np.sqrt((apart**2).sum(axis=0))
    varying = length > 0
    count = int(varying.sum())
    if count < 2 or len(folds) < 3:  # noqa: PLR2004 - a pair, and a correlation that is not always 1
        raise Refusal(TOO_FEW_FOLDS, "It takes two trials with three folds that vary.")
    unit = apart[:, varying] / length[varying]
    return float(((unit.sum(axis=1) ** 2).sum() - count) / (count * (count - 1)))
