"""Conditions of a search, read back by MLflow's own parser."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.utils.search_utils import SearchUtils

from service.tracking.search.expressions import And, Comparison, Expression, Not, Operator, Or, Scalar
from service.tracking.search.fields import AsNumber, Field, FieldKind
from service.tracking.search.parsing import parse_filter
from service.upstream.conditions import conditions_of, filter_text
from tests.tracking.search import strategies
from tests.upstream.test_filters import HOSTILE

KINDS = {
    FieldKind.METRIC: "metric",
    FieldKind.PARAM: "parameter",
    FieldKind.TAG: "tag",
    FieldKind.ATTRIBUTE: "attribute",
}
LARGEST = 1.7976931348623157e308
X = Field(FieldKind.METRIC, "x")
T = Field(FieldKind.TAG, "t")
START = Field(FieldKind.ATTRIBUTE, "start_time")
INT64 = st.integers(-(2**63), 2**63 - 1)


def clause(comparison: Comparison) -> tuple[str, str, str, object]:
    """What MLflow's parser must understand."""
    assert isinstance(comparison.operand, Field)
    return KINDS[comparison.operand.kind], comparison.operand.key, comparison.operator, comparison.value


def read_back(text: str) -> list[tuple[str, str, str, object]]:
    """What MLflow's parser understands, with metrics as its store reads them."""
    clauses = []
    for one in SearchUtils.parse_search_filter(text):
        value = one["value"]
        if one["type"] == "metric":
            value = float(value)
            value = math.copysign(math.inf, value) if abs(value) == LARGEST else value
        clauses.append((one["type"], one["key"], one["comparator"].upper(), value))
    return clauses


def said(text: str) -> str | None:
    """A filter of ours in MLflow's grammar; None where that cannot say it."""
    conditions = conditions_of(parse_filter(text))
    return None if conditions is None else filter_text(conditions)


@given(
    st.lists(
        st.one_of(
            strategies.comparisons(),
            st.builds(Comparison, st.just(T), st.sampled_from([Operator.EQ, Operator.LIKE]), HOSTILE),
        ),
        min_size=1,
        max_size=4,
    )
)
@example([Comparison(T, Operator.EQ, "a\\"), Comparison(T, Operator.EQ, " AND tags.z != 'b")])
@example([Comparison(T, Operator.EQ, "a"), Comparison(Field(FieldKind.PARAM, "a' = '1"), Operator.EQ, "b")])
@example([Comparison(X, Operator.LT, 1e300), Comparison(X, Operator.GT, -1e-300)])
def test_mlflow_understands_what_is_said(comparisons: list[Comparison]) -> None:
    """MLflow's parser reads the same comparisons, or nothing is said: no value leaks into the grammar."""
    expression: Expression = comparisons[0] if len(comparisons) == 1 else And(tuple(comparisons))
    conditions = conditions_of(expression)
    if conditions is not None:
        assert list(map(clause, comparisons)) == read_back(filter_text(conditions))


@pytest.mark.parametrize(
    ("text", "mlflow"),
    [
        ("", ""),
        ("metrics.x > 1", "metrics.x > 1.0"),
        ("metrics.`a b` <= 1e-5 and params.x = 'y'", "metrics.`a b` <= 1e-05 AND params.x = 'y'"),
        ("(status = 'RUNNING' AND (tags.a LIKE 'x%'))", "attributes.status = 'RUNNING' AND tags.a LIKE 'x%'"),
        ("metrics.x = 1.7976931348623157e308", "metrics.x = 1.7976931348623157e308"),
        ("start_time >= '2026-11-27'", "attributes.start_time >= 1795737600000"),
        ("run_id IN ('a', 'b')", "attributes.run_id IN ('a', 'b')"),
        ("run_id NOT IN ('a')", "attributes.run_id NOT IN ('a')"),
        ("tags.a IS NULL AND params.b IS NOT NULL", "tags.a IS NULL AND params.b IS NOT NULL"),
        ("tags.a = 'it''s'", 'tags.a = "it\'s"'),
        ("tags.a = 'buy and hold'", "tags.a = 'buy and hold'"),
    ],
)
def test_what_can_be_said(text: str, mlflow: str) -> None:
    """AND of comparisons that MLflow knows is written in its grammar."""
    assert mlflow == said(text)


@pytest.mark.parametrize(
    "text",
    [
        "status = 'RUNNING' OR status = 'FAILED'",
        "NOT tags.a = 'x'",
        "tags.a = 'x' AND NOT tags.b = 'y'",
        "tags.a = 'x' AND (tags.b = 'y' OR tags.c = 'z')",
        "number(params.x) > 1",
        "duration > 1",
        "experiment_id = '1'",
        "status IN ('RUNNING')",
        "tags.a IN ('x')",
        "metrics.x IN (1)",
        "metrics.x IS NULL",
        "end_time IS NULL",
        "params.x < 'a'",
        "run_id IN ('x\\x41')",
        "start_time > 0.5",
        "start_time > 1e300",
        "tags.a = 'both '' and \" quotes'",
        "tags.a = 'ends in \\'",
        "tags.a = '''starts with a quote'",
        "tags.a = 'it''s one and another'",
        "tags.a LIKE 'a\\%'",
        "tags.a LIKE '[ab]'",
        "tags.a ILIKE 'É'",
        "tags.a = '\0'",
        "tags.\"a`b\" = 'x'",
    ],
)
def test_what_cannot_be_said(text: str) -> None:
    """What MLflow lacks, or some server or database of it would read otherwise, is not said."""
    assert said(text) is None


def test_what_cannot_be_said_is_not_written() -> None:
    """Whoever writes a condition that was never checked gets an error, and no wrong filter."""
    with pytest.raises(ValueError, match="cannot say"):
        filter_text([Comparison(AsNumber(T), Operator.GT, 1.0)])


@pytest.mark.parametrize("expression", [Or(()), Not(Comparison(X, Operator.EQ, 1.0)), And((Or(()),))])
def test_and_alone_is_said(expression: Expression) -> None:
    """A tree with anything but AND has no conditions."""
    assert conditions_of(expression) is None


@given(st.floats(allow_nan=False))
def test_every_number_is_written_exactly(value: Scalar) -> None:
    """MLflow's parser reads each double as the same one."""
    conditions = conditions_of(Comparison(X, Operator.EQ, value))
    assert conditions is not None
    if abs(float(value)) != LARGEST:
        assert [("metric", "x", "=", value)] == read_back(filter_text(conditions))


@given(INT64, st.sampled_from([Operator.LE, Operator.GT, Operator.EQ]))
@example(1_764_201_600_000_000_001, Operator.LE)
@example(2**63 - 1, Operator.LE)
@example(-(2**63), Operator.LE)
def test_every_whole_time_is_written_exactly(time: int, operator: Operator) -> None:
    """MLflow's parser reads each int64 of a time as the same one, a whole number and no double."""
    [(_, _, _, value)] = read_back(filter_text([Comparison(START, operator, time)]))
    assert (time, int) == (value, type(value))


@pytest.mark.parametrize(
    "time", [2**63, 2.0**63, -(2**63) - 1, -(2.0**64), 10**400, 0.5, math.inf, -math.inf]
)
def test_a_time_that_no_run_can_have_is_not_said(time: float) -> None:
    """What is not an int64 is refused, for databases fail on it."""
    assert conditions_of(Comparison(START, Operator.LE, time)) is None


def test_the_double_at_the_lower_end_of_int64_is_said() -> None:
    """-2^63 is an int64 and a double."""
    conditions = conditions_of(Comparison(START, Operator.GE, -(2.0**63)))
    assert conditions is not None
    assert "attributes.start_time >= -9223372036854775808" == filter_text(conditions)


def test_a_whole_number_that_a_metric_is_compared_with_is_written() -> None:
    """A metric is compared with a whole number as with the double that it is."""
    conditions = conditions_of(Comparison(X, Operator.GE, 3))
    assert conditions is not None
    assert "metrics.x >= 3.0" == filter_text(conditions)
