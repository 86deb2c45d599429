"""How many trials there may be: the break-even number, and budgets without end."""

import pytest

from service.tracking.analysis.refusals import Refusal
from service.tracking.analysis.sharpe import (
    Moments,
    break_even_trials,
    dsr,
    trial_budget,
)
from tests.tracking.analysis.test_sharpe import DEVIATION, FUND, NORMAL_STRATEGY, OF_2012, OF_2025, STRATEGY


def test_88_trials_are_the_limit_if_the_returns_are_normal() -> None:
    """The paper's other figure: without skewness and fat tails twice as many trials would be allowed."""
    assert 0.9504908166760138 == pytest.approx(dsr(NORMAL_STRATEGY, DEVIATION, 88, OF_2012), abs=1e-6)
    assert 0.9101530 == pytest.approx(dsr(STRATEGY, DEVIATION, 88, OF_2012), abs=1e-6)


@pytest.mark.parametrize(("expected", "moments"), [(46, STRATEGY), (88, NORMAL_STRATEGY)])
def test_the_break_even_number_of_trials_is_as_published(expected: int, moments: Moments) -> None:
    """The largest number of trials with a DSR of at least 95 %."""
    assert expected == break_even_trials(moments, DEVIATION, OF_2012, 0.95, 10)


def test_numbers_of_trials_without_end_are_said() -> None:
    """Where not even a thousand million trials are too many, there is no largest number."""
    with pytest.raises(Refusal, match="1,000,000,000 trials"):
        trial_budget(100, 10)
    with pytest.raises(Refusal, match="1,000,000,000 trials"):
        break_even_trials(STRATEGY, 1e-9, OF_2012, 0.95, 10)


def test_one_trial_may_be_too_many() -> None:
    """Where not even the PSR is high enough, no number of trials is."""
    assert 0 == break_even_trials(FUND, 0.1, OF_2012, 0.95, 10)


def test_a_dsr_that_rises_with_the_trials_has_no_limit() -> None:
    """By the formula of 2025, with trials that are much alike: below 95 % with five, above it with more."""
    moments = Moments(0.03, 1_250, 0, 3)
    assert dsr(moments, 1e-4, 5, OF_2025) < 0.95
    with pytest.raises(Refusal, match="rises with the number of trials"):
        break_even_trials(moments, 1e-4, OF_2025, 0.95, 5)
