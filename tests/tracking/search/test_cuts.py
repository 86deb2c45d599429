"""Long texts in page tokens: cut, and known again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.search.cuts import CutText, cut
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.queries import Grouping, GroupOrder, GroupPosition, Order, Position, RunSearch
from service.tracking.search.tokens import (
    TokenError,
    position_of_groups,
    position_of_search,
    token_of_groups,
    token_of_search,
)

X = Field(FieldKind.METRIC, "x")
T = Field(FieldKind.TAG, "t")
BY_TEXT = RunSearch(("0",), order=(Order(T),))
BY_NUMBER = RunSearch(("0",), order=(Order(X),))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(texts, texts, st.integers(4, 30))
def test_a_text_is_cut_where_it_is_too_long(text: str, other: str, most: int) -> None:
    """What fits stays a text. The start of another one fits, and only the whole text is known again."""
    short = cut(text, most)
    if len(text.encode()) <= most:
        assert text == short
    else:
        assert isinstance(short, CutText)
        assert len(short.start.encode()) <= most
        assert (True, True) == (text.startswith(short.start), short.is_of(text))
        assert (other == text) == short.is_of(other)


def test_a_position_of_a_long_text_is_cut() -> None:
    """A token holds how the text begins, how long it is, and its digest."""
    text = "é" * 8_000
    token = token_of_search(BY_TEXT, Position((text,), 1, "r" * 32))
    (value,) = position_of_search(BY_TEXT, token).values
    assert isinstance(value, CutText)
    assert ("é" * 500, 8_000, True) == (value.start, value.length, value.is_of(text))
    assert token == token_of_search(BY_TEXT, Position((value,), 1, "r" * 32))


def test_texts_of_1_000_bytes_are_whole() -> None:
    """All texts of a token together: its tokens are those of before."""
    position = Position(("é" * 500,), None, "r")
    assert position == position_of_search(BY_TEXT, token_of_search(BY_TEXT, position))
    by_key = Grouping(("0",), (T,), order=GroupOrder("key"))
    key = ("é" * 250,)
    groups = GroupPosition(key, key)
    assert groups == position_of_groups(by_key, token_of_groups(by_key, groups))


@pytest.mark.parametrize("order", [GroupOrder("key"), GroupOrder("runs")])
def test_a_position_of_long_keys_is_cut(order: GroupOrder) -> None:
    """Three keys of 8,000 characters fit into a token of 2 kB, twice where groups are sorted by them."""
    grouping = Grouping(("0",), (T, T, T), order=order)
    key = ("\U0001f600" * 8_000,) * 3
    token = token_of_groups(grouping, GroupPosition(key, key if order.statistic == "key" else 3.0))
    assert len(token) <= 2_048
    read = position_of_groups(grouping, token)
    assert [True] * 3 == [isinstance(one, CutText) and one.is_of(key[0]) for one in read.key]


def test_five_long_texts_of_an_order_fit() -> None:
    """An order has at most five keys."""
    search = RunSearch(("0",), order=(Order(T),) * 5)
    token = token_of_search(search, Position(("\U0001f600" * 8_000,) * 5, 2**62, "r" * 32))
    assert len(token) <= 2_048


def test_a_cut_text_is_no_number() -> None:
    """Somebody who writes tokens by hand is refused."""
    forged = CutText("a", 9_000, b"x")
    with pytest.raises(TokenError, match="damaged"):
        position_of_search(BY_NUMBER, token_of_search(BY_NUMBER, Position((forged,), 1, "r")))
    by_number = Grouping(("0",), (X,), order=GroupOrder("mean", "x"))
    for position in (GroupPosition((forged,), 1.0), GroupPosition((1.0,), forged)):
        with pytest.raises(TokenError, match="damaged"):
            position_of_groups(by_number, token_of_groups(by_number, position))
