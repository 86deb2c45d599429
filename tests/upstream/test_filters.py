"""Filter expressions, read back by MLflow's own parser."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mlflow.utils.search_utils import SearchUtils
from mlflow.utils.validation import _RUN_ID_REGEX

from service.tracking.runs import is_run_id
from service.upstream.filters import Filter, by_ids, by_tags

QUOTES = ["'", '"', "`", "''", '""', "\\", "\\\\", "\\'", '\\"', "E'x'", "N'x'"]
MARKS = [
    "--",
    "/*",
    "*/",
    ";",
    "#",
    "(",
    ")",
    ",",
    ".",
    "=",
    "!=",
    "<>",
    "~",
    "%",
    "_",
    ":",
    "@",
    "{",
    "?",
    "$$",
]
SPACES = [" ", "\n", "\r\n", "\t", "\x00", "\u2028", "\ufeff"]
WORDS = [
    "AND",
    " and ",
    "OR",
    "NOT",
    "LIKE",
    "ILIKE",
    "IN",
    "IS NULL",
    "BETWEEN",
    "SELECT",
    "CASE",
    "END",
    "AS",
]
KEYS = ["tags.", "tags.strategy_id", "params.x = '1'", "attributes.status", "tags.`x`", "1", "1.5", "0x1F"]
PLAIN = ["x", "walk_forward", "é", "日本", "🎲", "a1b2c3d4-e5f6-7890-abcd-ef1234567890"]
GRAMMAR = st.sampled_from([*QUOTES, *MARKS, *SPACES, *WORDS, *KEYS, *PLAIN])
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
HOSTILE = st.lists(GRAMMAR, max_size=8).map("".join) | ANY_TEXT


def read_back(expression: Filter) -> list[tuple[str, str, str, str]]:
    """The comparisons that MLflow reads: type, key, comparator, value."""
    parsed = SearchUtils.parse_search_filter(expression.text)
    return [(one["type"], one["key"], one["comparator"], one["value"]) for one in parsed]


def matches(pattern: str, value: str) -> bool:
    """SQL's LIKE, without an escape."""
    wild = {"%": ".*", "_": "."}
    return (
        re.fullmatch("".join(wild.get(char) or re.escape(char) for char in pattern), value, re.DOTALL)
        is not None
    )


@pytest.mark.thorough
@settings(max_examples=500)
@given(value=HOSTILE.filter(bool))
@example(value="\\")
@example(value="'\"\\")
@example(value="a\\'b")
@example(value='a\\"b')
@example(value="\\\\")
@example(value="' OR tags.x = '")
def test_one_comparison_is_read_back_as_meant(value: str) -> None:
    """A value of any text makes one comparison, of that text or of a pattern that it matches."""
    expression = by_tags({"run_type": value})
    [(kind, key, comparator, read)] = read_back(expression)
    assert ("tag", "run_type") == (kind, key)
    if expression.exact:
        assert ("=", value) == (comparator, read)
    else:
        assert "LIKE" == comparator
        assert matches(read, value)


@pytest.mark.thorough
@settings(max_examples=500)
@given(run_type=HOSTILE.filter(bool), strategy_id=HOSTILE.filter(bool))
@example(run_type="a\\", strategy_id=" AND tags.z != 'b")
@example(run_type="a\\", strategy_id=' AND tags.z != "b')
@example(run_type="'", strategy_id='"')
@example(run_type='\\"', strategy_id="\\'")
def test_two_comparisons_are_read_back_as_meant(run_type: str, strategy_id: str) -> None:
    """Two values of any text make two comparisons: neither ends, swallows or adds another."""
    tags = {"run_type": run_type, "strategy_id": strategy_id}
    expression = by_tags(tags)
    comparisons = read_back(expression)
    assert [("tag", key) for key in tags] == [(kind, key) for kind, key, _, _ in comparisons]
    exact = [comparator == "=" for _, _, comparator, _ in comparisons]
    assert all(exact) is expression.exact
    for value, is_exact, (_, _, comparator, read) in zip(tags.values(), exact, comparisons, strict=True):
        assert read == value if is_exact else comparator == "LIKE" and matches(read, value)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, Filter("", exact=True)),
        ({"run_type": "cpcv"}, Filter("tags.run_type = 'cpcv'", exact=True)),
        ({"a": "x", "b.c": "y"}, Filter("tags.a = 'x' AND tags.b.c = 'y'", exact=True)),
        ({"a": "it's"}, Filter('tags.a = "it\'s"', exact=True)),
        ({"a": 'say "x" to'}, Filter("tags.a = 'say \"x\" to'", exact=True)),
        ({"a": 'say "x"'}, Filter("tags.a LIKE 'say__x_'", exact=False)),
        ({"a": "'x' is said"}, Filter("tags.a LIKE '_x__is_said'", exact=False)),
        ({"a": "é 50%\\"}, Filter("tags.a LIKE 'é_50__'", exact=False)),
        ({"a": "50%_"}, Filter("tags.a = '50%_'", exact=True)),
        ({"a": "x\\y"}, Filter("tags.a = 'x\\y'", exact=True)),
        ({"a": "x\\"}, Filter("tags.a LIKE 'x_'", exact=False)),
        ({"a": "'\""}, Filter("tags.a LIKE '__'", exact=False)),
        ({"a": "x\\", "b": "y"}, Filter("tags.a LIKE 'x_' AND tags.b = 'y'", exact=False)),
    ],
)
def test_quotes_values_or_makes_patterns(tags: dict[str, str], expected: Filter) -> None:
    """A value stands in quotes that it does not contain; one that no quotes can hold becomes a pattern."""
    assert expected == by_tags(tags)


@pytest.mark.parametrize("key", ["", "a b", "a-b", "a/b", "a`b", "a'b", "é", "a=b"])
def test_refuses_keys_that_need_quoting(key: str) -> None:
    """Only keys of letters, digits, `_` and `.` get into a filter."""
    with pytest.raises(ValueError, match="needs quoting"):
        by_tags({key: "x"})


@pytest.mark.parametrize("text", ["a", "0", "abc123def456", "A_b-C", "a" * 256, "4" * 32])
def test_accepts_ids_that_mlflow_allows(text: str) -> None:
    """An id begins with a letter or digit, has `_` and `-` too, and at most 256 characters."""
    assert is_run_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-a",
        "_a",
        "a" * 257,
        "a/b",
        "a b",
        "a\n",
        "\na",
        "a\x00",
        "é",
        "aé",
        "٣",
        "a'",
        "a.b",
        "x" * 10_000,
    ],
)
def test_rejects_ids_that_mlflow_does_not_allow(text: str) -> None:
    """Any other text, even one that only ends with a line feed, is not an id."""
    assert not is_run_id(text)


@given(st.text(max_size=10))
def test_agrees_with_mlflow_about_ids(text: str) -> None:
    """An id is what MLflow itself accepts as one, in ASCII."""
    allowed = bool(_RUN_ID_REGEX.match(text)) and text.isascii() and not text.endswith("\n")
    assert allowed is is_run_id(text)


@given(
    st.lists(
        st.from_regex(r"[a-zA-Z0-9][\w\-]{0,20}", fullmatch=True, alphabet=st.characters(codec="ascii")),
        min_size=1,
    )
)
def test_ids_are_read_back_as_meant(run_ids: list[str]) -> None:
    """A filter by ids is one comparison with exactly those ids."""
    [read] = SearchUtils.parse_search_filter(by_ids(run_ids))
    assert ("attribute", "run_id", "IN") == (read["type"], read["key"], read["comparator"])
    assert run_ids == list(read["value"])


@pytest.mark.parametrize("run_id", ["", "a'b", "a, 'b'", "\\x41", "a\n"])
def test_writes_no_malformed_id(run_id: str) -> None:
    """A text that MLflow does not allow as an id does not get into a filter."""
    with pytest.raises(ValueError, match="does not allow"):
        by_ids(["fine", run_id])
