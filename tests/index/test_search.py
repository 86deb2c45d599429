"""Searches over a table find what a plain evaluation finds, in its order, page by page."""

import asyncio
import math
from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from service.index.engine import Engine
from service.index.facets import MOST_VALUES
from service.index.table import RunTable
from service.tracking.runs import Run
from service.tracking.search.expressions import Comparison, Expression, Operator
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.queries import FacetValue, Order, RunSearch, Selection
from tests.tracking.search import plainly
from tests.tracking.search.strategies import EXPERIMENTS, expressions, fields, orders, run_lists, runs_of
from tests.tracking.values import make_run


def table_of(runs: Iterable[Run]) -> RunTable:
    table = RunTable()
    for run in runs:
        table.put(run, 0.0)
    return table


def ids_of(runs: Iterable[Run]) -> list[str]:
    return [run.run_id for run in runs]


@given(run_lists(10), expressions(), orders())
def test_a_filter_finds_what_a_plain_evaluation_finds(
    runs: list[Run], expression: Expression, order: tuple[Order, ...]
) -> None:
    """Any filter, in any order: the same runs, as they were put, in the same places, and their number."""
    search = RunSearch(EXPERIMENTS, expression, order)
    hits = asyncio.run(Engine(table_of(runs)).search(search))
    expected = plainly.search(runs, expression, order)
    assert (expected, len(expected), None) == (list(hits.runs), hits.total, hits.next)


@given(run_lists(8), st.lists(expressions(4), min_size=2, max_size=4), st.data())
def test_what_was_derived_from_texts_keeps_up_with_changes(
    runs: list[Run], filters: list[Expression], data: st.DataObject
) -> None:
    """A search that was asked before finds what has come, gone and changed since."""

    async def play() -> None:
        table, known = table_of(runs), {run.run_id: run for run in runs}
        engine = Engine(table)
        for asked in range(1, 4):
            for run_id in data.draw(st.lists(st.sampled_from([f"r{n:03}" for n in range(14)]), max_size=6)):
                if data.draw(st.booleans()):
                    known[run_id] = data.draw(runs_of(run_id))
                    table.put(known[run_id], asked)
                else:
                    known.pop(run_id, None)
                    table.drop(run_id, asked)
            for expression in filters:
                order = data.draw(orders(2))
                hits = await engine.search(RunSearch(EXPERIMENTS, expression, order))
                assert plainly.search(known.values(), expression, order) == list(hits.runs)

    asyncio.run(play())


async def walk(engine: Engine, search: RunSearch) -> list[str]:
    """The ids of all pages, one after the other."""
    after, met = None, list[str]()
    for _ in range(1_000):
        page = RunSearch(search.experiment_ids, search.filter, search.order, search.page_size, after)
        hits = await engine.search(page)
        met += ids_of(hits.runs)
        after = hits.next
        if after is None:
            return met
    raise AssertionError("the pages have no end")


@given(run_lists(10), orders(), st.integers(1, 7))
def test_the_pages_of_any_order_meet_each_run_once(
    runs: list[Run], order: tuple[Order, ...], page_size: int
) -> None:
    """One page after the other is the whole in order, whatever is missing, NaN, or equal."""
    search = RunSearch(EXPERIMENTS, None, order, page_size)
    met = asyncio.run(walk(Engine(table_of(runs)), search))
    assert ids_of(plainly.in_order(runs, order)) == met


@given(run_lists(8), run_lists(5), orders(), st.integers(1, 4), st.data())
def test_no_run_that_stays_is_missed_while_runs_come_and_go(
    runs: list[Run], others: list[Run], order: tuple[Order, ...], page_size: int, data: st.DataObject
) -> None:
    """Between pages runs arrive and are deleted, the last one of the page, too: the others come once each."""
    arriving = [
        Run(f"x{run.run_id}", *[getattr(run, name) for name in run.__struct_fields__[1:]]) for run in others
    ]

    async def play() -> tuple[set[str], list[str]]:
        table, stay = table_of(runs), {run.run_id for run in runs}
        engine, after, met = Engine(table), None, list[str]()
        while True:
            hits = await engine.search(RunSearch(EXPERIMENTS, None, order, page_size, after))
            met += ids_of(hits.runs)
            after = hits.next
            if after is None:
                return stay, met
            if arriving:
                table.put(arriving.pop(), 1.0)
            if data.draw(st.booleans()):
                table.drop(after.run_id, 1.0)
                stay.discard(after.run_id)

    stay, met = asyncio.run(play())
    assert stay <= set(met)
    assert len(set(met)) == len(met)


def plain_facet(runs: Sequence[Run], field: Field) -> list[FacetValue]:
    counts: dict[float | str | None, int] = {}
    for run in runs:
        value = plainly.value_of(run, field)
        value = None if isinstance(value, float) and not math.isfinite(value) else value
        counts[value] = counts.get(value, 0) + 1
    return [
        FacetValue(value, count)
        for value, count in sorted(
            counts.items(),
            key=lambda pair: (-pair[1], pair[0] is None, pair[0] if pair[0] is not None else 0),
        )
    ]


@given(run_lists(10), expressions(3), st.lists(fields, min_size=1, max_size=3))
def test_facets_count_the_values_of_all_hits(
    runs: list[Run], expression: Expression, chosen: list[Field]
) -> None:
    """The most frequent value first, ties by value, None for the hits without, whatever the page's size."""
    search = RunSearch(EXPERIMENTS, expression, page_size=1, facets=tuple(chosen))
    hits = asyncio.run(Engine(table_of(runs)).search(search))
    found = plainly.search(runs, expression, ())
    assert [plain_facet(found, field) for field in chosen] == list(map(list, hits.facets))


async def test_a_facet_has_no_more_values_than_its_bound() -> None:
    """Of a field that each run has another value of, the first values are counted."""
    runs = [make_run(f"r{number}", tags={"note": f"{number:05}"}) for number in range(MOST_VALUES + 5)]
    field = Field(FieldKind.TAG, "note")
    hits = await Engine(table_of(runs)).search(RunSearch(("",), facets=(field,)))
    assert [FacetValue(f"{number:05}", 1) for number in range(MOST_VALUES)] == list(hits.facets[0])


async def test_what_has_no_finite_number_is_one_value_of_a_facet() -> None:
    """Infinities and NaN are counted with the runs that lack the metric, under None."""
    values = {"a": math.inf, "b": -math.inf, "c": None, "d": 1.0}
    runs = [make_run("e"), *(make_run(name, metrics={"m": value}) for name, value in values.items())]
    hits = await Engine(table_of(runs)).search(RunSearch(("",), facets=(Field(FieldKind.METRIC, "m"),)))
    assert [FacetValue(None, 4), FacetValue(1.0, 1)] == list(hits.facets[0])


async def test_a_selection_leaves_out_the_other_values() -> None:
    """Only the metrics, params and tags that are asked for are in the runs."""
    run = make_run(metrics={"a": 1.0, "b": None}, params={"p": "1", "q": "2"}, tags={"t": "x"})
    selection = Selection(frozenset({"b"}), frozenset({"q", "none"}), frozenset())
    hits = await Engine(table_of([run])).search(RunSearch(("",), selection=selection))
    expected = make_run(metrics={"b": None}, params={"q": "2"})
    assert (expected,) == hits.runs


async def test_only_the_experiments_asked_for_are_searched() -> None:
    """A run of another experiment is no hit; an experiment without runs adds none."""
    runs = [Run(f"r{at}", "", "FINISHED", at, None, "", {}, {}, {}, str(at)) for at in range(3)]
    hits = await Engine(table_of(runs)).search(RunSearch(("0", "2", "other")))
    assert ["r2", "r0"] == ids_of(hits.runs)


async def test_a_large_table_is_sorted_as_a_small_one() -> None:
    """Where a sample says which rows can be on the page, the page is the same, with many ties, too."""
    runs = [
        make_run(f"r{number:05}", start_time=number // 3, metrics={"m": float(number * 7_919 % 97), "n": 1.0})
        for number in range(20_000)
    ]
    engine = Engine(table_of(runs))
    for name in ("m", "n"):
        for descending in (False, True):
            order = (Order(Field(FieldKind.METRIC, name), descending),)
            hits = await engine.search(RunSearch(("",), None, order, 100))
            assert ids_of(plainly.in_order(runs, order)[:100]) == ids_of(hits.runs)
            assert hits.next is not None
            more = await engine.search(RunSearch(("",), None, order, 100, hits.next))
            assert ids_of(plainly.in_order(runs, order)[100:200]) == ids_of(more.runs)


async def test_texts_that_nearly_all_differ_are_sorted_in_turns() -> None:
    """Thousands of texts, and some more that come later, are in the order of their code points."""
    runs = [make_run(f"r{number:05}", name=f"n{number * 7_919 % 10_007}é") for number in range(5_000)]
    table = table_of(runs[:4_000])
    engine, order = Engine(table), (Order(Field(FieldKind.ATTRIBUTE, "run_name")),)
    for count in (4_000, 4_100, 5_000):
        for run in runs[:count]:
            table.put(run, 1.0)
        hits = await engine.search(RunSearch(("",), None, order, 1_000))
        assert ids_of(plainly.in_order(runs[:count], order)[:1_000]) == ids_of(hits.runs)


async def test_a_search_holds_what_it_needs_however_little_may_be_kept() -> None:
    """Nothing may be kept for the next search, and this one is answered all the same."""
    field = Field(FieldKind.TAG, "t")
    runs = [make_run(f"r{number}", tags={"t": f"{number}"}) for number in range(300)]
    engine = Engine(table_of(runs), kept_bytes=0)
    for text in ("%7%", "%8%"):
        hits = await engine.search(RunSearch(("",), Comparison(field, Operator.LIKE, text)))
        assert sum(text.strip("%") in str(number) for number in range(300)) == hits.total
    assert engine.bytes_used < 2_600  # the joined texts alone
