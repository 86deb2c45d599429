"""Sharpe ratios against luck: what holds for all inputs."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.tracking.analysis.haircut import Floats
from service.tracking.analysis.refusals import Refusal
from service.tracking.analysis.sharpe import (
    Bailey2012,
    Formula,
    LopezDePrado2025,
    Moments,
    break_even_trials,
    dsr,
    effective_trials,
    expected_maximum,
    min_backtest_length,
    min_track_record,
    psr,
    trial_budget,
    variance_of_maximum,
)

SHARPES = st.floats(-0.5, 0.5)
DEVIATIONS = st.floats(1e-3, 0.5)
TRIALS = st.integers(1, 10**6)
FORMULAS = st.one_of(st.just(Bailey2012()), st.builds(LopezDePrado2025, st.floats(-0.5, 0.5)))


@st.composite
def moments(draw: st.DrawFn) -> Moments:
    """Of returns that are possible."""
    skewness = draw(st.floats(-3, 1))
    kurtosis = 1 + skewness**2 + draw(st.floats(1, 20))
    return Moments(draw(SHARPES), draw(st.integers(10, 5_000)), skewness, kurtosis)


def value(formula: Formula, of: Moments, deviation: float, trials: float) -> float:
    """The DSR; an example that has none is made up anew."""
    try:
        return dsr(of, deviation, trials, formula)
    except Refusal:
        assume(False)
        raise


@given(moments(), DEVIATIONS, TRIALS, FORMULAS)
def test_a_dsr_is_a_probability(of: Moments, deviation: float, trials: int, formula: Formula) -> None:
    """From 0 to 1."""
    assert 0 <= value(formula, of, deviation, trials) <= 1


@given(moments(), DEVIATIONS, TRIALS, st.integers(1, 10**6))
def test_more_trials_never_raise_the_dsr(of: Moments, deviation: float, trials: int, more: int) -> None:
    """By the formula of 2014, whatever the returns are like."""
    formula = Bailey2012()
    assert value(formula, of, deviation, trials + more) <= value(formula, of, deviation, trials)


@given(moments(), DEVIATIONS, st.integers(2, 10**6))
def test_a_dsr_is_never_above_the_psr(of: Moments, deviation: float, trials: int) -> None:
    """By the formula of 2014: what is deflated has become no better."""
    assert value(Bailey2012(), of, deviation, trials) <= psr(of, 0, Bailey2012())


@given(moments(), st.floats(-0.5, 0.5), st.floats(0, 0.5))
def test_a_higher_benchmark_never_raises_the_psr(of: Moments, benchmark: float, step: float) -> None:
    """By the formula of 2012, whose deviation does not depend on the benchmark."""
    try:
        low, high = psr(of, benchmark, Bailey2012()), psr(of, benchmark + step, Bailey2012())
    except Refusal:
        return
    assert high <= low


@given(moments(), FORMULAS)
def test_a_sharpe_ratio_is_as_likely_above_itself_as_below(of: Moments, formula: Formula) -> None:
    """Against itself the PSR is one half."""
    try:
        assert 0.5 == psr(of, of.sharpe, formula)
    except Refusal:
        return


@given(moments(), DEVIATIONS)
def test_the_break_even_number_is_where_the_dsr_crosses_the_level(of: Moments, deviation: float) -> None:
    """At it the DSR is at least the level, and with one trial more it is below."""
    formula = Bailey2012()
    try:
        number = break_even_trials(of, deviation, formula, 0.95, 10)
    except Refusal:
        return
    assert dsr(of, deviation, number + 1, formula) < 0.95
    if number:
        assert dsr(of, deviation, number, formula) >= 0.95


@given(st.floats(0.1, 10), st.floats(0.1, 3))
def test_a_trial_budget_is_what_the_years_are_long_enough_for(years: float, target: float) -> None:
    """For it the minimum backtest length is within the years, and for one trial more it is not."""
    try:
        budget = trial_budget(years, target)
    except Refusal:
        return
    assert min_backtest_length(budget, target) <= years * (1 + 1e-9)
    assert min_backtest_length(budget + 1, target) > years * (1 - 1e-9)


@given(st.integers(3, 10**9))
def test_the_backtest_length_is_below_its_bound(trials: int) -> None:
    """2 ln N / SR² of the paper is an upper bound."""
    assert min_backtest_length(trials, 1) < 2 * math.log(trials)


@given(moments(), st.floats(-0.4, 0.4), FORMULAS)
def test_a_psr_reaches_its_level_after_the_track_record(
    of: Moments, benchmark: float, formula: Formula
) -> None:
    """With so many returns it is 1 - alpha."""
    try:
        needed = min_track_record(of, benchmark, formula, 0.05)
    except (Refusal, OverflowError):
        return
    assume(1.5 < needed < 1e15)
    assert 0.95 == pytest.approx(psr(of._replace(observations=needed), benchmark, formula), abs=1e-6)


@given(st.integers(1, 10_000), st.floats(-1, 2))
def test_trials_are_never_worth_more_than_their_number(trials: int, correlation: float) -> None:
    """From one to all of them."""
    assert 1 <= effective_trials(trials, correlation) <= trials * (1 + 1e-12)


@given(st.floats(1, 10**6), st.floats(1, 10**6))
def test_a_maximum_of_more_is_higher_and_varies_less(one: float, other: float) -> None:
    """For any numbers of trials, whole or not."""
    few, many = sorted((one, other))
    assert expected_maximum(few) <= expected_maximum(many)
    assert variance_of_maximum(many) <= variance_of_maximum(few) + 1e-9


@given(st.lists(st.floats(-0.1, 0.1), min_size=20, max_size=100), st.sampled_from([1e-3, 0.5, 2.0, 1e4]))
def test_scaling_the_returns_changes_nothing(returns: list[float], scale: float) -> None:
    """Leverage, or returns in per cent: the Sharpe ratio and the moments are the same, and so is the DSR."""
    assume(np.std(returns) > 1e-3)
    one, other = moments_of(np.array(returns)), moments_of(np.array(returns) * scale)
    assert value(Bailey2012(), one, 0.05, 50) == pytest.approx(dsr(other, 0.05, 50, Bailey2012()))


def moments_of(returns: Floats) -> Moments:
    """As they are estimated from returns."""
    apart = returns - returns.mean()
    deviation = float(np.sqrt((apart**2).mean()))
    return Moments(
        float(returns.mean() / returns.std(ddof=1)),
        len(returns),
        float((apart**3).mean()) / deviation**3,
        float((apart**4).mean()) / deviation**4,
    )
