"""Searches that nobody in their right mind writes: an answer or a 422 with a position, and never a defect."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.search_parsing import groups_of_query, search_of_body, search_of_query
from service.errors import InvalidRequest
from tests.api.searching import DIRECTIONS, GROUPS, RUNS, SEARCH, HeldIndex, searching
from tests.api.serving import Client
from tests.fakes.mlflow import FakeMlflow

T = TypeVar("T", str, bytes)

# Pieces of searches, that meet in any order: most of what comes of them is nearly right.
FRAGMENTS = [
    *("metrics.sharpe", "params.depth", "tags.`run type`", 'tags."a""b"', "status", "start_time", "number("),
    *("AND", "OR", "NOT", "IN", "NOT IN", "LIKE", "ILIKE", "IS", "NULL", "asc", "desc", "*", "metrics.*"),
    *("=", "!=", "<", "<=", ">", ">=", "<>", "==", "(", ")", ",", ";", "--", "/*", ".", "`", "'", '"'),
    *("'x'", '"x"', "'%_%'", "1", "-1e309", "0x1", "NaN", "Infinity", "'2026-11-27'", "''", "\\", "\0"),
    *("١", "ß", "\u202e", "\ud800", "e\u0301", "🏃", " " * 50, "((((((((((((", "NOT NOT NOT NOT NOT "),
    *(
        "metrics.sharpe > 1",
        "status = 'FINISHED'",
        "number(params.depth) < 3",
        "AND",
        "OR",
        "NOT",
        "AND",
        "OR",
    ),
]
COMPARISONS = [
    "metrics.sharpe > 1",
    "status = 'FINISHED'",
    "number(params.depth) < 3",
    "tags.`run_type` IN ('cpcv', \"training\")",
    "(duration >= 5 OR start_time < '2026-11-28T10:00:00Z')",
    "run_name ILIKE '%_4%'",
    "params.none IS NOT NULL",
]
PIECES = st.sampled_from(FRAGMENTS)
TEXTS = st.one_of(
    st.text(max_size=60), st.lists(PIECES, max_size=25).map(" ".join), st.lists(PIECES).map("".join)
)
LONG = st.builds(lambda piece, times: piece * times, PIECES, st.sampled_from([100, 1_000, 5_000]))
NAMES = (
    "filter",
    "order_by",
    "fields",
    "facets",
    "experiment_id",
    "page_token",
    "page_size",
    "format",
    "by",
    "metrics",
)
QUERIES = st.dictionaries(st.sampled_from(NAMES), st.one_of(TEXTS, LONG), max_size=4)


def encoded(query: Mapping[str, str]) -> str:
    """The query as it is sent; what is no Unicode goes as the bytes that it would be."""
    return "&".join(
        f"{name}={quote(value, safe='', errors='surrogatepass')}" for name, value in query.items()
    )


@pytest.fixture
async def api(fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over an index of sixty runs."""
    async with searching(HeldIndex(RUNS), fake) as client:
        yield client


def refused_parts(read: Callable[[T], object], text: T) -> set[str]:
    """Which parts of a request are refused, each with a message; none where it is read."""
    try:
        read(text)
    except InvalidRequest as error:
        return {one.location for one in error.errors if one.message}
    return set()


@given(query=QUERIES)
def test_a_query_is_read_or_refused(query: dict[str, str]) -> None:
    """Whatever stands in a query, reading it gives a search, or the errors that a 422 tells."""
    for read in (search_of_query, lambda text: groups_of_query(text, DIRECTIONS)):
        assert all(one.startswith("query.") for one in refused_parts(read, encoded(query)))


@given(filter_=st.one_of(TEXTS, LONG))
def test_a_filter_that_is_refused_has_a_position(filter_: str) -> None:
    """The error of a filter names a character of it, or its end."""
    text = filter_.encode(errors="replace").decode()
    try:
        search_of_query(encoded({"filter": text}))
    except InvalidRequest as error:
        [fault] = error.errors
        assert "query.filter" == fault.location
        assert fault.position is not None
        assert 0 <= fault.position <= len(text)


@given(
    name=st.sampled_from(
        ["filter", "order_by", "page_size", "page_token", "fields", "facets", "experiment_id", "format"]
    ),
    value=st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.integers(), TEXTS
        ),
        lambda values: st.lists(values, max_size=3),
    ),
)
def test_a_body_is_read_or_refused(name: str, value: Any) -> None:
    """Whatever value a member of a body has, reading it gives a search, or an error that callers are told."""
    body = json.dumps({name: value})
    if "\\ud" in body:  # half of a surrogate pair is no JSON
        return
    assert all(one.startswith(f"body.{name}") for one in refused_parts(search_of_body, body.encode()))


def texts(seed: int, number: int) -> Iterator[str]:
    """So many filters of random pieces, the same ones for the same seed."""
    chance = random.Random(seed)
    for _ in range(number):
        if chance.random() < 0.5:
            yield chance.choice(["", " "]).join(chance.choices(FRAGMENTS, k=chance.randint(1, 20)))
            continue
        comparisons = chance.choices(COMPARISONS, k=chance.randint(1, 6))
        text = chance.choice([" AND ", " OR ", " AND NOT ", " OR NOT "]).join(comparisons)
        at = chance.randrange(len(text))
        yield text if chance.random() < 0.5 else text[:at] + chance.choice(FRAGMENTS) + text[at:]


@pytest.mark.parametrize("number", [300, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_no_filter_is_a_defect(api: Client, number: int) -> None:
    """Generated filters, valid and broken, are a 200 or a 422 with a position, in less than 200 ms each."""
    loop = asyncio.get_running_loop()
    answers: Counter[int] = Counter()
    slowest = 0.0
    for text in texts(number, number):
        began = loop.time()
        response = await api.get(f"{SEARCH}?{encoded({'filter': text, 'page_size': '5'})}")
        slowest = max(slowest, loop.time() - began)
        answers[response.status] += 1
        if response.status == 422:
            [error] = (await response.json())["errors"]
            assert "position" in error, (text, error)
    assert {200, 422} == set(answers)
    assert number / 20 < answers[200]
    assert slowest < 2.0  # of a machine that does other things, too


async def test_no_group_is_a_defect(api: Client) -> None:
    """The same pieces in the parameters of groups are a 200 or a 422."""
    answers = set()
    for by, order in zip(texts(1, 200), texts(2, 200), strict=True):
        query = {"by": by if len(by) % 2 else "status", "order_by": order, "metrics": "sharpe"}
        answers.add((await api.get(f"{GROUPS}?{encoded(query)}")).status)
    assert answers <= {200, 422}
