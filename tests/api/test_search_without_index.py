"""Searches that the index does not answer: handed to MLflow where it can say them, else refused."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.api import search_schemas as schemas
from service.tracking.search.paging import token_of_mlflow
from service.tracking.search.queries import RunSearch
from tests.api.searching import BEGIN, GROUPS, RUNS, SEARCH, HeldIndex, searching
from tests.api.serving import Client, answered, refused
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow

BEYOND = [
    ({"filter": "status = 'FINISHED' OR metrics.sharpe > 1"}, "filter"),
    ({"filter": "NOT status = 'FINISHED'"}, "filter"),
    ({"filter": "number(params.depth) > 1"}, "filter"),
    ({"order_by": "metrics.sharpe"}, "order_by"),
    ({"order_by": "duration desc"}, "order_by"),
    ({"facets": "status"}, "facets"),
]


@pytest.fixture
def index() -> HeldIndex:
    """An index that still reads the runs of the default experiment."""
    unread = HeldIndex(RUNS[:15], complete=())
    unread.followed = {"0"}
    return unread


@pytest.fixture
async def api(index: HeldIndex, fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over that index, and over an MLflow with sixty runs."""
    for number, run in enumerate(RUNS):
        fake.add_run(
            run_id=run.run_id,
            start_time=run.start_time,
            end_time=run.end_time,
            metrics={"sharpe": number / 10},
            params=run.params,
            tags=run.tags,
        )
    async with searching(index, fake) as client:
        yield client


async def page(api: Client, **query: str) -> dict[str, Any]:
    return await answered(await api.get(SEARCH, params=query), schemas.FoundRuns)


def asked(fake: FakeMlflow) -> dict[str, Any]:
    """What MLflow was asked last."""
    body = next(call.json for call in reversed(fake.calls) if call.endpoint == "runs/search")
    assert isinstance(body, dict)
    return body


async def test_mlflow_answers_what_it_can_say(api: Client, fake: FakeMlflow) -> None:
    """Comparisons joined by AND are handed to MLflow, which does not count; the answer says why."""
    found = await page(api, filter="metrics.sharpe > 3 AND tags.run_type = 'cpcv'", page_size="4")
    assert ["run059", "run056", "run053", "run050"] == [run["run_id"] for run in found["runs"]]
    assert (None, True) == (found["total"], bool(found["reason"]))
    assert {
        "complete": False,
        "runs": 15,
        "share_read": 0.25,
        "synced_ms": BEGIN,
        "swept_ms": BEGIN,
    } == found["index"]
    assert "metrics.sharpe > 3" in asked(fake)["filter"]
    assert (["0"], 4) == (asked(fake)["experiment_ids"], asked(fake)["max_results"])


async def test_mlflow_sorts_by_what_it_has_as_a_column(api: Client, fake: FakeMlflow) -> None:
    """An order by attributes is handed to MLflow, too."""
    found = await page(api, order_by="attributes.end_time asc", page_size="2")
    assert ["run000", "run001"] == [run["run_id"] for run in found["runs"]]
    assert "end_time" in str(asked(fake)["order_by"])


async def test_pages_of_mlflow_are_walked(api: Client, fake: FakeMlflow, index: HeldIndex) -> None:
    """Page tokens lead on over MLflow's own pages, also when the index is complete meanwhile."""
    walked, token = [], ""
    while token is not None:
        found = await page(api, filter="params.method = 'rolling'", page_size="8", page_token=token)
        walked += [run["run_id"] for run in found["runs"]]
        token = found["next_page_token"]
        index.put(*RUNS)
        index.complete = {"0"}
    assert [run.run_id for run in reversed(RUNS) if run.params["method"] == "rolling"] == walked
    assert 4 == fake.count("runs/search")
    assert 0 == index.searches


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        *map(
            packed,
            ("[]", "5", '"x"', "null", "{}", '{"offset": "1"}', "NaN"),
        ),
        *map(packed, (f'{{"offset": {offset}}}' for offset in ("0", "-1", "1e9", "true", "99999999999"))),
        "é",
        "",
        "x\n",
        "A" * 600,
    ],
)
async def test_no_token_makes_mlflow_fail(api: Client, fake: FakeMlflow, token: str) -> None:
    """What MLflow would not make as a token is never sent to it, however well it was packed."""
    forged = token_of_mlflow(RunSearch(("0",)), token)
    await refused(await api.get(SEARCH, params={"page_token": forged}), 422, "invalid_request")
    assert 0 == fake.count("runs/search")


async def test_an_answer_of_mlflow_is_remembered(api: Client, fake: FakeMlflow) -> None:
    """The same search asks MLflow once, and is validated; no-cache asks again."""
    first = await api.get(SEARCH)
    again = await api.get(SEARCH, headers={"If-None-Match": first.headers["ETag"]})
    assert 304 == again.status
    assert 1 == fake.count("runs/search")
    await api.get(SEARCH, headers={"Cache-Control": "no-cache"})
    assert 2 == fake.count("runs/search")


@pytest.mark.parametrize(("query", "_part"), BEYOND)
async def test_the_rest_waits_for_the_index(
    api: Client, fake: FakeMlflow, query: dict[str, str], _part: str
) -> None:
    """What MLflow cannot say is a 503 that says how much has been read, and when to ask again."""
    response = await api.get(SEARCH, params=query)
    body = await refused(response, 503, "index_not_ready")
    assert 0.25 == body["share_read"]
    assert int(response.headers["Retry-After"]) >= 1
    assert 0 == fake.count("runs/search")


async def test_groups_and_exports_wait_for_the_index(api: Client) -> None:
    """Groups and CSV, which need all runs, are a 503 until then."""
    await refused(await api.get(GROUPS, params={"by": "status"}), 503, "index_not_ready")
    await refused(await api.get(SEARCH, headers={"Accept": "text/csv"}), 503, "index_not_ready")


async def test_a_page_of_the_index_is_no_page_of_mlflow(api: Client, index: HeldIndex) -> None:
    """A token from when the index was complete waits for it to be so again."""
    index.complete = {"0"}
    token = (await page(api, page_size="2"))["next_page_token"]
    index.complete = set()
    await refused(await api.get(SEARCH, params={"page_token": token}), 503, "index_not_ready")


@pytest.mark.parametrize(("query", "part"), BEYOND)
async def test_what_nothing_will_ever_answer(fake: FakeMlflow, query: dict[str, str], part: str) -> None:
    """Without an index, or in an experiment that it does not hold, a 422 says what the operator can set."""
    for index, setting in (
        (None, "TRACKING_INDEX__ENABLED"),
        (HeldIndex(complete=()), "TRACKING_INDEX__EXPERIMENTS"),
    ):
        async with searching(index, fake) as api:
            body = await refused(await api.get(SEARCH, params=query), 422, "invalid_request")
            assert [f"query.{part}"] == [error["location"] for error in body["errors"]]
            assert setting in body["detail"]
            found = await page(api, filter="status = 'FINISHED'")
            assert (False, 0) == (found["index"]["complete"], found["index"]["runs"])


async def test_an_index_that_is_too_small(fake: FakeMlflow) -> None:
    """Where there are more runs than the index may hold, MLflow answers what it can; else it is a 503."""
    index = HeldIndex()
    index.too_large = True
    async with searching(index, fake) as api:
        assert [] == (await page(api))["runs"]
        await refused(await api.get(SEARCH, params={"facets": "status"}), 503, "index_too_large")


async def test_a_failure_of_mlflow_is_told(api: Client, fake: FakeMlflow) -> None:
    """Where MLflow fails, there is an error, and no empty page."""
    await page(api, page_size="1")
    fake.before = answering(500)
    await refused(await api.get(SEARCH), 502, "upstream_error")
