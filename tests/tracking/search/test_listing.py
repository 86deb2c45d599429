"""Orders and lists of fields."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.search.fields import ATTRIBUTES, AsNumber, Field, FieldKind
from service.tracking.search.lexing import FilterError
from service.tracking.search.listing import (
    Choice,
    parse_fields,
    parse_group_order,
    parse_names,
    parse_order,
)
from service.tracking.search.queries import GroupOrder, Order, Selection
from tests.tracking.search import strategies
from tests.tracking.search.test_parsing_errors import PIECES

X = Field(FieldKind.METRIC, "x")
Y = Field(FieldKind.PARAM, "y")
STATUS = Field(FieldKind.ATTRIBUTE, "status")
NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("order", "keys"),
    [
        ("", ()),
        ([], ()),
        ("metrics.x", (Order(X),)),
        ("metrics.x ASC", (Order(X),)),
        ("metrics.x desc", (Order(X, descending=True),)),
        ("metrics.x desc, run.status", (Order(X, descending=True), Order(STATUS))),
        (["metrics.x desc", "status,params.y"], (Order(X, descending=True), Order(STATUS), Order(Y))),
        ("number(params.y) DESC, params.y", (Order(AsNumber(Y), descending=True), Order(Y))),
        ("metrics.`a,b desc` desc", (Order(Field(FieldKind.METRIC, "a,b desc"), descending=True),)),
        ("metrics.desc", (Order(Field(FieldKind.METRIC, "desc")),)),
    ],
)
def test_orders(order: str | list[str], keys: tuple[Order, ...]) -> None:
    """An order is fields, each with a direction or ascending, in one text or in several."""
    assert keys == parse_order(order)


@given(strategies.orders())
def test_an_order_that_is_written_is_read_as_the_same(order: tuple[Order, ...]) -> None:
    """Whatever characters the keys have."""
    written = [f"{key.operand} {'DESC' if key.descending else 'asc'}" for key in order]
    assert order == parse_order(written) == parse_order(",".join(written))


@pytest.mark.parametrize(
    ("order", "position", "expected"),
    [
        ("metrics.x down", 10, ", ASC, DESC or the end"),
        ("metrics.x desc asc", 15, ", ASC, DESC or the end"),
        ("metrics.x,", 10, "a field after the comma"),
        (",metrics.x", 0, "a field"),
        ("metrics.x, metric.x desc", 11, "metrics.x is there already"),
        (["metrics.x", "status, metrics.x"], 8, "metrics.x is there already"),
        ("metrics.*", 0, "a field"),
        ("desc", 0, "a field"),
        ("metrics.a,metrics.b,metrics.c,metrics.d,metrics.e,metrics.f", 50, "at most 5"),
        ("'x'", 0, "a field"),
    ],
)
def test_wrong_orders(order: str | list[str], position: int, expected: str) -> None:
    """An order that cannot be read says where, in its own text, and what is expected."""
    with pytest.raises(FilterError) as caught:
        parse_order(order)
    assert position == caught.value.position
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ("", Choice()),
        ("*", Choice()),
        ("metrics.*", Choice(Selection(None, NONE, NONE), NONE)),
        ("attributes.*", Choice(Selection(NONE, NONE, NONE), ATTRIBUTES)),
        (
            "metrics.*,params.y,run_id",
            Choice(
                Selection(None, frozenset({"y"}), NONE),
                frozenset({"run_id"}),
                (Y, Field(FieldKind.ATTRIBUTE, "run_id")),
            ),
        ),
        (
            ["status", "tag.*", "metrics.x, status"],
            Choice(Selection(frozenset({"x"}), NONE, None), frozenset({"status"}), (STATUS, X)),
        ),
        ("metrics.*, metrics.x", Choice(Selection(None, NONE, NONE), NONE, (X,))),
        ('tags."*"', Choice(Selection(NONE, NONE, frozenset({"*"})), NONE, (Field(FieldKind.TAG, "*"),))),
    ],
)
def test_fields(fields: str | list[str], choice: Choice) -> None:
    """Of a kind that is not named at all there is nothing; without any name there is everything."""
    assert choice == parse_fields(fields)


@pytest.mark.parametrize(
    ("fields", "position", "expected"),
    [
        ("metrics.x desc", 10, ", or the end"),
        ("datasets.*", 0, "datasets cannot be searched by"),
        ("models.*", 0, "metrics., params., tags."),
        ("number(params.x)", 0, "without number(…)"),
        ("metrics.x,,", 10, "a field"),
        (",".join(f"metrics.m{number}" for number in range(201)), 2490, "at most 200 fields"),
    ],
)
def test_wrong_fields(fields: str, position: int, expected: str) -> None:
    """A list of fields that cannot be read says where, and what is expected."""
    with pytest.raises(FilterError) as caught:
        parse_fields(fields)
    assert position == caught.value.position
    assert expected in caught.value.expected


def test_names() -> None:
    """Facets, and what is grouped by, are fields."""
    assert (
        (X, Y, STATUS)
        == parse_names("metrics.x, params.y, status", 3)
        == parse_names(["metric.x", "param.y,status"], 3)
    )
    assert () == parse_names("", 3)


@pytest.mark.parametrize(
    ("fields", "position", "expected"),
    [
        ("metrics.x,metric.x", 10, "metrics.x is there already"),
        ("metrics.x,status,params.y", 17, "at most 2 fields"),
        ("metrics.*", 0, "a field"),
        ("number(params.x)", 0, "without number(…)"),
    ],
)
def test_wrong_names(fields: str, position: int, expected: str) -> None:
    """They are named one by one, each once, and no more than may be."""
    with pytest.raises(FilterError) as caught:
        parse_names(fields, 2)
    assert position == caught.value.position
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("runs", GroupOrder("runs", None, descending=False)),
        ("RUNS DESC", GroupOrder("runs", None, descending=True)),
        ("key", GroupOrder("key", None, descending=False)),
        (" last_start_time asc ", GroupOrder("last_start_time", None, descending=False)),
        ("metrics.x.mean desc", GroupOrder("mean", "x", descending=True)),
        ("metrics.x.y.ci_low", GroupOrder("ci_low", "x.y", descending=False)),
        ("metrics.mean.MAX", GroupOrder("max", "mean", descending=False)),
        ('metric."a b.c".n', GroupOrder("n", "a b.c", descending=False)),
    ],
)
def test_orders_of_groups(order: str, expected: GroupOrder) -> None:
    """The statistic is the last part: before it stands a metric, whose key may have dots."""
    assert expected == parse_group_order(order)


@pytest.mark.parametrize(
    ("order", "position"),
    [
        ("", 0),
        ("metrics.x", 8),
        ("metrics.x.median", 10),
        ("metrics.x.best_run_id", 10),
        ("params.x.mean", 0),
        ("  run_type desc", 2),
        ("metrics.x y.mean", 10),
        ("metrics.x.mean, runs", 0),
    ],
)
def test_wrong_orders_of_groups(order: str, position: int) -> None:
    """Only statistics that groups have can be sorted by."""
    with pytest.raises(FilterError) as caught:
        parse_group_order(order)
    assert position == caught.value.position
    assert "metrics.x.mean" in caught.value.expected or "the end" in caught.value.expected


@pytest.mark.parametrize(
    "parse", [parse_order, parse_fields, parse_group_order, lambda text: parse_names(text, 3)]
)
@given(text=st.one_of(st.text(st.characters(), max_size=40), st.lists(PIECES, max_size=6).map(" ".join)))
def test_any_text_is_a_list_or_an_error(parse: Callable[[str], object], text: str) -> None:
    """Nothing but FilterError comes out of any text."""
    with suppress(FilterError):
        parse(text)
