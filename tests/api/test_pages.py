"""The pages of GET /runs, another experiment's runs, and the cursor that callers cannot make up."""

from itertools import chain
from typing import Any
from urllib.parse import parse_qs, urljoin

import pytest
from aiohttp import ClientResponse
from yarl import URL

from service.api import schemas
from service.tracking.runs import Place
from service.tracking.search.tokens import write_token
from tests.api.serving import API, Client, answered, refused, serving
from tests.fakes.mlflow import FakeMlflow

PLAIN = {"Cache-Control": "no-cache"}


async def page(api: Client, **query: str) -> ClientResponse:
    response = await api.get(f"{API}/runs", params=query, headers=PLAIN)
    assert 200 == response.status
    return response


async def shown(response: ClientResponse) -> list[str]:
    body = await answered(response, schemas.RunList)
    assert len(body["runs"]) == body["total"]
    return [run["run_id"] for run in body["runs"]]


async def following(api: Client, response: ClientResponse) -> ClientResponse:
    """The next page, where the Link of this one leads."""
    return await api.get(URL(str(response.links["next"]["url"])).relative(), headers=PLAIN)


async def walked(api: Client, **query: str) -> list[list[str]]:
    """The ids on each page, from the first to the one that has no next."""
    response, pages = await page(api, **query), []
    while True:
        pages.append(await shown(response))
        if "Link" not in response.headers:
            return pages
        response = await following(api, response)


def cursor_of(response: ClientResponse) -> str:
    return URL(str(response.links["next"]["url"])).query["cursor"]


@pytest.mark.parametrize(("limit", "sizes"), [(3, [3, 3, 1]), (7, [7]), (8, [7]), (6, [6, 1])])
async def test_walking_meets_every_run_once(
    api: Client, fake: FakeMlflow, limit: int, sizes: list[int]
) -> None:
    """The pages are the list, in order; only the last has no next, be it just full."""
    run_ids = [fake.add_run() for _ in range(7)][::-1]
    pages = await walked(api, limit=str(limit))
    assert sizes == list(map(len, pages))
    assert run_ids == list(chain(*pages))


async def test_the_link_is_relative_and_keeps_the_filters(api: Client, fake: FakeMlflow) -> None:
    """It is right behind a proxy's prefix, and names the list that it continues, whatever the filter."""
    run_type = "a b&c=é<>;\"'"
    for _ in range(3):
        fake.add_run(tags={"run_type": run_type})
    response = await page(api, run_type=run_type, strategy_id="", limit="2", unknown="x")
    link = response.headers["Link"]
    assert link.startswith("<?")
    assert link.endswith('>; rel="next"')
    address = link[1 : link.index(">")]
    expected = {"run_type": [run_type], "limit": ["2"], "cursor": [cursor_of(response)]}
    assert expected == parse_qs(address[1:], strict_parsing=True)
    outside = urljoin("https://desk.example/tracking/v1/api/v1/tracking/runs?limit=2", address)
    assert outside == f"https://desk.example/tracking/v1/api/v1/tracking/runs{address}"


async def test_the_limit_may_change_on_the_way(api: Client, fake: FakeMlflow) -> None:
    """A cursor says where a page starts, not how long it is."""
    run_ids = [fake.add_run() for _ in range(6)][::-1]
    cursor = cursor_of(await page(api, limit="2"))
    assert run_ids[2:3] == await shown(await page(api, limit="1", cursor=cursor))
    assert run_ids[2:] == await shown(await page(api, cursor=cursor))


async def test_runs_that_come_while_one_walks_push_none_away(api: Client, fake: FakeMlflow) -> None:
    """A page starts behind the last run of the page before, however many newer ones there are by then."""
    run_ids = [fake.add_run() for _ in range(6)][::-1]
    first = await page(api, limit="3")
    fake.add_run()
    assert run_ids[3:] == await shown(await following(api, first))


async def test_a_page_is_one_search_for_two_runs_more_than_it_shows(api: Client, fake: FakeMlflow) -> None:
    """MLflow begins at the start of the run before; that one and the first of the next page come, too."""
    for start in range(1, 10):
        fake.add_run(start_time=start)
    cursor = cursor_of(await page(api, limit="3"))
    fake.calls.clear()
    await page(api, limit="3", cursor=cursor)
    [asked] = [call.json for call in fake.calls if call.endpoint == "runs/search"]
    assert ("attributes.start_time <= 7", 5) == (asked["filter"], asked["max_results"])


async def test_a_page_has_an_etag_that_stands_for_its_link_too(api: Client, fake: FakeMlflow) -> None:
    """Where an older run makes a next page, the body is the same, and the answer another one."""
    fake.add_run(start_time=9)
    alone = await page(api, limit="1")
    fake.add_run(start_time=8)
    followed = await page(api, limit="1")
    assert await alone.read() == await followed.read()
    assert ("Link" in alone.headers, "Link" in followed.headers) == (False, True)
    known = {**PLAIN, "If-None-Match": alone.headers["ETag"]}
    assert 200 == (await api.get(f"{API}/runs?limit=1", headers=known)).status
    known["If-None-Match"] = followed.headers["ETag"]
    assert 304 == (await api.get(f"{API}/runs?limit=1", headers=known)).status
    head = await api.head(f"{API}/runs?limit=1")
    assert followed.headers["Link"] == head.headers["Link"]


async def test_pages_of_other_hosts_may_read_the_link(fake: FakeMlflow) -> None:
    """CORS exposes it."""
    async with serving(fake.url, cors={"allowed_origins": "*"}) as api:
        response = await api.get(f"{API}/runs", headers={"Origin": "https://desk.example"})
        assert "Link" in response.headers["Access-Control-Expose-Headers"].split(", ")


async def test_a_cursor_is_good_for_its_own_list_alone(api: Client, fake: FakeMlflow) -> None:
    """With another filter, or another experiment, it is refused, and MLflow is not asked."""
    for _ in range(3):
        fake.add_run(tags={"run_type": "cpcv"})
    cursor = cursor_of(await page(api, limit="1", run_type="cpcv"))
    fake.calls.clear()
    for query in (
        {},
        {"run_type": "training"},
        {"run_type": "cpcv", "strategy_id": "s"},
        {"run_type": "cpcv", "experiment_id": "0"},
        {"strategy_id": "cpcv"},
    ):
        response = await api.get(f"{API}/runs", params={**query, "cursor": cursor})
        body = await refused(response, 422, "invalid_request")
        assert ["query.cursor"] == [error["location"] for error in body["errors"]]
    assert [] == fake.calls


def forged(place: Any, kind: str = "runs") -> str:
    return write_token(kind, place, {})


@pytest.mark.parametrize(
    "cursor",
    ["x", " ", "é", "a" * 5_000, "%", "\0", forged(Place(2**64 - 1, "r")), forged(Place(1, "r"), "search")],
)
async def test_what_is_no_cursor_is_refused(api: Client, fake: FakeMlflow, cursor: str) -> None:
    """Junk, another list's token and one whose place no run can have are a 422 that names the cursor."""
    response = await api.get(f"{API}/runs", params={"cursor": cursor})
    body = await refused(response, 422, "invalid_request")
    assert ["query.cursor"] == [error["location"] for error in body["errors"]]
    assert [] == fake.calls


async def test_a_cursor_that_was_changed_is_refused(api: Client, fake: FakeMlflow) -> None:
    """Whichever of its letters is another one, or lacks."""
    for _ in range(2):
        fake.add_run()
    cursor = cursor_of(await page(api, limit="1"))
    for at, letter in enumerate(cursor):
        for other in ("", "A" if letter != "A" else "B"):
            changed = cursor[:at] + other + cursor[at + 1 :]
            assert 422 == (await api.get(f"{API}/runs", params={"cursor": changed})).status


async def test_an_empty_cursor_is_the_first_page(api: Client, fake: FakeMlflow) -> None:
    """An empty value is none, as with filters."""
    run_id = fake.add_run()
    assert [run_id] == await shown(await page(api, cursor="", experiment_id=""))


async def test_the_runs_of_another_experiment(api: Client, fake: FakeMlflow) -> None:
    """experiment_id lists that experiment, with filters and pages, and looks up no name."""
    other = fake.add_experiment("other")
    fake.add_run(run_id="in-default")
    run_ids = [fake.add_run(other, tags={"run_type": "cpcv"}) for _ in range(3)][::-1]
    fake.add_run(other, tags={"run_type": "training"})
    assert [run_ids[:2], run_ids[2:]] == await walked(api, experiment_id=other, run_type="cpcv", limit="2")
    assert 0 == fake.count("experiments/get-by-name")
    assert ["in-default"] == await shown(await page(api))


@pytest.mark.parametrize(
    "text", ["77", "x", "-1", "007", "1.5", "é", "9" * 18, "9" * 19, "1" * 400, "0 OR 1"]
)
async def test_an_unknown_experiment_has_no_runs(api: Client, fake: FakeMlflow, text: str) -> None:
    """Whether MLflow lacks it or no MLflow could have it, that is a 200 without runs."""
    fake.add_run()
    assert [] == await shown(await page(api, experiment_id=text))
    is_asked = text in {"77", "9" * 18}
    assert is_asked == (fake.count("runs/search") == 1)


async def test_a_comparison_has_an_address(api: Client, fake: FakeMlflow) -> None:
    """GET answers what POST does, with the same ETag, and a caller who has it gets a 304."""
    run_ids = [fake.add_run(metrics={"sharpe": 1.0}) for _ in range(3)]
    address = URL(f"{API}/runs/compare").with_query([("run_id", run_id) for run_id in run_ids])
    posted = await api.post(f"{API}/runs/compare", json={"run_ids": run_ids})
    got = await api.get(address)
    assert await answered(posted, schemas.Comparison) == await answered(got, schemas.Comparison)
    assert posted.headers["ETag"] == got.headers["ETag"]
    known = {"If-None-Match": got.headers["ETag"]}
    assert 304 == (await api.get(address, headers=known)).status
    head = await api.head(address)
    assert (200, got.headers["ETag"]) == (head.status, head.headers["ETag"])


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("", "query.run_id"),
        ("run_id=a", "query.run_id"),
        ("run_ids=a&run_ids=b", "query.run_id"),
        ("run_id=a&run_id=a", "query.run_id"),
        ("run_id=a&run_id=", "query.run_id.1"),
        ("run_id=a%2Fb&run_id=c", "query.run_id.0"),
        ("&".join(f"run_id=r{number}" for number in range(11)), "query.run_id"),
    ],
)
async def test_a_comparison_by_query_is_checked(
    api: Client, fake: FakeMlflow, query: str, location: str
) -> None:
    """Too few, too many, repeated and impossible ids are a 422 that says where they stand."""
    body = await refused(
        await api.get(URL(f"{API}/runs/compare?{query}", encoded=True)), 422, "invalid_request"
    )
    assert [location] == [error["location"] for error in body["errors"]]
    assert [] == fake.calls


async def test_a_comparison_by_query_names_what_is_missing(api: Client, fake: FakeMlflow) -> None:
    """All missing runs in one 404, in the order of the query."""
    run_id = fake.add_run()
    response = await api.get(f"{API}/runs/compare?run_id=z&run_id={run_id}&run_id=y")
    assert ["z", "y"] == (await refused(response, 404, "run_not_found"))["missing_run_ids"]


@pytest.mark.parametrize(
    "beside",
    ["limit=2&limit=", "run_type=&limit=2&run_type=", "limit=2&experiment_id=&experiment_id=", "limit=2&x="],
)
async def test_a_link_has_nothing_of_what_others_wrote(api: Client, fake: FakeMlflow, beside: str) -> None:
    """Of a parameter that is repeated the first counts: what stands behind it is in nobody's Link."""
    for _ in range(3):
        fake.add_run()
    first = await api.get(URL(f"{API}/runs?{beside}{'/' * 4_000}", encoded=True), headers=PLAIN)
    second = await page(api, limit="2")
    assert first.headers["Link"] == second.headers["Link"]
    assert {"limit", "cursor"} == set(parse_qs(second.headers["Link"].partition(">")[0][2:]))


async def test_a_number_has_a_bounded_length(api: Client) -> None:
    """Zeros before it would be repeated in a Link."""
    await refused(await api.get(f"{API}/runs?limit={'0' * 200}2"), 422, "invalid_request")
