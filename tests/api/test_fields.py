"""GET /runs/fields over an index."""

import math
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.api import field_schemas as schemas
from tests.api.searching import BEGIN, FIELDS, RUNS, SEARCH, HeldIndex, make_run, searching
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


async def listed(api: Client, **query: str) -> dict[str, Any]:
    return await answered(await api.get(FIELDS, params=query), schemas.RunFields)


async def names(api: Client, **query: str) -> list[str]:
    return [field["name"] for field in (await listed(api, **query))["fields"]]


async def one(api: Client, name: str, **query: str) -> dict[str, Any]:
    [field] = [field for field in (await listed(api, **query))["fields"] if field["name"] == name]
    return dict(field)


async def test_fields_are_in_order(api: Client) -> None:
    """Attributes, params, metrics and tags stand in this order, in each the most frequent first."""
    answer = await listed(api)
    assert [
        *("artifact_uri", "duration", "end_time", "experiment_id", "run_id", "run_name", "start_time"),
        *("status", "user_id", "params.depth", "params.method", "metrics.max_drawdown", "metrics.sharpe"),
        *("tags.run_type", "tags.strategy_id"),
    ] == [field["name"] for field in answer["fields"]]
    assert {"attributes": 9, "params": 2, "metrics": 2, "tags": 2} == answer["counts"]
    assert (60, 60) == (answer["total"], answer["index"]["runs"])


async def test_what_the_values_of_a_metric_are(api: Client, index: HeldIndex) -> None:
    """A metric has the range of its finite values, its direction, and the rule that says so."""
    index.put(make_run(60, metrics={"sharpe": None}), make_run(61, metrics={"sharpe": math.inf}))
    sharpe = await one(api, "metrics.sharpe")
    assert {
        "name": "metrics.sharpe",
        "written": "metrics.sharpe",
        "kind": "metrics",
        "runs": 62,
        "distinct": None,
        "numeric": None,
        "min": 0.0,
        "max": 5.9,
        "direction": "max",
        "rule": "*_sharpe_*",
    } == sharpe


async def test_a_metric_without_a_finite_value(api: Client, index: HeldIndex) -> None:
    """A metric that is NaN or infinite everywhere is there, and has no range."""
    index.put(
        make_run(60, metrics={"loss": None}),
        make_run(61, metrics={"loss": -math.inf}),
        make_run(62, metrics={"loss": math.inf}),
    )
    loss = await one(api, "metrics.loss")
    assert (3, None, None, "min") == tuple(loss[key] for key in ("runs", "min", "max", "direction"))


async def test_what_the_values_of_a_parameter_are(api: Client, index: HeldIndex) -> None:
    """A parameter whose texts are all numbers has their range; one other text, and it is no number."""
    depth = await one(api, "params.depth")
    assert (60, 7, True, 0.0, 6.0) == tuple(
        depth[key] for key in ("runs", "distinct", "numeric", "min", "max")
    )
    index.put(make_run(60, params={"depth": "deep"}))
    depth = await one(api, "params.depth")
    assert (61, 8, False, None, None) == tuple(
        depth[key] for key in ("runs", "distinct", "numeric", "min", "max")
    )
    assert True is (await one(api, "params.depth", filter="run_id != 'run060'"))["numeric"]


async def test_what_the_values_of_attributes_are(api: Client) -> None:
    """A time has a range in whole milliseconds, a text the number of different ones."""
    start = await one(api, "start_time")
    assert (BEGIN, BEGIN + 59 * 60_000, None) == (start["min"], start["max"], start["distinct"])
    assert 60_000 == (await one(api, "duration"))["max"]
    status = await one(api, "status")
    assert (1, None) == (status["distinct"], status["numeric"])
    assert 60 == (await one(api, "run_id"))["distinct"]
    assert None is (await one(api, "artifact_uri"))["distinct"]


async def test_a_filter_narrows_the_fields(api: Client, index: HeldIndex) -> None:
    """Only what runs have that match is listed and counted, an attribute as any other field."""
    index.put(make_run(60, status="RUNNING", end_time=None, params={}, metrics={"other": 1.0}, tags={}))
    answer = await listed(api, filter="status = 'RUNNING'")
    assert 1 == answer["total"]
    assert {"attributes": 7, "params": 0, "metrics": 1, "tags": 0} == answer["counts"]
    assert not {"end_time", "duration"} & {field["name"] for field in answer["fields"]}
    assert 31 == (await one(api, "metrics.sharpe", filter="metrics.sharpe >= 2.9"))["runs"]


async def test_no_run_that_matches_has_no_field(api: Client) -> None:
    """Where no run matches there is no field, which is no error."""
    answer = await listed(api, filter="metrics.sharpe > 100")
    assert ([], 0, [0, 0, 0, 0]) == (answer["fields"], answer["total"], [*answer["counts"].values()])


async def test_kinds_are_chosen(api: Client) -> None:
    """`kind` names one kind or several, with commas or repeated; others are not listed nor counted."""
    assert ["tags.run_type", "tags.strategy_id"] == await names(api, kind="tags")
    assert ["params.depth", "params.method", "metrics.max_drawdown", "metrics.sharpe"] == await names(
        api, kind="metrics, params"
    )
    response = await api.get(f"{FIELDS}?kind=metrics&kind=tags")
    assert {"attributes": 0, "params": 0, "metrics": 2, "tags": 2} == (await response.json())["counts"]
    for wrong in ("metric", "tags,x"):
        body = await refused(await api.get(FIELDS, params={"kind": wrong}), 422, "invalid_request")
        assert ["query.kind"] == [error["location"] for error in body["errors"]]


async def test_a_part_of_the_name_is_enough(api: Client, index: HeldIndex) -> None:
    """`contains` is looked for in the name that is answered, whatever its case; others are not counted."""
    index.put(make_run(60, tags={"Übung": "1"}, metrics={"OOS Sharpe": 1.0}))
    assert ["metrics.sharpe", "metrics.OOS Sharpe"] == await names(api, contains="SHARPE")
    assert ["start_time", "status", "tags.strategy_id"] == await names(api, contains="st", limit="2")
    assert ["metrics.sharpe"] == await names(api, contains="metrics.s")
    assert ["tags.Übung"] == await names(api, contains="übu")
    assert 1 == (await listed(api, contains="übu"))["counts"]["tags"]


async def test_a_limit_cuts_each_kind(api: Client) -> None:
    """At most `limit` fields of each kind are listed, and all are counted; ten thousand are the most."""
    assert ["artifact_uri", "params.depth", "metrics.max_drawdown", "tags.run_type"] == await names(
        api, limit="1"
    )
    assert 9 == (await listed(api, limit="1"))["counts"]["attributes"]
    assert 15 == len(await names(api, limit="1000000"))
    for wrong in ("0", "x"):
        body = await refused(await api.get(FIELDS, params={"limit": wrong}), 422, "invalid_request")
        assert ["query.limit"] == [error["location"] for error in body["errors"]]


@pytest.mark.parametrize(
    "key", ["Sharpe Ratio", "a`b", 'a`"b', "constructor", "<script>", "x" * 250, "عائد", "🎯", "a.b/c-d"]
)
async def test_a_field_is_written_as_a_filter_reads_it(api: Client, index: HeldIndex, key: str) -> None:
    """What `written` says can be put into a filter, an order and a list of fields as it is."""
    index.put(make_run(60, metrics={key: 7.0}))
    field = await one(api, f"metrics.{key}", kind="metrics")
    query = {
        "filter": f"{field['written']} = 7",
        "order_by": field["written"],
        "fields": field["written"],
        "format": "columns",
    }
    found = await (await api.get(SEARCH, params=query)).json()
    assert {f"metrics.{key}": [7.0]} == found["columns"]


async def test_attributes_are_written_as_they_are_named(api: Client) -> None:
    """An attribute is written without a kind before it."""
    fields = (await listed(api, kind="attributes"))["fields"]
    assert [field["name"] for field in fields] == [field["written"] for field in fields]


async def test_fields_are_kept_and_validated(api: Client, index: HeldIndex) -> None:
    """The same fields are counted once until the index may answer otherwise, and are validated."""
    first = await api.get(FIELDS)
    headers = {"If-None-Match": first.headers["ETag"]}
    assert 304 == (await api.get(FIELDS, headers=headers)).status
    assert 1 == index.searches
    index.put(make_run(60))
    assert 200 == (await api.get(FIELDS, headers=headers)).status


async def test_without_the_default_experiment_there_are_no_fields(fake: FakeMlflow) -> None:
    """Where the default experiment does not exist any more, there are no fields."""
    fake.store.experiments["0"].lifecycle_stage = "deleted"
    async with searching(HeldIndex(RUNS), fake) as client:
        answer = await listed(client)
    assert ([], 0, 0) == (answer["fields"], answer["total"], answer["index"]["runs"])


async def test_without_an_index_there_are_no_fields(fake: FakeMlflow) -> None:
    """MLflow cannot list fields: without an index it is a 422 that names the setting."""
    async with searching(None, fake) as client:
        body = await refused(await client.get(FIELDS), 422, "invalid_request")
    assert "TRACKING_INDEX__ENABLED" in body["errors"][0]["message"]


async def test_fields_while_the_index_is_read(fake: FakeMlflow) -> None:
    """While runs are being read for the first time, the answer is a 503 that says when to ask again."""
    index = HeldIndex(RUNS, complete=())
    index.followed = {"0"}
    async with searching(index, fake) as client:
        response = await client.get(FIELDS)
        assert "Retry-After" in response.headers
        await refused(response, 503, "index_not_ready")
