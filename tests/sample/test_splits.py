from __future__ import annotations

from itertools import pairwise
from math import comb
from typing import Literal

import pytest

from service.local.sample.splits import (
    NotEnoughHistoryError,
    backtest_paths,
    purged_splits,
    walk_forward_folds,
)

DAYS = range(252, 1252)
HORIZON = 5
EMBARGO = 10


def known(day: int) -> range:
    """The days that whoever learns from this day knows."""
    return range(day, day + HORIZON + 1)


@pytest.mark.parametrize("method", ["rolling", "anchored"])
def test_no_fold_learns_from_its_future(method: Literal["rolling", "anchored"]) -> None:
    """All that a training day knows, its label included, lies before the fold's first test day."""
    for fold in walk_forward_folds(DAYS, 5, 300, HORIZON, method):
        assert max(known(fold.train[-1])) < fold.test.start


@pytest.mark.parametrize("method", ["rolling", "anchored"])
def test_test_blocks_follow_each_other(method: Literal["rolling", "anchored"]) -> None:
    """The test blocks are equal, without gap or overlap, and leave fewer days over than there are folds."""
    folds = walk_forward_folds(DAYS, 7, 300, HORIZON, method)
    assert [len(fold.test) for fold in folds] == [99] * 7
    assert all(before.test.stop == after.test.start for before, after in pairwise(folds))
    assert 0 <= DAYS.stop - folds[-1].test.stop < 7


def test_a_rolling_window_keeps_its_length() -> None:
    """Every rolling fold learns from as many days as the first, which begins with the history."""
    folds = walk_forward_folds(DAYS, 5, 300, HORIZON, "rolling")
    assert range(252, 552) == folds[0].train
    assert [len(fold.train) for fold in folds] == [300] * 5


def test_an_anchored_window_grows() -> None:
    """Every anchored fold learns from the first day on."""
    folds = walk_forward_folds(DAYS, 5, 300, HORIZON, "anchored")
    assert [fold.train.start for fold in folds] == [252] * 5
    assert [len(fold.train) for fold in folds] == [300, 439, 578, 717, 856]


@pytest.mark.parametrize(("n_splits", "train_days"), [(200, 300), (5, 1_000), (5, 5_000)])
def test_a_history_that_is_too_short_is_refused(n_splits: int, train_days: int) -> None:
    """Folds not longer than a label, or a training window that leaves no days, are an error."""
    with pytest.raises(NotEnoughHistoryError, match="a fold needs more than the 5 days of a label"):
        walk_forward_folds(DAYS, n_splits, train_days, HORIZON, "rolling")


@pytest.mark.parametrize(("n_groups", "n_test_groups"), [(6, 2), (5, 1), (7, 3)])
def test_every_combination_of_groups_is_tested_once(n_groups: int, n_test_groups: int) -> None:
    """There are C(N, k) splits, all different, and their groups cover the days."""
    splits = purged_splits(DAYS, n_groups, n_test_groups, HORIZON, EMBARGO)
    assert comb(n_groups, n_test_groups) == len(splits)
    assert comb(n_groups, n_test_groups) == len({split.test_groups for split in splits})
    assert set(DAYS) == {day for split in splits for block in split.test for day in block}


def test_no_training_day_shares_a_day_with_a_test_day() -> None:
    """What a training day knows and what a test day knows never overlap, on either side of a block."""
    for split in purged_splits(DAYS, 6, 2, HORIZON, EMBARGO):
        tested = {day for block in split.test for judged in block for day in known(judged)}
        assert not tested & {day for learnt in split.train for day in known(learnt)}


def test_purge_and_embargo_take_no_day_too_many() -> None:
    """Around one test block the training days stop 5 before it and go on 5 + 10 after its last day."""
    (split,) = (
        each for each in purged_splits(range(100), 5, 1, HORIZON, EMBARGO) if each.test_groups == (2,)
    )
    assert (range(40, 60),) == split.test
    assert (*range(35), *range(75, 100)) == split.train


def test_groups_in_line_are_purged_at_their_outer_ends_only_once() -> None:
    """Two neighbouring test groups leave no training day between them."""
    split = purged_splits(range(100), 5, 2, HORIZON, EMBARGO)[0]
    assert split.test_groups == (0, 1)
    assert tuple(range(55, 100)) == split.train


@pytest.mark.parametrize(("n_groups", "n_test_groups"), [(6, 2), (5, 1), (7, 3)])
def test_paths_use_each_test_block_once(n_groups: int, n_test_groups: int) -> None:
    """There are C(N-1, k-1) paths; each has every group once, and together they use every block once."""
    splits = purged_splits(DAYS, n_groups, n_test_groups, HORIZON, EMBARGO)
    paths = backtest_paths(splits, n_groups)
    assert comb(n_groups - 1, n_test_groups - 1) == len(paths)
    used = [(group, judge) for path in paths for group, judge in enumerate(path)]
    expected = {(group, index) for index, split in enumerate(splits) for group in split.test_groups}
    assert sorted(expected) == sorted(used)
