"""Ranks and the tests on them, held to SciPy's."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from service.tracking.analysis.ranks import (
    benjamini_hochberg,
    chi_squared_above,
    kruskal_wallis,
    ranks_of,
    spearman,
)

_NUMBERS = st.integers(-5, 5) | st.floats(-1e6, 1e6)


@given(st.lists(_NUMBERS, min_size=1, max_size=40))
def test_ranks(values: list[float]) -> None:
    """Equal values share the mean of their ranks."""
    assert stats.rankdata(values).tolist() == ranks_of(np.array(values)).tolist()


@given(st.lists(st.tuples(_NUMBERS, _NUMBERS), min_size=3, max_size=40))
def test_spearman(pairs: list[tuple[float, float]]) -> None:
    """Rho and its p-value are SciPy's, with ties and without."""
    x, y = map(np.array, zip(*pairs, strict=True))
    assume(len(set(x.tolist())) > 1 and len(set(y.tolist())) > 1)
    expected = stats.spearmanr(x, y)
    rho, p_value = spearman(x, y)
    assert pytest.approx(expected.statistic, abs=1e-12) == rho
    assert pytest.approx(expected.pvalue, rel=1e-6, abs=1e-9) == p_value


@given(st.lists(st.tuples(st.integers(0, 4), _NUMBERS), min_size=2, max_size=60))
def test_kruskal_wallis(pairs: list[tuple[int, float]]) -> None:
    """H and its p-value are SciPy's, corrected for ties; epsilon squared is H / (n - 1)."""
    groups, values = map(np.array, zip(*pairs, strict=True))
    assume(len(set(groups.tolist())) > 1 and len(set(values.tolist())) > 1)
    expected = stats.kruskal(*(values[groups == group] for group in np.unique(groups)))
    epsilon, p_value = kruskal_wallis(groups, values)
    assert pytest.approx(expected.statistic / (len(values) - 1), abs=1e-9) == epsilon
    assert pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12) == p_value


@given(st.floats(0, 500), st.integers(1, 400))
def test_chi_squared(x: float, df: int) -> None:
    """The upper tail is SciPy's for odd and even degrees of freedom."""
    assert pytest.approx(stats.chi2.sf(x, df), rel=1e-9, abs=1e-300) == chi_squared_above(x, df)


@given(st.lists(st.floats(0, 1), max_size=40))
def test_benjamini_hochberg(p_values: list[float]) -> None:
    """Adjusted p-values are SciPy's; no tests have none."""
    expected = stats.false_discovery_control(p_values).tolist() if p_values else []
    assert pytest.approx(expected) == benjamini_hochberg(np.array(p_values)).tolist()
