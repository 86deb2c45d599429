"""Pages of runs, groups and strategies whose values are as long as MLflow keeps them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from service.api import search_schemas, strategy_schemas
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.queries import Order, RunSearch
from service.tracking.search.searches import RunSearches
from tests.api.searching import GROUPS, SEARCH, HeldIndex, make_run, searching
from tests.api.serving import API, Client, answered
from tests.fakes.mlflow import FakeMlflow
from tests.tracking.values import RunsInMemory

STRATEGIES = f"{API}/strategies"
LONGEST = 8_000  # characters of a tag
MOST_OF_TOKEN = 2_048
MOST_OF_LINK = 4_096
TEXTS = [character * (LONGEST - 2) + end for character in "a\U0001f600" for end in ("10", "20", "3", "30")]
RUNS = [
    make_run(at, tags={"note": text, "strategy_id": text, "side": "ab"[at // len(TEXTS)]})
    for at, text in enumerate([*TEXTS, *TEXTS[:3]])
]
MODELS: Mapping[str, tuple[type[BaseModel], str]] = {
    SEARCH: (search_schemas.FoundRuns, "runs"),
    GROUPS: (search_schemas.RunGroups, "groups"),
    STRATEGIES: (strategy_schemas.StrategyList, "strategies"),
}


@pytest.fixture
async def api(fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over an index of runs whose tags are long, and alike at first."""
    async with searching(HeldIndex(RUNS), fake) as client:
        yield client


async def page(
    api: Client, path: str, query: dict[str, str], body: dict[str, Any] | None = None
) -> tuple[list[Any], str | None, str]:
    """What a page lists, its token, and its `Link`. body: of a POST."""
    response = await (api.get(path, params=query) if body is None else api.post(path, json=body))
    model, name = MODELS[path]
    found = await answered(response, model)
    token = found["next_page_token"]
    link = response.headers.get("Link", "")
    assert len(token or "") <= MOST_OF_TOKEN
    assert len(link) <= MOST_OF_LINK
    assert (token is not None and body is None) == bool(link)
    return list(map(named, found[name])), token, link


def named(listed: Mapping[str, Any]) -> tuple[object, ...]:
    """What tells a run or a group from others, without its long texts: comparing those takes minutes."""
    key = [listed.get(name) for name in ("run_id", "strategy_id")] + listed.get("key", [])
    return tuple(TEXTS.index(value) if value in TEXTS else value for value in key)


async def walked(
    api: Client, path: str, query: dict[str, str], body: dict[str, Any] | None = None
) -> list[Any]:
    """What all pages list."""
    met: list[Any] = []
    token: str | None = ""
    while token is not None:
        sent = None if body is None else {**body, "page_token": token}
        listed, token, _ = await page(api, path, {**query, "page_token": token}, sent)
        met += listed
        assert len(met) <= 100
    return met


@pytest.mark.parametrize("order", ["key", "key desc", "runs desc", "first_start_time"])
@pytest.mark.parametrize(("path", "by"), [(GROUPS, {"by": "tags.note"}), (STRATEGIES, {})])
async def test_every_page_of_long_keys_is_reached(
    api: Client, path: str, by: dict[str, str], order: str
) -> None:
    """A walk meets each group of long texts once, in the order of one page; tokens and links are short."""
    query = {**by, "order_by": order}
    whole, _, _ = await page(api, path, query)
    assert len(TEXTS) == len(whole)
    assert whole == await walked(api, path, {**query, "page_size": "1"})


@pytest.mark.parametrize("order", ["key", "key desc", "runs desc"])
async def test_keys_of_three_long_texts_fit_into_a_token(api: Client, order: str) -> None:
    """Groups by several long texts are met once each."""
    query = {"by": "tags.note,tags.side,tags.strategy_id", "order_by": order}
    whole, _, _ = await page(api, GROUPS, query)
    assert len(RUNS) == len(whole)
    assert whole == await walked(api, GROUPS, {**query, "page_size": "1"})


@pytest.mark.parametrize("page_size", [1, 2])
@pytest.mark.parametrize(
    "order",
    [
        ["tags.note"],
        ["tags.note desc"],
        ["tags.side", "tags.note desc"],
        ["tags.side desc", "tags.strategy_id", "tags.note"],
    ],
)
async def test_every_page_of_a_search_sorted_by_long_texts_is_reached(
    api: Client, order: list[str], page_size: int
) -> None:
    """A walk meets each run once, by GET and by POST."""
    query = {"order_by": ",".join(order)}
    whole, _, _ = await page(api, SEARCH, query)
    assert len(RUNS) == len(whole)
    assert whole == await walked(api, SEARCH, {**query, "page_size": str(page_size)})
    assert whole == await walked(api, SEARCH, {}, {"order_by": order, "page_size": page_size})


@pytest.mark.parametrize(("path", "by"), [(SEARCH, {}), (GROUPS, {"by": "tags.note"}), (STRATEGIES, {})])
async def test_a_link_that_would_be_too_long_is_left_out(api: Client, path: str, by: dict[str, str]) -> None:
    """Many clients and proxies read no header of more than 4 to 8 kB; the token stays in the body."""
    for length, has_link in ((1_500, True), (4_000, False)):
        query = {**by, "page_size": "1", "filter": f"status != '{'x' * length}'"}
        response = await api.get(path, params=query)
        token = (await answered(response, MODELS[path][0]))["next_page_token"]
        assert has_link == ("Link" in response.headers)
        assert 200 == (await api.get(path, params={**query, "page_token": token})).status


async def test_what_reads_all_pages_holds_whole_texts() -> None:
    """An export shows no run twice, though the text that ends a page goes before the next one is read."""
    index = HeldIndex(RUNS)
    searches = RunSearches(index, RunsInMemory(), "Default", lambda _: None)
    order = (Order(Field(FieldKind.TAG, "note")), Order(Field(FieldKind.TAG, "side")))
    met: list[str] = []
    async for found in searches.every(RunSearch(("0",), None, order), "query", at_once=1):
        met += [run.run_id for run in found.runs]
        if met[-1] == "run003":  # the only one with this text
            index.put(make_run(3, tags={"note": "0"}))
    assert sorted(run.run_id for run in RUNS) == sorted(met)
