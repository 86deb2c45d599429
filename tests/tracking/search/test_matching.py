"""Whether one run satisfies a filter, held against the plain evaluation."""

import pytest
from hypothesis import given

from service.tracking.runs import Run
from service.tracking.search.expressions import Expression
from service.tracking.search.matching import decimal, matches
from tests.tracking.search import plainly, strategies


@given(run=strategies.runs_of("r1"), expression=strategies.expressions())
def test_a_run_satisfies_what_it_plainly_satisfies(run: Run, expression: Expression) -> None:
    """Every filter says of every run what its grammar says, of missing values, NaN and patterns, too."""
    assert plainly.matches(run, expression) is matches(run, expression)


@pytest.mark.parametrize("text", ["1e999", "nan", " 1", "1_0", "", "٣"])
def test_what_is_no_number(text: str) -> None:
    """Infinity, white space, separators and the digits of other scripts are no decimal number."""
    assert decimal(text) is None
