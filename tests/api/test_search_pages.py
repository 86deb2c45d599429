"""Pages of a search, and how an answer is kept and validated."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from yarl import URL

from service.api import search_schemas as schemas
from tests.api.searching import BEGIN, RUNS, SEARCH, HeldIndex, make_run, searching
from tests.api.serving import Client, answered, refused
from tests.fakes.mlflow import FakeMlflow


@pytest.fixture
def index() -> HeldIndex:
    """An index of sixty runs."""
    return HeldIndex(RUNS)


@pytest.fixture
async def api(index: HeldIndex, fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over that index."""
    async with searching(index, fake) as client:
        yield client


async def page(api: Client, **query: str) -> dict[str, Any]:
    return await answered(await api.get(SEARCH, params=query), schemas.FoundRuns)


@pytest.mark.parametrize(
    "order", ["", "metrics.sharpe", "params.method desc,number(params.depth)", "end_time"]
)
async def test_pages_meet_every_run_once(api: Client, order: str) -> None:
    """A walk over the pages meets each hit once, in the order of one large page, by GET and by POST."""
    whole = await page(api, order_by=order, page_size="1000")
    walked, token = [], ""
    while token is not None:
        found = await page(api, order_by=order, page_size="7", page_token=token)
        body = {"order_by": order.split(",") if order else [], "page_size": 7, "page_token": token}
        assert found == await answered(await api.post(SEARCH, json=body), schemas.FoundRuns)
        walked += found["runs"]
        token = found["next_page_token"]
    assert whole["runs"] == walked


async def test_a_run_that_arrives_moves_no_other(api: Client, index: HeldIndex) -> None:
    """While runs arrive, a walk misses none of those that were there from its start."""
    walked, token, arrived = [], "", 100
    while token is not None:
        found = await page(api, page_size="9", page_token=token)
        walked += [run["run_id"] for run in found["runs"]]
        token = found["next_page_token"]
        index.put(make_run(arrived))
        arrived += 1
    assert [run.run_id for run in reversed(RUNS)] == walked


async def test_a_link_repeats_no_unknown_parameter(api: Client) -> None:
    """Callers share an answer with its `Link`: what one of them wrote beside the parameters is not in it."""
    for path in (SEARCH, SEARCH.replace("search", "groups")):
        known = {"page_size": "7"} | ({"by": "run_id"} if path.endswith("groups") else {})
        links = [
            (await api.get(path, params=known | unknown)).headers["Link"] for unknown in ({"key": "mine"}, {})
        ]
        assert "page_size=7" in links[0]
        assert ("mine" not in links[0], links[0]) == (True, links[1])


async def test_the_answer_links_to_the_next_page(api: Client) -> None:
    """`Link` leads from page to page, with all parameters but the token kept, and is not on the last."""
    rolling = "params.method = 'rolling' AND run_name != '<&>'"
    url = URL(SEARCH).with_query({"filter": rolling, "page_size": "20"})
    seen: list[str] = []
    while True:
        response = await api.get(url)
        found = await answered(response, schemas.FoundRuns)
        seen += [run["run_id"] for run in found["runs"]]
        if not found["next_page_token"]:
            break
        following = response.links["next"]["url"]
        assert isinstance(following, URL)
        assert found["next_page_token"] == following.query["page_token"]
        assert rolling == following.query["filter"]
        url = following.relative()
    assert "Link" not in response.headers
    assert [run.run_id for run in reversed(RUNS) if run.params["method"] == "rolling"] == seen
    response = await api.post(SEARCH, json={"page_size": 1})
    assert "Link" not in response.headers


async def test_a_token_belongs_to_its_search(api: Client) -> None:
    """With another filter, order or experiment a token is a 422; page size, fields and facets may change."""
    token = (await page(api, filter="status = 'FINISHED'", page_size="5"))["next_page_token"]
    good = {"filter": "status = 'FINISHED'", "page_token": token}
    changed = await page(api, **good, page_size="2", fields="run_id", facets="status")
    assert [{"run_id": "run054"}, {"run_id": "run053"}] == changed["runs"]
    for other in (
        {"page_token": token},
        {**good, "filter": "status = 'FAILED'"},
        {**good, "order_by": "start_time"},
        {**good, "experiment_id": "0,1"},
    ):
        body = await refused(await api.get(SEARCH, params=other), 422, "invalid_request")
        assert ["query.page_token"] == [error["location"] for error in body["errors"]]


async def test_a_token_that_was_changed_is_refused(api: Client) -> None:
    """A token that was cut, changed or made up is a 422."""
    token = (await page(api, page_size="5"))["next_page_token"]
    for bad in (token[:-1], token[1:], token + "A", token.swapcase(), "m." + token, "m.", "x", "é", "\0"):
        body = await refused(await api.get(SEARCH, params={"page_token": bad}), 422, "invalid_request")
        assert ["query.page_token"] == [error["location"] for error in body["errors"]]


async def test_a_page_that_is_asked_for_again_is_not_searched_again(api: Client, index: HeldIndex) -> None:
    """The same search is answered from what was kept until the index may answer otherwise."""
    first = await api.get(SEARCH, params={"page_size": "5"})
    index.age = 3.25
    again = await api.get(SEARCH, params={"page_size": "5"})
    assert await first.read() == await again.read()
    assert ("1", "3") == (first.headers["Age"], again.headers["Age"])
    assert first.headers["Link"] == again.headers["Link"]
    assert 1 == index.searches
    index.put(make_run(60))
    changed = await page(api, page_size="5")
    assert "run060" == changed["runs"][0]["run_id"]
    index.synced_ms = BEGIN + 2_000
    assert BEGIN + 2_000 == (await page(api, page_size="5"))["index"]["synced_ms"]
    assert 3 == index.searches


async def test_an_answer_can_be_validated(api: Client) -> None:
    """A caller who has the answer gets a 304 with its headers, gzipped or not; a HEAD its head alone."""
    first = await api.get(SEARCH)
    for headers in ({}, {"Accept-Encoding": "identity"}):
        response = await api.get(SEARCH, headers={**headers, "If-None-Match": first.headers["ETag"]})
        assert (304, b"") == (response.status, await response.read())
        assert "Accept" in response.headers.getall("Vary")
        assert response.headers["Link"] == first.headers["Link"]
    head = await api.head(SEARCH)
    assert (200, b"") == (head.status, await head.read())
    assert first.headers["ETag"] == head.headers["ETag"]


async def test_no_cache_looks_for_new_runs_first(api: Client, index: HeldIndex) -> None:
    """`Cache-Control: no-cache` has new and active runs looked for before, and the answer says so."""
    await page(api)
    assert 0 == index.refreshes
    response = await api.get(SEARCH, headers={"Cache-Control": "no-cache"})
    assert "experiment-tracking; fwd=request" == response.headers["Cache-Status"]
    assert "0" == response.headers["Age"]
    assert 1 == index.refreshes
