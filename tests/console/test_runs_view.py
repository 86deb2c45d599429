"""The pure parts of the page "Runs": its address, its order, its columns, its selection."""

from typing import Any

import pytest

from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.listing import parse_fields
from tests.console.data import ODD_NAMES
from tests.console.modules import evaluated
from tests.console.watched import Watched

pytestmark = pytest.mark.console

DEFAULT = ["-start_time"]
SHARPE = {"name": "metrics.oos_sharpe", "align": "number", "isTime": False}
NAME = {"name": "run_name", "align": "text", "isTime": False}


def field(name: str, runs: int = 10, **more: Any) -> dict[str, Any]:
    """A field, as GET /runs/fields has it."""
    values = {"distinct": None, "min": None, "max": None, "numeric": None, "direction": None, "rule": None}
    return {"name": name, "kind": name.partition(".")[0], "runs": runs, **values, **more}


async def test_equal_views_have_equal_addresses(module_page: Watched) -> None:
    """What a view has by itself is left out of its address, and what is not comes back from it."""
    changed = {"sort": ["-metrics.a,b", "status"], "pin": ["params.x\\y"], "base": "abc", "live": False}
    query = await evaluated(
        module_page, "runs/view.js", "m.view.query(values[0], new URLSearchParams())", changed
    )
    read = await evaluated(module_page, "runs/view.js", "m.view.read(new URLSearchParams(values[0]))", query)
    assert changed == {name: read[name] for name in changed}
    empty = await evaluated(
        module_page, "runs/view.js", "m.view.query({ sort: values[0] }, new URLSearchParams())", DEFAULT
    )
    assert "" == empty


@pytest.mark.parametrize("key", ODD_NAMES)
async def test_a_field_is_written_as_the_api_reads_it(module_page: Watched, key: str) -> None:
    """Whatever a metric is called, it can be asked for."""
    text = await evaluated(module_page, "runs/fields.js", "m.written(values[0])", f"metrics.{key}")
    assert (Field(FieldKind.METRIC, key),) == parse_fields(text).named


async def test_an_order_reads_numbers_where_all_texts_are_numbers(module_page: Watched) -> None:
    """A param that is a number in all runs is sorted as one."""
    order = "m.orderOf(['-params.lr', 'params.kind'], (name) => name === 'params.lr')"
    assert "number(params.lr) desc,params.kind asc" == await evaluated(module_page, "runs/fields.js", order)


@pytest.mark.parametrize(
    ("sort", "column", "is_further", "expected"),
    [
        (DEFAULT, SHARPE, False, ["-metrics.oos_sharpe"]),
        (["-metrics.oos_sharpe"], SHARPE, False, ["metrics.oos_sharpe"]),
        (["metrics.oos_sharpe"], SHARPE, False, []),
        (DEFAULT, NAME, False, ["run_name"]),
        (["run_name"], SHARPE, True, ["run_name", "-metrics.oos_sharpe"]),
        (["run_name", "-metrics.oos_sharpe"], NAME, True, ["-run_name", "-metrics.oos_sharpe"]),
        (["-run_name", "-metrics.oos_sharpe"], NAME, True, ["-metrics.oos_sharpe"]),
        (["run_name", "-metrics.oos_sharpe"], NAME, False, ["run_name"]),
        (["a", "b", "c", "d", "e"], SHARPE, True, ["b", "c", "d", "e", "-metrics.oos_sharpe"]),
    ],
)
async def test_a_column_is_sorted_one_way_then_the_other(
    module_page: Watched, sort: list[str], column: dict[str, Any], is_further: bool, expected: list[str]
) -> None:
    """Numbers come highest first, texts from A; the next time the other way; then it is no key any more."""
    call = "m.sortedBy(...values)"
    assert expected == await evaluated(module_page, "runs/sorting.js", call, sort, column, is_further)


async def test_default_columns_are_those_that_tell_runs_apart(module_page: Watched) -> None:
    """Twelve at most: metrics that can be better come first, and params that never vary are left out."""
    fields = [
        field("params.constant", distinct=1),
        field("params.lr", distinct=3),
        field("params.rare", runs=2, distinct=1),
        field("metrics.n_obs", direction="none", rule="n_*"),
        field("metrics.oos_sharpe", runs=8, direction="max", rule="*_sharpe_*"),
        *(field(f"metrics.other{number}", runs=5) for number in range(20)),
        field("tags.run_type", distinct=2),
    ]
    names = await evaluated(module_page, "runs/columns.js", "m.chosen(...values)", fields, 10)
    assert [
        *("run_name", "status", "start_time", "duration", "tags.run_type"),
        *("metrics.oos_sharpe", "metrics.n_obs", "metrics.other0", "metrics.other1", "metrics.other2"),
        *("params.lr", "params.rare"),
    ] == names


async def test_a_column_that_is_sorted_by_stays_where_it_is(module_page: Watched) -> None:
    """A head does not leave the pointer that has clicked it; a field without a column gets one."""
    fields = [field("metrics.a"), field("metrics.b"), field("params.c", distinct=2)]
    chosen = "m.chosen(values[0], 10, values[1])"
    before = await evaluated(module_page, "runs/columns.js", chosen, fields, [])
    assert before == await evaluated(module_page, "runs/columns.js", chosen, fields, ["metrics.b", "status"])
    after = await evaluated(module_page, "runs/columns.js", chosen, fields, ["metrics.x"])
    assert [*before[:4], "metrics.x", *before[4:]] == after


async def test_the_name_stays_first_and_pinned_columns_beside_it(module_page: Watched) -> None:
    """Columns that stay stand first, in their order, each at the right edge of the one before."""
    names = ["status", "metrics.a", "run_name", "params.b"]
    view = {"pin": ["params.b"], "base": ""}
    columns = await evaluated(module_page, "runs/columns.js", "m.columnsOf(...values, [])", names, view)
    assert ["run_name", "params.b", "status", "metrics.a"] == [column["name"] for column in columns]
    left = [column["left"] for column in columns]
    assert [left[0] + columns[0]["width"], None, None] == left[1:]


@pytest.mark.parametrize(
    ("direction", "value", "base", "expected"),
    [
        ("max", 2, 1, True),
        ("max", 0, 1, False),
        ("min", 0, 1, True),
        ("closest_to_zero", -0.1, -0.3, True),
        ("closest_to_zero", 0.4, -0.3, False),
        ("closest_to_zero", 0.3, -0.3, None),
        ("none", 2, 1, None),
        ("max", 1, 1, None),
    ],
)
async def test_better_is_what_the_direction_says(
    module_page: Watched, direction: str, value: float, base: float, expected: bool | None
) -> None:
    """A difference is better, worse, or neither where no rule says so or nothing differs."""
    assert expected is await evaluated(
        module_page, "runs/cells.js", "m.isBetter(...values)", direction, value, base
    )


async def test_no_more_runs_are_selected_than_can_be_compared(module_page: Watched) -> None:
    """A hundred at most; those that are selected already stay."""
    selected = [f"old{number}" for number in range(99)]
    sel = await evaluated(
        module_page, "runs/selection.js", "m.added(...values)", selected, ["old3", "new", "more"]
    )
    assert [*selected, "new"] == sel


async def test_a_column_moves_by_one_and_stops_at_the_end(module_page: Watched) -> None:
    """In the dialog a column goes up or down by one, and no further than the list."""
    move = "[1, -1, 5].map((step) => m.moved({ cols: ['a', 'b', 'c'], pin: [] }, 'b', step).cols)"
    assert [["a", "c", "b"], ["b", "a", "c"], ["a", "c", "b"]] == await evaluated(
        module_page, "runs/choice.js", move
    )
