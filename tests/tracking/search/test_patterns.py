"""LIKE and ILIKE."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.tracking.search.patterns import like, longest_piece
from tests.tracking.search import plainly

ALPHABET = st.sampled_from("abA%_.\n\\ß")


@given(st.text(ALPHABET, max_size=10), st.text(ALPHABET, max_size=12))
@settings(max_examples=300)
def test_a_pattern_fits_what_sql_says(pattern: str, text: str) -> None:
    """As a plain evaluation of SQL's LIKE, with and without the case."""
    assert plainly.like(text, pattern) == like(pattern)(text)
    assert plainly.like(text.lower(), pattern.lower()) == like(pattern, ignores_case=True)(text)


@given(st.text(ALPHABET, max_size=10), st.text(ALPHABET, max_size=12))
@settings(max_examples=300)
def test_whatever_fits_a_pattern_has_its_longest_piece(pattern: str, text: str) -> None:
    """So that texts without it need not be compared."""
    assert longest_piece(pattern) in text or not like(pattern)(text)


@pytest.mark.parametrize(
    "pattern",
    ["%a" * 500 + "%b", "%a_" * 300 + "b", "%" * 1_000 + "b", "a%" * 1_000 + "b", "_%" * 900 + "b"],
)
def test_a_hostile_pattern_ends(pattern: str) -> None:
    """A pattern of hundreds of % over a long text of one letter comes to its end."""
    assert not like(pattern)("a" * 8_000)
