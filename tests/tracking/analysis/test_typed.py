"""What the text of a parameter means."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.analysis.typed import canonical, number_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("6", 6.0),
        ("-0.5", -0.5),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("5.", 5.0),
        (" 7\n", 7.0),
        ("-0", 0.0),
    ],
)
def test_a_decimal_number_is_read(text: str, number: float) -> None:
    """Decimal numbers are read however they are written; space around them does not count."""
    assert number == number_of(text)


@pytest.mark.parametrize(
    "text", ["", "inf", "nan", "-Infinity", "1e400", "0x10", "1_000", "1,5", "1e", "٣", "true", "1 2"]
)
def test_what_is_no_finite_decimal_number(text: str) -> None:
    """Infinity, NaN, other notations and digits of other scripts are no numbers."""
    assert number_of(text) is None


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("0.10", "1e-1"),
        ("3", "3.0"),
        ("-0.0", "0"),
        ("True", "true"),
        ("None", "null"),
        ('{"b": 1, "a": [2, 3]}', '{"a":[2.0,3],"b":1}'),
        ("[1e-1]", "[0.1]"),
        ("12345678901234567890", "1.2345678901234567890e19"),
        ('["\\u00e9"]', '["é"]'),
    ],
)
def test_texts_that_mean_the_same(text: str, other: str) -> None:
    """Numbers, truth values and JSON are the same however they are written."""
    assert canonical(text) == canonical(other)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("1", "true"),
        ("[1]", '["1"]'),
        ("[1, 2]", "[2, 1]"),
        ("[1]", "[true]"),
        ("relu", "ReLU"),
        ("12345678901234567", "12345678901234568"),
        ("0.1", "0.10000000001"),
        ("", "null"),
        ("[1e400]", "[1e401]"),
    ],
)
def test_texts_that_mean_something_else(text: str, other: str) -> None:
    """Types, letters, the order of a list and each digit of a long whole number count."""
    assert canonical(text) != canonical(other)


@pytest.mark.parametrize("text", ["{", "[1, 2", "[" * 6_000, "{'a': 1}", "[1e999]"])
def test_what_only_looks_like_json_is_a_text(text: str) -> None:
    """A text that begins like JSON and is none, or is nested too deep, means what it says."""
    assert text == canonical(text)


@given(st.text() | JSON.map(json.dumps) | st.floats().map(repr) | st.decimals().map(str))
def test_a_canonical_text_is_its_own(text: str) -> None:
    """The canonical text of a canonical text is that text."""
    assert canonical(text) == canonical(canonical(text))


@given(JSON.filter(lambda value: isinstance(value, (list, dict))))
def test_how_json_is_written_does_not_count(value: object) -> None:
    """Indentation, escapes and the order of keys leave the meaning as it is."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    assert canonical(json.dumps(value)) == canonical(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_a_number_is_the_double_nearest_to_it(value: Decimal) -> None:
    """A number is read as Python reads it, and its canonical text is the same number."""
    assert float(value) == number_of(str(value))
    assert float(value) == number_of(canonical(str(value)))
