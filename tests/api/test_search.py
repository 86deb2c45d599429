"""GET and POST /runs/search over an index: what is found, in which order, and what is shown of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse

from service.api import search_schemas as schemas
from service.tracking.search.listing import parse_order
from service.tracking.search.parsing import parse_filter
from tests.api.searching import BEGIN, RUNS, SEARCH, HeldIndex, as_query, make_run, searching
from tests.api.serving import Client, answered, refused
from tests.fakes.mlflow import FakeMlflow
from tests.tracking.search import plainly

OTHERS = tuple(make_run(number, run_id=f"other{number}", experiment_id="7") for number in range(3))


@pytest.fixture
def index() -> HeldIndex:
    """An index of sixty runs of the default experiment and three of another."""
    return HeldIndex([*RUNS, *OTHERS], complete=("0", "7"))


@pytest.fixture
async def api(index: HeldIndex, fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over that index."""
    async with searching(index, fake) as client:
        yield client


async def found(api: Client, **body: Any) -> dict[str, Any]:
    """The answer to a search, which is the same to a GET and to a POST."""
    by_query = await answered(await api.get(SEARCH, params=as_query(body)), schemas.FoundRuns)
    by_body = await answered(await api.post(SEARCH, json=body), schemas.FoundRuns)
    assert by_query == by_body
    return by_query


async def ids(api: Client, **body: Any) -> list[str]:
    return [run["run_id"] for run in (await found(api, **body))["runs"]]


def expected(filter_: str, order: str = "", page_size: int = 50) -> list[str]:
    """The ids that the plain evaluator finds."""
    hits = plainly.search(RUNS, parse_filter(filter_), parse_order(order or "start_time desc"))
    return [run.run_id for run in hits][:page_size]


async def test_all_runs_newest_first(api: Client) -> None:
    """Without a filter all runs of the default experiment are hits, newest start first, fifty a page."""
    answer = await found(api)
    assert [run.run_id for run in RUNS[:-51:-1]] == [run["run_id"] for run in answer["runs"]]
    assert 60 == answer["total"]
    assert answer["next_page_token"]


async def test_a_run_is_its_detail_and_its_experiment(api: Client) -> None:
    """Without `fields` a run has what its detail has, and the id of its experiment."""
    [run] = (await found(api, filter="run_id = 'run007'"))["runs"]
    assert {
        "run_id": "run007",
        "run_name": "name 7",
        "status": "FINISHED",
        "start_time": BEGIN + 420_000,
        "end_time": BEGIN + 480_000,
        "artifact_uri": "mlflow-artifacts:/0/run007/artifacts",
        "params": {"depth": "0", "method": "rolling"},
        "metrics": {"sharpe": 0.7, "max_drawdown": -0.125},
        "tags": {"run_type": "backtest", "strategy_id": "s2"},
        "experiment_id": "0",
    } == run


@pytest.mark.parametrize(
    "filter_",
    [
        "metrics.sharpe > 3 AND tags.run_type = 'cpcv'",
        "(metrics.sharpe < 0.5 OR metrics.sharpe > 5) AND NOT params.method = 'rolling'",
        "number(params.depth) >= 5",
        "tags.strategy_id IN ('s1', 's4')",
        "attributes.run_name LIKE '%4_'",
        "metrics.nothing IS NULL AND duration = 60000",
        "metrics.nothing > 1",
    ],
)
async def test_a_filter_finds_what_it_says(api: Client, filter_: str) -> None:
    """The hits are those of the plain evaluator, and their number is `total`."""
    answer = await found(api, filter=filter_, page_size=1000)
    assert expected(filter_, page_size=1000) == [run["run_id"] for run in answer["runs"]]
    assert len(answer["runs"]) == answer["total"]


@pytest.mark.parametrize(
    "order", ["metrics.sharpe", "tags.run_type asc,metrics.max_drawdown desc", "number(params.depth) desc"]
)
async def test_an_order_sorts(api: Client, order: str) -> None:
    """Runs stand by the keys of `order_by`, then newest start first."""
    assert expected("", order) == await ids(api, order_by=order.split(","))


async def test_a_page_is_at_most_a_thousand_runs(api: Client) -> None:
    """`page_size` above 1,000 means 1,000; below 1, or no integer, it is a 422."""
    assert 60 == len(await ids(api, page_size=10**30))
    assert 1 == len(await ids(api, page_size=1))
    for bad in ("0", "-1", "x", ""):
        body = await refused(await api.get(SEARCH, params={"page_size": bad}), 422, "invalid_request")
        assert ["query.page_size"] == [error["location"] for error in body["errors"]]
    for wrong in (0, "5", True, 1.5, None):
        body = await refused(await api.post(SEARCH, json={"page_size": wrong}), 422, "invalid_request")
        assert ["body.page_size"] == [error["location"] for error in body["errors"]]


async def test_only_the_fields_that_are_asked_for(api: Client) -> None:
    """With `fields` a run has these alone; names that it lacks are left out, and `*` is all of a kind."""
    fields = ["attributes.status", "duration", "user_id", "metrics.sharpe", "metrics.none", "params.*"]
    [run] = (await found(api, filter="run_id = 'run007'", fields=fields))["runs"]
    assert {
        "status": "FINISHED",
        "duration": 60_000,
        "user_id": "ada",
        "params": {"depth": "0", "method": "rolling"},
        "metrics": {"sharpe": 0.7},
    } == run


async def test_columns(api: Client, index: HeldIndex) -> None:
    """As columns a field has its values for every run of the page, null where a run lacks it."""
    index.put(make_run(60, metrics={"nan": None, "inf": float("inf")}, params={}))
    answer = await found(
        api, page_size=2, format="columns", fields=["metrics.*", "run_id", "params.depth", "tags.none"]
    )
    assert "runs" not in answer
    assert {
        "run_id": ["run060", "run059"],
        "params.depth": [None, "3"],
        "tags.none": [None, None],
        "metrics.inf": [None, None],
        "metrics.max_drawdown": [None, -1 / 60],
        "metrics.nan": [None, None],
        "metrics.sharpe": [None, 5.9],
    } == answer["columns"]
    assert {"metrics.inf": [0], "metrics.nan": [0]} == answer["not_finite"]


async def test_columns_of_finite_values(api: Client) -> None:
    """Where every null is a value that a run lacks, no list says otherwise."""
    assert "not_finite" not in await found(api, format="columns")


async def test_columns_of_whole_runs(api: Client) -> None:
    """Without `fields` the columns are those of the runs' detail, and of every name that some run has."""
    columns = (await found(api, format="columns"))["columns"]
    assert [
        *("run_id", "run_name", "status", "start_time", "end_time", "artifact_uri", "experiment_id"),
        *("params.depth", "params.method", "metrics.max_drawdown", "metrics.sharpe"),
        *("tags.run_type", "tags.strategy_id"),
    ] == list(columns)
    assert {50} == {len(values) for values in columns.values()}


async def test_facets_count_the_values_of_all_hits(api: Client) -> None:
    """Each field of `facets` has its values among all hits, most frequent first, with their numbers."""
    answer = await found(
        api, filter="metrics.sharpe < 1", facets=["tags.run_type", "status", "params.none"], page_size=1
    )
    assert {
        "tags.run_type": [
            {"value": "training", "count": 4},
            {"value": "backtest", "count": 3},
            {"value": "cpcv", "count": 3},
        ],
        "status": [{"value": "FINISHED", "count": 10}],
        "params.none": [{"value": None, "count": 10}],
    } == answer["facets"]


async def test_the_experiments_that_are_named(api: Client) -> None:
    """`experiment_id` names the experiments to search, one or several, in a query by commas or repeated."""
    assert ["other2", "other1", "other0"] == await ids(api, experiment_id=["7"])
    assert 63 == (await found(api, experiment_id=["0", "7"]))["total"]
    response = await api.get(SEARCH, params=[("experiment_id", "7"), ("experiment_id", "0")])
    assert 63 == (await answered(response, schemas.FoundRuns))["total"]
    for bad in ("x", "0;1", "٣", "1" * 20, "-1"):
        await refused(await api.get(SEARCH, params={"experiment_id": bad}), 422, "invalid_request")


async def test_without_the_default_experiment_there_are_no_runs(fake: FakeMlflow) -> None:
    """Where the default experiment does not exist any more, a search finds nothing, whatever it counts."""
    fake.store.experiments["0"].lifecycle_stage = "deleted"
    async with searching(HeldIndex(RUNS), fake) as api:
        answer = await found(api, facets=["status"])
    assert ([], 0, {"status": []}) == (answer["runs"], answer["total"], answer["facets"])


async def test_it_says_how_fresh_the_index_is(api: Client) -> None:
    """The answer says how many runs the index has, and when it looked for changes."""
    assert {
        "complete": True,
        "runs": 60,
        "share_read": 1.0,
        "synced_ms": BEGIN,
        "swept_ms": BEGIN,
    } == (await found(api))["index"]


async def test_unknown_parameters_are_ignored(api: Client) -> None:
    """What is no parameter of a search changes nothing, and the first value of a repeated one counts."""
    response = await api.get(SEARCH, params=[("page_size", "1"), ("page_size", "9"), ("limit", "x")])
    assert 1 == len((await answered(response, schemas.FoundRuns))["runs"])
    response = await api.post(SEARCH, json={"page_size": 1, "limit": "x"})
    assert 1 == len((await answered(response, schemas.FoundRuns))["runs"])


async def faults(response: ClientResponse) -> list[tuple[str, int | None]]:
    """Where something is wrong with a search, and at which character."""
    body = await refused(response, 422, "invalid_request")
    return [(error["location"], error.get("position")) for error in body["errors"]]


async def test_all_that_is_wrong_is_said_with_its_position(api: Client) -> None:
    """A 422 names each parameter that cannot be read, where in it reading stopped, and what was expected."""
    wrong = {
        "filter": "metrics.sharpe >> 1",
        "order_by": ["metrics.sharpe sideways"],
        "fields": ["metrics"],
        "facets": ["status", "status"],
    }
    at = {"filter": 15, "order_by": 15, "fields": 0}
    by_query = await faults(await api.get(SEARCH, params=as_query(wrong)))
    assert [*[(f"query.{name}", place) for name, place in at.items()], ("query.facets", 7)] == by_query
    by_body = await faults(await api.post(SEARCH, json=wrong))
    assert [*[(f"body.{name}", place) for name, place in at.items()], ("body.facets", 0)] == by_body
    body = await refused(await api.get(SEARCH, params={"filter": "status ="}), 422, "invalid_request")
    assert "expected" in body["errors"][0]["message"]


async def test_a_body_has_to_be_an_object(api: Client) -> None:
    """What is no JSON is a 400, and JSON that is no search a 422."""
    as_json = {"Content-Type": "application/json"}
    await refused(await api.post(SEARCH, data=b"{", headers=as_json), 400, "malformed_body")
    await refused(await api.post(SEARCH, data=b"[]", headers=as_json), 422, "invalid_request")
    await refused(await api.post(SEARCH, data=b"{}"), 415, "unsupported_media_type")
