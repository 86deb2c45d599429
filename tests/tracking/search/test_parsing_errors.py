"""Texts that are no filters: where they go wrong, and what they should be."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.search.expressions import Expression
from service.tracking.search.lexing import MAX_BYTES, FilterError
from service.tracking.search.parsing import parse_filter
from tests.tracking.search import strategies
from tests.tracking.search.written import write

WORDS = (
    'metrics.x params.`a-b` tags."é" status run.created number( number(params.x) dataset.x AND OR NOT IN IS '
    "NULL LIKE ilike ( ) , = != < >= <> == 'x' \"y\" `z` 'it''s' 1 -.5 1e999 1e-3 inf nan '2026-11-27' "
    "'2026-02-30' ' \" ` ; -- /* \\ * metrics.* . é ²"
)
PIECES = st.sampled_from([*WORDS.split(), " ", "\n", "\x00", "\ud800"])
REPEATED = "' '' \" ` ( NOT a. 1 1. - metrics. metrics.` aaaaaaaaaa < é * metrics.x=1, (metrics.x=1) number("


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("params.lookback > 60", 18, "write params.lookback > '60', or number(params.lookback) > 60"),
        ("tags.`a b` = 5", 13, "write tags.`a b` = '5', or number(tags.`a b`) = 5"),
        ("params.a IN (1)", 13, "write params.a = '1', or number(params.a) = 1"),
        ("status = 1", 9, "write attributes.status = '1'"),
        ("metrics.x = '5'", 12, "write metrics.x = 5, without quotes"),
        ("metrics.x = 'a'", 12, "a number"),
        ("metrics.x = '1_000'", 12, "a number"),
        ("metrics.x > inf", 12, "inf and nan are none"),
        ("metrics.x > -inf", 12, "an operator, a value"),
        ("metrics.x != NaN", 13, "inf and nan are none"),
        ("metrics.x > 1e999", 12, "at most 1.8e308"),
        ("metrics.x > params.y", 12, "a number"),
        ("params.x = y", 11, "a text stands in '…'"),
        ("params.x = `y`", 11, "a text stands in '…'"),
        ("start_time > 2026-11-27", 13, "'YYYY-MM-DD'"),
        ("start_time > '27.11.2026'", 13, "'YYYY-MM-DD'"),
        ("start_time > '2026-02-30'", 13, "that the calendar has"),
        ("start_time > '2026-11-27T25:00Z'", 13, "that the calendar has"),
        ("duration > '2026-11-27'", 11, "a number"),
        ("metrics.x LIKE 'a'", 15, "a text before LIKE"),
        ("number(params.x) LIKE 'a'", 22, "write params.x LIKE"),
        ("number(metrics.x) > 1", 7, "params.… or tags.…"),
        ("number(run_name) > 1", 7, "params.… or tags.…"),
        ("number(params.x > 1", 16, ") after the field"),
        ("number > 1", 0, "one of artifact_uri"),
        ("metrics.x <> 1", 10, "write !="),
        ("metrics.x == 1", 10, "write ="),
        ("metrics.x ~ 1", 10, "an operator"),
        ("metrics.x", 9, "an operator"),
        ("metrics.x >", 11, "a number"),
        ("metrics.x > 1 2", 14, "AND, OR or the end"),
        ("metrics.x > 1 metrics.y > 2", 14, "AND, OR or the end"),
        ("metrics.x > 1 AND", 17, "NOT or ("),
        ("(metrics.x > 1", 14, "AND, OR or )"),
        ("metrics.x > 1)", 13, "AND, OR or the end"),
        ("()", 1, "a field"),
        ("metrics.x IN 1", 13, "( after IN"),
        ("metrics.x IN ()", 14, "a number"),
        ("metrics.x IN (1, 2", 18, ", or )"),
        ("tags.x NOT LIKE 'a'", 11, "NOT before the field"),
        ("tags.x NOT 'a'", 11, "IN after NOT"),
        ("tags.x IS 'a'", 10, "NULL or NOT NULL"),
        ("tags.x IS NOT 'a'", 14, "NULL after NOT"),
        ("'x' = tags.a", 0, "a field"),
        ("5 > metrics.x", 0, "a field"),
        ("lifecycle_stage = 'active'", 0, "one of artifact_uri"),
        ("runname = 'x'", 0, "did you mean run_name?"),
        ("Metrics.x > 1", 0, "metrics., params., tags."),
        ("dataset.name = 'x'", 0, "datasets cannot be searched by"),
        ("datasets.`name` = 'x'", 0, "datasets cannot be searched by"),
        ("metrics.`` = 1", 0, "a key after metrics."),
        ("metrics. = 1", 0, "a key after metrics."),
        ("metrics.* = 1", 0, "a field"),
        ("tags.a = 'x", 9, "a closing '"),
        ('tags.a = "x', 9, 'a closing "'),
        ("tags.`a = 'x'", 5, "a closing `"),
        ("tags.a = 'x\\'y'", 14, "a closing '"),
        ("metrics.x > 1;", 13, "without ;"),
        ("metrics.x > 1 -- all", 14, "a field, an operator"),
        ("tags.a = '\ud800'", 10, "characters of Unicode"),
        (" OR ".join(["metrics.a=1"] * 51), 750, "at most 50 comparisons"),
        ("(" * 11 + "metrics.a=1" + ")" * 11, 10, "at most 10 levels"),
        ("NOT " * 11 + "metrics.a=1", 40, "at most 10 levels"),
        (f"metrics.a IN ({','.join('1' * 1001)})", 2014, "at most 1000 values"),
        ("tags.a = '" + "x" * MAX_BYTES + "'", MAX_BYTES, "at most 4096 bytes"),
        ("é" * MAX_BYTES, MAX_BYTES // 2, "at most 4096 bytes"),
    ],
)
def test_an_error_says_where_and_what_to_do(text: str, position: int, expected: str) -> None:
    """The position is that of the first character that does not fit."""
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert position == caught.value.position
    assert expected in caught.value.expected
    assert str(caught.value) == (
        f"at position {position}: expected {caught.value.expected}; found {caught.value.found}"
    )


def test_what_was_found_is_short_and_can_be_shown() -> None:
    """A long token is cut, and control characters are replaced."""
    with pytest.raises(FilterError) as caught:
        parse_filter("metrics.x = '\x1b[31m" + "x" * 500 + "'")
    assert ("'\ufffd[31m", 40) == (caught.value.found[:6], len(caught.value.found))


@given(st.one_of(st.text(st.characters(), max_size=60), st.lists(PIECES, max_size=12).map(" ".join)))
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    """Nothing but FilterError comes out of any text, and its position lies within the text."""
    try:
        parse_filter(text)
    except FilterError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017


@given(strategies.expressions(), st.data())
def test_a_filter_with_a_piece_changed_is_a_filter_or_an_error(
    expression: Expression, data: st.DataObject
) -> None:
    """A filter that was cut, or had something put into it, breaks nothing."""
    text = write(expression)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    text = text[:start] + data.draw(st.one_of(PIECES, st.just(""))) + text[end:]
    try:
        parse_filter(text)
    except FilterError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017


@pytest.mark.parametrize("piece", [*REPEATED.split(), " ", "NOT ", "metrics.x=1 OR "])
def test_no_text_takes_long(piece: str) -> None:
    """The longest text of any pattern is read, or refused, in a moment of the processor's time."""
    times = MAX_BYTES // len(piece.encode())
    for text in (piece * times, piece * (times - 1) + "!"):
        began = time.process_time()
        with suppress(FilterError):
            parse_filter(text)
        assert time.process_time() - began < 0.2
