"""Filters that are read, and the trees that they are."""

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.tracking.search.expressions import And, Comparison, Expression, Not, Operator, Or, Scalar
from service.tracking.search.fields import AsNumber, Field, FieldKind
from service.tracking.search.lexing import MAX_BYTES, FilterError
from service.tracking.search.listing import parse_order
from service.tracking.search.parsing import MAX_COMPARISONS, MAX_DEPTH, parse_filter
from service.tracking.search.queries import Order
from service.upstream.conditions import conditions_of, filter_text
from tests.tracking.search import strategies
from tests.tracking.search.written import write

DAY = 1_795_737_600_000.0  # 2026-11-27, midnight in UTC
HOUR = 3_600_000.0


def metric(key: str) -> Field:
    return Field(FieldKind.METRIC, key)


def param(key: str) -> Field:
    return Field(FieldKind.PARAM, key)


def tag(key: str) -> Field:
    return Field(FieldKind.TAG, key)


def attribute(key: str) -> Field:
    return Field(FieldKind.ATTRIBUTE, key)


def named(name: str) -> Comparison:
    """tags.NAME = 'x': a comparison to build trees of."""
    return Comparison(tag(name), Operator.EQ, "x")


A, B, C, D = map(named, "abcd")


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_an_empty_text_is_no_filter(text: str) -> None:
    """No filter matches all runs."""
    assert parse_filter(text) is None


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("metrics.x", metric("x")),
        ("metric.x", metric("x")),
        ("params.x", param("x")),
        ("param.x", param("x")),
        ("parameter.x", param("x")),
        ("parameters.x", param("x")),
        ("tags.x", tag("x")),
        ("tag.x", tag("x")),
        ("tags.mlflow.source.name", tag("mlflow.source.name")),
        ("metrics.val-loss", metric("val-loss")),
        ("metrics.val/loss", metric("val/loss")),
        ("metrics.1st", metric("1st")),
        ("metrics.größe", metric("größe")),
        ("tags.`a b`", tag("a b")),
        ('tags."a b"', tag("a b")),
        ('tags.`it\'s "x"`', tag('it\'s "x"')),
        ("tags.`a``b`", tag("a`b")),
        ('tags."a""b"', tag('a"b')),
        ("`tags`.`a b`", tag("a b")),
        ("`tags`.a.b", tag("a.b")),
        ("tags.AND", tag("AND")),
        ("attributes.status", attribute("status")),
        ("attribute.status", attribute("status")),
        ("attr.status", attribute("status")),
        ("run.status", attribute("status")),
        ("status", attribute("status")),
        ("STATUS", attribute("status")),
        ("`status`", attribute("status")),
        ('"run name"', attribute("run_name")),
        ("attributes.`Run Name`", attribute("run_name")),
        ('run."Run name"', attribute("run_name")),
        ('"run_name"', attribute("run_name")),
        ("Created", attribute("start_time")),
        ("attributes.created", attribute("start_time")),
        ("start_time", attribute("start_time")),
        ("end_time", attribute("end_time")),
        ("duration", attribute("duration")),
        ("run_id", attribute("run_id")),
        ("user_id", attribute("user_id")),
        ("artifact_uri", attribute("artifact_uri")),
        ("experiment_id", attribute("experiment_id")),
        ("number(params.x)", AsNumber(param("x"))),
        ("NUMBER( tags.`a b` )", AsNumber(tag("a b"))),
    ],
)
def test_names_of_fields(written: str, field: Field | AsNumber) -> None:
    """A field has the names that MLflow gives it, and a key with other characters stands in quotes."""
    assert Comparison(field, Operator.IS_NOT_NULL) == parse_filter(f"{written} IS NOT NULL")


@pytest.mark.parametrize(
    ("written", "operator"),
    [
        ("=", Operator.EQ),
        ("!=", Operator.NE),
        ("<", Operator.LT),
        ("<=", Operator.LE),
        (">", Operator.GT),
        (">=", Operator.GE),
        (" LIKE ", Operator.LIKE),
        (" ilike ", Operator.ILIKE),
    ],
)
def test_operators(written: str, operator: Operator) -> None:
    """Each operator of MLflow's, with white space or without, in any case."""
    assert Comparison(tag("a"), operator, "x") == parse_filter(f"tags.a{written}'x'")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("tags.a IN ('x')", Comparison(tag("a"), Operator.IN, ("x",))),
        ("tags.a not in ('x', \"y\")", Comparison(tag("a"), Operator.NOT_IN, ("x", "y"))),
        ("metrics.a IN (1,-2.5)", Comparison(metric("a"), Operator.IN, (1.0, -2.5))),
        ("start_time IN ('2026-11-27', 5)", Comparison(attribute("start_time"), Operator.IN, (DAY, 5.0))),
        ("metrics.a is null", Comparison(metric("a"), Operator.IS_NULL)),
        ("end_time IS NOT NULL", Comparison(attribute("end_time"), Operator.IS_NOT_NULL)),
    ],
)
def test_lists_and_null(text: str, tree: Expression) -> None:
    """IN, NOT IN, IS NULL and IS NOT NULL go with every field."""
    assert tree == parse_filter(text)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1.0),
        ("-5", -5.0),
        ("+5", 5.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("-1.5E+3", -1500.0),
        ("1.7976931348623157e308", math.inf),
        ("-1.7976931348623157e308", -math.inf),
    ],
)
def test_numbers(written: str, value: float) -> None:
    """A number is decimal. The largest double stands for infinity, as in MLflow's store."""
    assert Comparison(metric("a"), Operator.GT, value) == parse_filter(f"metrics.a >{written}")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("''", ""),
        ('""', ""),
        ("'it''s'", "it's"),
        ('"it\'s"', "it's"),
        ("'say \"x\"'", 'say "x"'),
        ('"say ""x"""', 'say "x"'),
        ("''''", "'"),
        ("'a\\'", "a\\"),
        ("'a\n;--/* AND OR'", "a\n;--/* AND OR"),
        ("'日本'", "日本"),
    ],
)
def test_texts(written: str, value: str) -> None:
    """A text is all that stands in its quotes; only its own quote is doubled."""
    assert Comparison(tag("a"), Operator.EQ, value) == parse_filter(f"tags.a = {written}")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1764201600000", 1_764_201_600_000.0),
        ("'2026-11-27'", DAY),
        ('"2026-11-27"', DAY),
        ("'2026-11-27T10:00'", DAY + 10 * HOUR),
        ("'2026-11-27 10:00:00'", DAY + 10 * HOUR),
        ("'2026-11-27T10:00:00Z'", DAY + 10 * HOUR),
        ("'2026-11-27T10:00:00.25Z'", DAY + 10 * HOUR + 250),
        ("'2026-11-27T10:00:00+02:00'", DAY + 8 * HOUR),
        ("'0001-01-01T00:00+14:00'", -62_135_596_800_000.0 - 14 * HOUR),
    ],
)
def test_times(written: str, value: float) -> None:
    """A time is epoch milliseconds, a date or a date-time; without an offset it is in UTC."""
    assert Comparison(attribute("start_time"), Operator.GE, value) == parse_filter(f"start_time >= {written}")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a AND b", And((A, B))),
        ("a and b AND c", And((A, B, C))),
        ("a OR b or c", Or((A, B, C))),
        ("a OR b AND c", Or((A, And((B, C))))),
        ("a AND b OR c AND d", Or((And((A, B)), And((C, D))))),
        ("(a OR b) AND c", And((Or((A, B)), C))),
        ("NOT a AND b", And((Not(A), B))),
        ("NOT a OR b", Or((Not(A), B))),
        ("NOT (a AND b)", Not(And((A, B)))),
        ("not not a", Not(Not(A))),
        ("(a AND b) AND c", And((A, B, C))),
        ("a OR (b OR c)", Or((A, B, C))),
        ("((a))", A),
    ],
)
def test_precedence(text: str, tree: Expression) -> None:
    """NOT binds before AND, AND before OR, and parentheses before all."""
    for name in "abcd":
        text = text.replace(f" {name} ", f" tags.{name}='x' ")
    words = [f"tags.{word}='x'" if word in "abcd" else word for word in _words(text)]
    assert tree == parse_filter(" ".join(words))


def _words(text: str) -> list[str]:
    return text.replace("(", " ( ").replace(")", " ) ").split()


@given(strategies.expressions())
def test_a_tree_that_is_written_is_read_as_the_same_tree(expression: Expression) -> None:
    """Whatever the keys and the values: nothing in them can be taken for grammar."""
    text = write(expression)
    assume(len(text.encode()) <= MAX_BYTES)
    try:
        read = parse_filter(text)
    except FilterError as error:
        assert "at most" in error.expected  # noqa: PT017 - too deep, or too many comparisons
    else:
        assert expression == read


@given(st.sampled_from([metric, param, tag]), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_field_with_any_key_can_be_written(kind: Callable[[str], Field], key: str) -> None:
    """A field is written so that it is read as the same one, and a page token or a message can show it."""
    assert Comparison(kind(key), Operator.IS_NULL) == parse_filter(f"{kind(key)} IS NULL")
    assert (Order(AsNumber(param(key))),) == parse_order(f"number({param(key)})")


@given(strategies.conjunctions(takes=conditions_of))
def test_a_filter_in_mlflows_spelling_is_read_alike(expression: Expression) -> None:
    """What is written for MLflow is a filter here, too, and the same one."""
    conditions = conditions_of(expression)
    assert conditions
    assert expression == parse_filter(filter_text(conditions))


def test_bounds_are_allowed() -> None:
    """A filter may have as many comparisons, as much depth and as many bytes as the bounds say."""
    assert isinstance(parse_filter(" OR ".join(["metrics.a=1"] * MAX_COMPARISONS)), Or)
    assert A == parse_filter("(" * MAX_DEPTH + "tags.a='x'" + ")" * MAX_DEPTH)
    value: Scalar = "é" * ((MAX_BYTES - len("tags.a=''")) // 2)
    assert Comparison(tag("a"), Operator.EQ, value) == parse_filter(f"tags.a='{value}'")
