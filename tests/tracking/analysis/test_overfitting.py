"""The probability of backtest overfitting, against what can be worked out by hand."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from service.tracking.analysis.overfitting import (
    Floats,
    block_means,
    blocks_of,
    halves_of,
    mean_correlation,
)
from service.tracking.analysis.refusals import Refusal

BY_HAND = np.array([[1, 0.2, 0.5], [0.9, 0.1, 0.4], [-0.5, 0.3, 0.6], [-0.4, 0.2, 0.5]])
# Few different values, so that they tie, and that sums of them are exact.
BLOCKS = arrays(
    float,
    st.tuples(st.sampled_from([2, 4, 6]), st.integers(2, 8)),
    elements=st.integers(-6, 6).map(lambda number: number / 4),
)


def test_ranks_that_swap_are_overfitting() -> None:
    """Of two trials the better one of either half is the worse one of the other."""
    halves = halves_of(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert [-0.6931, -0.6931] == [round(logit, 4) for logit in halves.logit.tolist()]
    assert 1.0 == halves.probability


def test_a_trial_that_is_always_better_is_not_overfitting() -> None:
    """Of two trials one is better in each block."""
    halves = halves_of(np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert [0.6931, 0.6931] == [round(logit, 4) for logit in halves.logit.tolist()]
    assert 0.0 == halves.probability


def test_the_example_by_hand() -> None:
    """Four blocks of three trials: 2 of 6 halves have a logit of zero or less."""
    halves = halves_of(BY_HAND)
    expected = [-math.log(3), *[math.log(3)] * 4, 0]
    assert expected == pytest.approx(halves.logit.tolist())
    assert 2 / 6 == pytest.approx(halves.probability)
    assert 1 / 6 == pytest.approx(float((halves.logit < 0).mean()))


def test_a_dominant_trial_of_three() -> None:
    """Each logit is that of the best rank, ln 3."""
    halves = halves_of(np.array([[3.0, 1, 2], [3, 2, 1], [4, 1, 2], [5, 2, 1]]))
    assert [math.log(3)] * 6 == pytest.approx(halves.logit.tolist())
    assert 0.0 == halves.probability


@pytest.mark.parametrize(("blocks", "halves"), [(4, 6), (6, 20), (8, 70), (10, 252), (12, 924), (14, 3_432)])
def test_every_half_is_in_sample_once(blocks: int, halves: int) -> None:
    """As many as there are ways to choose half of the blocks."""
    assert halves == halves_of(np.random.default_rng(1).normal(size=(blocks, 5))).halves


@pytest.mark.parametrize(
    ("folds", "blocks", "each"),
    [(6, 6, 1), (7, 6, 1), (8, 8, 1), (12, 12, 1), (13, 12, 1), (14, 12, 1), (16, 8, 2), (20, 10, 2)],
)
def test_folds_become_blocks(folds: int, blocks: int, each: int) -> None:
    """An even number of them from 6 to 12, so that as few folds as possible are left out."""
    assert (blocks, each) == blocks_of(folds)


def test_five_folds_are_too_few() -> None:
    """From six on there are blocks."""
    with pytest.raises(Refusal, match="at least 6 folds, and there are 5"):
        blocks_of(5)


def test_four_configurations_are_too_few() -> None:
    """A rank among four says nothing."""
    with pytest.raises(Refusal, match="at least 5 configurations, and there are 4"):
        block_means(np.ones((8, 4)))


def test_the_oldest_folds_are_left_out() -> None:
    """Of seven folds the first one is in no block; of 16, two make one."""
    assert [1.0, 2, 3, 4, 5, 6] == block_means(np.tile(np.arange(7.0)[:, None], 5))[:, 0].tolist()
    assert [0.5, 2.5, 4.5] == block_means(np.tile(np.arange(16.0)[:, None], 5))[:3, 0].tolist()


def test_noise_is_about_one_half() -> None:
    """On the average of twenty matrices of noise, selecting is as good as not selecting."""
    noise = np.random.default_rng(7)
    mean = np.mean([halves_of(noise.normal(size=(8, 20))).probability for _ in range(20)])
    assert 0.5 == pytest.approx(mean, abs=0.12)


def by_definition(blocks: Floats) -> float:
    """The share of halves, written down as the paper has it, where ties in-sample count in equal parts."""
    count, trials = blocks.shape
    total = 0.0
    chosen = list(combinations(range(count), count // 2))
    for inside in chosen:
        outside = [block for block in range(count) if block not in inside]
        in_sample, out_of_sample = blocks[list(inside)].sum(axis=0), blocks[outside].sum(axis=0)
        best = np.flatnonzero(in_sample == max(in_sample))
        for trial in best:
            below = (out_of_sample < out_of_sample[trial]).sum()
            rank = below + ((out_of_sample == out_of_sample[trial]).sum() + 1) / 2
            total += (rank / (trials + 1) <= 0.5) / len(best)
    return total / len(chosen)


@given(BLOCKS)
def test_the_probability_is_as_defined(blocks: Floats) -> None:
    """For any matrix, with ties."""
    assert by_definition(blocks) == pytest.approx(halves_of(blocks).probability)


@given(BLOCKS, st.sampled_from([0.25, 2.0, 1024.0]))
def test_scaling_and_relabelling_change_nothing(blocks: Floats, scale: float) -> None:
    """Neither another unit of the metric nor another order of trials or of time."""
    expected = halves_of(blocks)
    for other in (blocks * scale, blocks[:, ::-1], blocks[::-1]):
        again = halves_of(other)
        assert expected.probability == pytest.approx(again.probability)
        assert expected.loss == pytest.approx(again.loss)


@given(BLOCKS)
def test_a_share_of_halves_is_a_probability(blocks: Floats) -> None:
    """From 0 to 1."""
    halves = halves_of(blocks)
    assert 0 <= halves.probability <= 1
    assert 0 <= halves.loss <= 1


def test_what_is_better_in_sample_is_worse_out_of_sample() -> None:
    """Where all trials have the same mean over all blocks, one half takes from the other: the slope is -1."""
    blocks = np.random.default_rng(3).normal(size=(6, 8))
    assert -1 == pytest.approx(halves_of(blocks - blocks.mean(axis=0)).slope)


def test_a_slope_takes_halves_that_differ() -> None:
    """Where the best trial is as good in every half, nothing can be said."""
    with pytest.raises(Refusal, match="same metric in every half"):
        _ = halves_of(np.ones((6, 5))).slope


def test_a_mean_correlation_is_that_of_all_pairs() -> None:
    """As SciPy has it for each pair; trials that do not vary are left out."""
    folds = np.random.default_rng(5).normal(size=(8, 6))
    pairs = [stats.pearsonr(folds[:, one], folds[:, two])[0] for one, two in combinations(range(6), 2)]
    assert np.mean(pairs) == pytest.approx(mean_correlation(folds))
    assert np.mean(pairs) == pytest.approx(mean_correlation(np.column_stack([folds, np.ones(8)])))


@pytest.mark.parametrize("folds", [np.ones((8, 3)), np.array([[1.0, 2], [2, 1]])])
def test_a_correlation_takes_folds_that_vary(folds: Floats) -> None:
    """Two of them are always correlated entirely."""
    with pytest.raises(Refusal, match="three folds that vary"):
        mean_correlation(folds)
