"""Positions in long texts that page tokens cut: found again, and gone on from where they are gone."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.index.engine import Engine
from service.index.table import RunTable
from service.tracking.runs import Run
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.queries import Grouping, GroupOrder, GroupPosition, Order, Position, RunSearch
from service.tracking.search.tokens import (
    position_of_groups,
    position_of_search,
    token_of_groups,
    token_of_search,
)
from tests.tracking.search import plainly
from tests.tracking.values import make_run

NOTE, SIDE = Field(FieldKind.TAG, "note"), Field(FieldKind.TAG, "side")
STEM = "n" * 2_000
# Some begin as others do, some are what others begin with, and some stand before or behind all of them.
ENDS = ("", "a", "b", "ba", "bb", "\U0010ffff", "z" * 3_000)
NOTES = (*(STEM + end for end in ENDS), STEM[:1_000], STEM[:200], "a", "z", "n" * 100 + "z" * 2_000)
notes = st.sampled_from(NOTES)


@st.composite
def noted(draw: st.DrawFn) -> list[Run]:
    """Runs with long notes, or none."""
    tags = st.fixed_dictionaries({}, optional={"note": notes, "side": st.sampled_from("ab")})
    return [
        make_run(f"r{at}", start_time=draw(st.integers(1, 3)), tags=draw(tags))
        for at in range(draw(st.integers(1, 12)))
    ]


def table_of(runs: Sequence[Run]) -> RunTable:
    table = RunTable()
    for run in runs:
        table.put(run, 0.0)
    return table


def cut_position(search: RunSearch, position: Position | None) -> Position | None:
    """A position as a token hands it on."""
    return None if position is None else position_of_search(search, token_of_search(search, position))


def cut_group(grouping: Grouping, position: GroupPosition | None) -> GroupPosition | None:
    """The same of groups."""
    return None if position is None else position_of_groups(grouping, token_of_groups(grouping, position))


orders = st.lists(st.builds(Order, st.sampled_from((NOTE, SIDE)), st.booleans()), min_size=1, max_size=3).map(
    tuple
)


@given(noted(), orders, st.integers(1, 3))
def test_pages_of_long_texts_meet_each_run_once(
    runs: list[Run], order: tuple[Order, ...], page_size: int
) -> None:
    """One page after the other is the whole in order, though tokens hold no whole text."""

    async def walk() -> list[str]:
        engine, search = Engine(table_of(runs)), RunSearch(("",), None, order, page_size)
        met: list[str] = []
        while True:
            hits = await engine.search(search)
            met += [run.run_id for run in hits.runs]
            if hits.next is None:
                return met
            search = msgspec.structs.replace(search, after=cut_position(search, hits.next))

    assert [run.run_id for run in plainly.in_order(runs, order)] == asyncio.run(walk())


@given(noted(), st.sampled_from([(NOTE,), (NOTE, SIDE), (SIDE, NOTE)]), st.booleans(), st.integers(1, 3))
@pytest.mark.parametrize("statistic", ["key", "runs"])
def test_pages_of_long_keys_meet_each_group_once(
    statistic: str, runs: list[Run], by: tuple[Field, ...], descending: bool, page_size: int
) -> None:
    """One page after the other is what one page of all groups is."""

    async def walk(size: int) -> list[object]:
        order = GroupOrder(statistic, None, descending)
        engine, grouping = Engine(table_of(runs)), Grouping(("",), by, order=order, page_size=size)
        met: list[object] = []
        while True:
            hits = await engine.groups(grouping)
            met += [group.key for group in hits.groups]
            if hits.next is None:
                return met
            grouping = msgspec.structs.replace(grouping, after=cut_group(grouping, hits.next))

    assert asyncio.run(walk(1_000)) == asyncio.run(walk(page_size))


@given(noted(), orders, st.integers(1, 3), st.data())
def test_no_run_is_missed_where_the_text_of_a_token_has_gone(
    runs: list[Run], order: tuple[Order, ...], page_size: int, data: st.DataObject
) -> None:
    """The last run of a page loses its note, or is deleted: all others are met, some of them twice."""

    async def play() -> tuple[set[str], list[str]]:
        table, stay, met = table_of(runs), {run.run_id for run in runs}, list[str]()
        engine, search = Engine(table), RunSearch(("",), None, order, page_size)
        while True:
            hits = await engine.search(search)
            met += [run.run_id for run in hits.runs]
            if hits.next is None:
                return stay, met
            last = hits.next.run_id
            if last in stay and data.draw(st.booleans()):
                stay.discard(last)
                if data.draw(st.booleans()):
                    table.drop(last, 1.0)
                else:
                    table.put(make_run(last, start_time=data.draw(st.integers(1, 3))), 1.0)
            search = msgspec.structs.replace(search, after=cut_position(search, hits.next))

    stay, met = asyncio.run(play())
    assert stay <= set(met)


@pytest.mark.parametrize(("descending", "expected"), [(False, "acz"), (True, "ca0")])
async def test_a_walk_goes_on_before_all_that_begin_as_a_text_that_has_gone(
    descending: bool, expected: str
) -> None:
    """Of groups, too: those that begin as it did may come twice, and none is left out."""
    named = {name: make_run(name, tags={"note": STEM + name if name in "abc" else name}) for name in "0abcz"}
    table = table_of(list(named.values()))
    engine = Engine(table)
    grouping = Grouping(("",), (NOTE,), order=GroupOrder("key", None, descending), page_size=3)
    first = await engine.groups(grouping)
    assert STEM + "b" == first.groups[-1].key[0]
    table.drop("b", 1.0)
    more = await engine.groups(msgspec.structs.replace(grouping, after=cut_group(grouping, first.next)))
    assert [named[name].tags["note"] for name in expected] == [group.key[0] for group in more.groups]
