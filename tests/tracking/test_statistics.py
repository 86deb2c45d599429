"""Student's t, against SciPy."""

import pytest
from scipy import stats

from service.tracking.statistics import incomplete_beta, t_probability, t_quantile

DEGREES = [1, 2, 3, 4, 5, 9, 30, 99, 100, 101, 1_000, 1_000_000]


@pytest.mark.parametrize("df", DEGREES)
@pytest.mark.parametrize("p", [0.001, 0.025, 0.4, 0.5, 0.6, 0.9, 0.975, 0.995, 0.9999])
def test_a_quantile_is_right(df: int, p: float) -> None:
    """To eight digits, on both sides, for few and many degrees of freedom."""
    assert float(stats.t.ppf(p, df)) == pytest.approx(t_quantile(p, df), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("df", DEGREES)
@pytest.mark.parametrize("t", [-40.0, -1.0, 0.0, 0.3, 2.0, 12.0])
def test_a_probability_is_right(df: int, t: float) -> None:
    """To ten digits."""
    assert float(stats.t.cdf(t, df)) == pytest.approx(t_probability(t, df), rel=1e-8, abs=1e-10)


def test_the_incomplete_beta_function_ends_at_0_and_1() -> None:
    """Outside of its interval it is what it is at the ends."""
    assert (0.0, 1.0) == (incomplete_beta(2, 3, 0.0), incomplete_beta(2, 3, 1.0))
