"""LIKE and ILIKE."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.index.patterns import like, like_all
from tests.tracking.search import plainly

ALPHABET = st.sampled_from("abA%_.\n\\ß")
TEXTS = st.sampled_from("abA\0Σσςİß_%")  # some change their length or their look in small letters


@given(st.text(ALPHABET, max_size=10), st.text(ALPHABET, max_size=12))
@settings(max_examples=300)
def test_a_pattern_fits_what_sql_says(pattern: str, text: str) -> None:
    """As a plain evaluation of SQL's LIKE, with and without the case."""
    assert plainly.like(text, pattern) == like(pattern)(text)
    assert plainly.like(text.lower(), pattern.lower()) == like(pattern, ignores_case=True)(text)


@given(st.text(ALPHABET | st.just("\0"), max_size=6), st.lists(st.none() | st.text(TEXTS, max_size=8)))
@settings(max_examples=300)
def test_several_texts_fit_as_each_by_itself(pattern: str, texts: list[str | None]) -> None:
    """Whatever stands in them, the sign between two texts included; what is no text never fits."""
    for ignores_case in (False, True):
        fits = like(pattern, ignores_case=ignores_case)
        expected = [text is not None and fits(text) for text in texts]
        assert expected == list(like_all(pattern, ignores_case=ignores_case)(texts))


@pytest.mark.parametrize(
    "pattern",
    ["%a" * 500 + "%b", "%a_" * 300 + "b", "%" * 1_000 + "b", "a%" * 1_000 + "b", "_%" * 900 + "b"],
)
def test_a_hostile_pattern_ends(pattern: str) -> None:
    """A pattern of hundreds of % over a long text of one letter comes to its end."""
    assert not like(pattern)("a" * 8_000)
