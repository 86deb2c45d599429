"""Tests of paired differences without a distribution assumed, held to scipy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from service.tracking.analysis.signed_ranks import exact_sign_p, mean_ranks, signed_rank_p

MOVED = st.integers(-20, 20).filter(bool)


@pytest.mark.parametrize("count", range(1, 12))
def test_the_smallest_p_is_that_of_one_sign(count: int) -> None:
    """Where all differences have one sign, both tests give 2^(1 - n): .0625 for five folds."""
    moved = np.arange(1, count + 1) / 10
    assert (2.0 ** (1 - count), 2.0 ** (1 - count)) == (exact_sign_p(moved), signed_rank_p(moved))
    assert (2.0 ** (1 - count), 2.0 ** (1 - count)) == (exact_sign_p(-moved), signed_rank_p(-moved))


@given(st.lists(MOVED, min_size=1, max_size=200))
def test_the_sign_test_is_that_of_the_binomial_distribution(moved: list[int]) -> None:
    """p is that of as many heads, by scipy."""
    values = np.array(moved, float)
    expected = stats.binomtest(int((values > 0).sum()), len(values)).pvalue
    assert math.isclose(expected, exact_sign_p(values), rel_tol=1e-9)


@given(st.lists(st.floats(-1, 1).filter(lambda x: abs(x) > 1e-9), min_size=1, max_size=50, unique_by=abs))
def test_the_exact_signed_rank_test_is_scipys(moved: list[float]) -> None:
    """Without ties, p is that of scipy's exact method."""
    values = np.array(moved)
    expected = stats.wilcoxon(values, method="exact").pvalue
    assert math.isclose(expected, signed_rank_p(values), rel_tol=1e-9)


@given(st.lists(MOVED, min_size=1, max_size=10))
def test_ties_share_their_ranks_exactly(moved: list[int]) -> None:
    """With ties, p is the share of all signs that are as far from the middle, counted one by one."""
    values = np.array(moved, float)
    ranks = stats.rankdata(np.abs(values))
    signs = np.array(np.meshgrid(*[[0, 1]] * len(values))).reshape(len(values), -1)
    sums, above = ranks @ signs, ranks[values > 0].sum()
    expected = min(1.0, 2 * min(np.mean(sums <= above), np.mean(sums >= above)))
    assert math.isclose(expected, signed_rank_p(values), rel_tol=1e-9)


@given(st.lists(MOVED, min_size=51, max_size=120))
def test_many_differences_are_tested_by_the_normal_distribution(moved: list[int]) -> None:
    """Above fifty, p is that of scipy's approximation without a correction for continuity."""
    values = np.array(moved, float)
    expected = stats.wilcoxon(values, method="approx", correction=False).pvalue
    assert math.isclose(expected, signed_rank_p(values), rel_tol=1e-9)


def test_sizes_that_differ_by_rounding_are_equal() -> None:
    """0.3 - 0.1 and 0.2 are one size, as far as doubles can tell."""
    assert [1.5, 1.5, 3.0] == mean_ranks(np.array([0.3 - 0.1, 0.2, 0.4]), 1e-12).tolist()


def test_more_differences_than_a_float_can_count() -> None:
    """Half of 2,000 differences have either sign: p is one."""
    assert 1.0 == exact_sign_p(np.tile([1.0, -1.0], 1_000))
    assert 0.0 <= exact_sign_p(np.ones(2_000)) < 1e-300
