"""Patterns over the joined texts of a column."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.index.cells import Space
from service.index.joined import Joined
from service.index.texts import Dictionary
from service.tracking.search.patterns import like

PATTERNS = st.text(st.sampled_from("abA%_.\\ß\0"), max_size=6)
# Some change their length or their look in small letters.
TEXTS = st.text(st.sampled_from("abA\0Σσςİß_%"), max_size=8)


def _expected(texts: Dictionary, codes: range, pattern: str, *, ignores_case: bool) -> list[bool]:
    fits = like(pattern, ignores_case=ignores_case)
    return [text is not None and fits(text) for text in texts.of(codes)]


@given(PATTERNS, st.lists(TEXTS, min_size=1), st.lists(TEXTS, max_size=5), st.data(), st.booleans())
@settings(max_examples=300)
def test_joined_texts_fit_as_each_by_itself(
    pattern: str,
    some: list[str],
    later: list[str],
    data: st.DataObject,
    ignores_case: bool,
) -> None:
    """Whatever stands in them, and after texts have left, come, and taken the code of another."""
    texts = Dictionary(Space())
    codes = [texts.acquire(text) for text in some]
    joined = Joined(texts)
    for _ in range(2):
        every = range(1, len(texts))
        start = data.draw(st.integers(1, len(texts) - 1))
        for part in (every, range(start, len(texts))):
            expected = _expected(texts, part, pattern, ignores_case=ignores_case)
            assert expected == joined.like(part, pattern, ignores_case=ignores_case).tolist()
            assert expected == joined.like(list(part), pattern, ignores_case=ignores_case).tolist()
        texts.release(data.draw(st.sampled_from(codes)))
        codes = [code for code in set(codes) if texts.text(code) is not None]
        codes += [texts.acquire(text) for text in later]
        codes = codes or [texts.acquire("b")]


@pytest.mark.parametrize("number", [1_023, 1_024, 5_000])
def test_a_text_is_met_wherever_blocks_of_texts_end(number: int) -> None:
    """The first and the last text of every block fit, and the one behind all of them that came later."""
    texts = Dictionary(Space())
    for each in range(number):
        texts.acquire(f"run-{each}-end")
    joined = Joined(texts)
    assert all(joined.like(range(1, len(texts)), "run-%-end", ignores_case=False).tolist())
    texts.acquire("run-late-end")
    fitting = joined.like(range(1, len(texts)), "%late%", ignores_case=False).tolist()
    assert [len(texts) - 2] == [place for place, fits in enumerate(fitting) if fits]


def test_blocks_are_kept_until_one_of_their_texts_changes() -> None:
    """What they take is counted, and given back."""
    texts = Dictionary(Space())
    codes = [texts.acquire(f"run-{each}") for each in range(3_000)]
    joined = Joined(texts)
    joined.like(range(1, 3_001), "%9%", ignores_case=False)
    whole = joined.size
    joined.like(range(1, 3_001), "%8%", ignores_case=False)
    assert whole == joined.size > 20_000
    texts.release(codes[0])
    joined.like(range(2_000, 3_001), "%7%", ignores_case=False)
    assert 0 < joined.size < whole
