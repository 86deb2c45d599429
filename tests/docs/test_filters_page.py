"""The page about filters says what the parser does."""

import re

import pytest

from service.tracking.search import lexing, listing, parsing
from service.tracking.search.expressions import Operator
from service.tracking.search.fields import ATTRIBUTES
from service.tracking.search.lexing import FilterError
from service.tracking.search.parsing import parse_filter
from tests.docs.markdown import ROOT

PAGE = (ROOT / "docs/reference/filters.md").read_text("utf-8")
(EXAMPLES,) = re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return cells[2:]


@pytest.mark.parametrize("example", EXAMPLES.splitlines())
def test_examples_are_filters(example: str) -> None:
    """Each example can be read."""
    assert parse_filter(example) is not None


@pytest.mark.parametrize(("example", "message"), rows("Errors"))
def test_errors_are_those_of_the_parser(example: str, message: str) -> None:
    """The messages are what callers get."""
    with pytest.raises(FilterError) as caught:
        parse_filter(example.strip("`"))
    assert message == str(caught.value)


def test_every_attribute_is_named() -> None:
    """The table of fields has each attribute, and nothing else without a dot."""
    named = {name for cell, *_ in rows("Fields") for name in re.findall(r"`(\w+)`", cell)}
    assert named == ATTRIBUTES


def test_every_operator_is_named() -> None:
    """The table of comparisons has each operator."""
    section = PAGE.split("| operator |")[1].split("\n\n")[0]
    named = {name.replace(" (…)", "") for name in re.findall(r"`([A-Z<>=! ]+(?: \(…\))?)`", section)}
    assert named == {operator.value for operator in Operator}


def test_bounds_are_those_of_the_parser() -> None:
    """The table of bounds has the numbers that hold."""
    numbers = [int(re.findall(r"\d+", cell)[0]) for _, cell in rows("Bounds")]
    assert numbers == [
        lexing.MAX_BYTES,
        parsing.MAX_COMPARISONS,
        parsing.MAX_VALUES,
        parsing.MAX_DEPTH,
        listing.MAX_KEYS,
        listing.MAX_FIELDS,
    ]
