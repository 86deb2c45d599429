"""GET /runs/groups over an index."""

import math
from collections.abc import AsyncIterator
from statistics import mean, stdev
from typing import Any

import pytest

from service.api import search_schemas as schemas
from tests.api.searching import BEGIN, GROUPS, RUNS, HeldIndex, make_run, searching
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


async def grouped(api: Client, **query: str) -> dict[str, Any]:
    return await answered(await api.get(GROUPS, params=query), schemas.RunGroups)


async def keys(api: Client, **query: str) -> list[list[Any]]:
    return [group["key"] for group in (await grouped(api, **query))["groups"]]


async def test_a_group_is_summed_up(api: Client) -> None:
    """A group has its runs, statuses and times, and for each metric what its values come to."""
    answer = await grouped(api, by="tags.run_type", metrics="sharpe,max_drawdown", order_by="key")
    runs = [run for run in RUNS if run.tags["run_type"] == "backtest"]
    [group] = [one for one in answer["groups"] if one["key"] == ["backtest"]]
    sharpes = [float(run.metrics["sharpe"] or 0.0) for run in runs]
    assert (20, {"FINISHED": 20}) == (group["runs"], group["statuses"])
    assert (BEGIN + 60_000, BEGIN + 58 * 60_000) == (group["first_start_time"], group["last_start_time"])
    sharpe = group["metrics"]["sharpe"]
    assert (20, 0, min(sharpes), max(sharpes)) == tuple(
        sharpe[name] for name in ("n", "missing", "min", "max")
    )
    assert math.isclose(mean(sharpes), sharpe["mean"])
    assert math.isclose(stdev(sharpes), sharpe["sd"])
    assert sharpe["ci_low"] < sharpe["mean"] < sharpe["ci_high"]
    assert 3 == answer["total"]


async def test_the_best_run_follows_the_metrics_direction(api: Client, index: HeldIndex) -> None:
    """A loss is best when lowest, a ratio when highest; a metric that a group lacks has no best run."""
    index.put(
        *(make_run(number, metrics={"sharpe": number / 10, "log_loss": number / 10}) for number in range(9))
    )
    answer = await grouped(api, by="experiment_id", metrics="sharpe,log_loss,nothing")
    [group] = answer["groups"]
    best = {name: one["best_run_id"] for name, one in group["metrics"].items()}
    assert {"sharpe": "run059", "log_loss": "run000", "nothing": None} == best
    assert (0, 60, None) == tuple(group["metrics"]["nothing"][name] for name in ("n", "missing", "mean"))


async def test_groups_by_several_fields(api: Client) -> None:
    """A key has a value for each field of `by`, null where the runs lack it."""
    assert [["backtest", "expanding", None], ["backtest", "rolling", None]] == await keys(
        api, by="tags.run_type,params.method,tags.none", order_by="key", page_size="2"
    )
    for wrong in ("", ",", "status,status", "a", "status,user_id,run_id,run_name", "number(params.x)"):
        body = await refused(await api.get(GROUPS, params={"by": wrong}), 422, "invalid_request")
        assert ["query.by"] == [error["location"] for error in body["errors"]]
    body = await refused(await api.get(GROUPS), 422, "invalid_request")
    assert ["query.by"] == [error["location"] for error in body["errors"]]


async def test_a_filter_narrows_the_groups(api: Client) -> None:
    """Only runs that match are counted."""
    answer = await grouped(api, by="status", filter="metrics.sharpe >= 5 OR metrics.sharpe = 0")
    assert [11] == [group["runs"] for group in answer["groups"]]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("metrics.sharpe.mean desc", ["s4", "s3", "s2", "s1", "s0"]),
        ("metrics.sharpe.min", ["s0", "s1", "s2", "s3", "s4"]),
        ("first_start_time desc", ["s4", "s3", "s2", "s1", "s0"]),
        ("key desc", ["s4", "s3", "s2", "s1", "s0"]),
        ("", ["s0", "s1", "s2", "s3", "s4"]),
    ],
)
async def test_groups_are_sorted(api: Client, order: str, expected: list[str]) -> None:
    """Groups stand by what `order_by` names, then by the key; most runs first by default."""
    assert [[key] for key in expected] == await keys(
        api, by="tags.strategy_id", metrics="sharpe", order_by=order
    )


@pytest.mark.parametrize(
    "order", ["metrics.other.mean", "metrics.sharpe", "metrics.sharpe.median", "start_time", "x"]
)
async def test_an_order_that_is_none(api: Client, order: str) -> None:
    """What is no figure of a group, or of a metric that was not asked for, is a 422."""
    query = {"by": "status", "metrics": "sharpe", "order_by": order}
    body = await refused(await api.get(GROUPS, params=query), 422, "invalid_request")
    assert ["query.order_by"] == [error["location"] for error in body["errors"]]


@pytest.mark.parametrize("order", ["", "key desc", "metrics.sharpe.max desc", "last_start_time"])
async def test_pages_meet_every_group_once(api: Client, order: str) -> None:
    """A walk over pages, by token or by `Link`, meets each group once, in the order of one large page."""
    query = {"by": "params.depth,params.method", "metrics": "sharpe", "order_by": order}
    whole = await grouped(api, **query)
    walked, token = [], ""
    while token is not None:
        response = await api.get(GROUPS, params={**query, "page_size": "3", "page_token": token})
        found = await answered(response, schemas.RunGroups)
        walked += found["groups"]
        token = found["next_page_token"]
        assert (token is not None) == ("next" in response.links)
    assert whole["groups"] == walked
    assert len(walked) == whole["total"]


async def test_a_token_belongs_to_its_groups(api: Client) -> None:
    """A token of other groups, of runs, or of nobody is a 422."""
    token = (await grouped(api, by="params.depth", page_size="2"))["next_page_token"]
    for query in ({"by": "params.method"}, {"by": "params.depth", "order_by": "key"}):
        await refused(await api.get(GROUPS, params={**query, "page_token": token}), 422, "invalid_request")
    for bad in ("x", token[1:]):
        query = {"by": "params.depth", "page_token": bad}
        body = await refused(await api.get(GROUPS, params=query), 422, "invalid_request")
        assert ["query.page_token"] == [error["location"] for error in body["errors"]]


async def test_groups_are_kept_and_validated(api: Client, index: HeldIndex) -> None:
    """The same groups are summed up once until the index may answer otherwise, and are validated."""
    first = await api.get(GROUPS, params={"by": "status"})
    headers = {"If-None-Match": first.headers["ETag"]}
    assert 304 == (await api.get(GROUPS, params={"by": "status"}, headers=headers)).status
    assert 1 == index.searches
    index.put(make_run(60))
    assert 200 == (await api.get(GROUPS, params={"by": "status"}, headers=headers)).status


async def test_without_the_default_experiment_there_are_no_groups(fake: FakeMlflow) -> None:
    """Where the default experiment does not exist any more, there are no groups."""
    fake.store.experiments["0"].lifecycle_stage = "deleted"
    async with searching(HeldIndex(RUNS), fake) as api:
        answer = await grouped(api, by="status")
    assert ([], 0) == (answer["groups"], answer["total"])


@pytest.mark.parametrize(("index", "setting"), [(None, "ENABLED"), (HeldIndex(complete=()), "EXPERIMENTS")])
async def test_without_an_index_there_are_none(
    fake: FakeMlflow, index: HeldIndex | None, setting: str
) -> None:
    """Where no index will ever hold the runs, a 422 says what the operator can set."""
    async with searching(index, fake) as api:
        body = await refused(await api.get(GROUPS, params={"by": "status"}), 422, "invalid_request")
    assert f"TRACKING_INDEX__{setting}" in body["detail"]
