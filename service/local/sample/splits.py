"""Which days a model may learn from and which judge it, so that no day is known before it has come.

A row t is a day whose label reaches to t + horizon_days: learning from it is knowing those days too.
Purging and embargo follow López de Prado, "Advances in Financial Machine Learning" (2018), chapters 7 and 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal


class NotEnoughHistoryError(ValueError):
    """The days given cannot be split as asked."""


@dataclass(frozen=True, slots=True)
class Fold:
    """One step of a walk forward: learn from the days in train, be judged on those in test."""

    train: range
    test: range


@dataclass(frozen=True, slots=True)
class PurgedSplit:
    """One combination of groups to be judged on, and the days far enough from them to learn from."""

    test_groups: tuple[int, ...]
    test: tuple[range, ...]
    train: tuple[int, ...]


def walk_forward_folds(
    days: range, n_splits: int, train_days: int, horizon_days: int, method: Literal["rolling", "anchored"]
) -> tuple[Fold, ...]:
    """Equal test blocks in time order; up to n_splits - 1 days at the end are left over.

    A rolling window learns from the train_days before its test block, an anchored one from all days before.
    Between the two lie horizon_days that neither has, for their labels reach into the test block.
    """
    test_days = (len(days) - train_days - horizon_days) // n_splits
    if test_days <= horizon_days:
        raise NotEnoughHistoryError(
            f"{len(days)} days less {train_days} to train on leave {max(test_days, 0)} for each of "
            f"{n_splits} folds; a fold needs more than the {horizon_days} days of a label."
        )
    folds = []
    for number in range(n_splits):
        start = days.start + train_days + horizon_days + number * test_days
        train_end = start - horizon_days
        train_start = train_end - train_days if method == "rolling" else days.start
        folds.append(Fold(range(train_start, train_end), range(start, start + test_days)))
    return tuple(folds)


def purged_splits(
    days: range, n_groups: int, n_test_groups: int, horizon_days: int, embargo_days: int
) -> tuple[PurgedSplit, ...]:
    """Combinatorial purged cross-validation: every choice of n_test_groups out of n_groups blocks of days.

    A day is not learnt from if its label reaches into a test block (purged), if a test block's label reaches
    to it (purged too), or if it is among the embargo_days after that.
    """
    edges = [days.start + len(days) * group // n_groups for group in range(n_groups + 1)]
    blocks = [range(start, end) for start, end in pairwise(edges)]
    splits = []
    for chosen in combinations(range(n_groups), n_test_groups):
        test = tuple(blocks[group] for group in chosen)
        banned = [
            range(block.start - horizon_days, block.stop + horizon_days + embargo_days) for block in test
        ]
        train = tuple(day for day in days if not any(day in span for span in banned))
        splits.append(PurgedSplit(chosen, test, train))
    return tuple(splits)


def backtest_paths(splits: tuple[PurgedSplit, ...], n_groups: int) -> tuple[tuple[int, ...], ...]:
    """How the splits' test blocks join to whole histories: for each path, the split that judges each group.

    With N groups, k of them tested at a time, each group is judged by C(N-1, k-1) splits, and there are as
    many paths.
    """
    judges = [
        [index for index, split in enumerate(splits) if group in split.test_groups]
        for group in range(n_groups)
    ]
    return tuple(zip(*judges, strict=True))
