"""GET and POST /runs/compare/analysis over a fake MLflow."""

import asyncio
import json
import math
from typing import Any

import pytest
from aiohttp import web

from service.api import analysis_examples as examples
from service.api import analysis_schemas as schemas
from tests.api.serving import API, Client, answered, refused
from tests.fakes.mlflow import FakeMlflow
from tests.fakes.store import Metric

ANALYSIS = f"{API}/runs/compare/analysis"


async def analysed(api: Client, *run_ids: str, **more: Any) -> dict[str, Any]:
    response = await api.post(ANALYSIS, json={"run_ids": run_ids, **more})
    return await answered(response, schemas.Analysis)


def add_runs(fake: FakeMlflow, **metrics: float) -> list[str]:
    """Runs with these values of the metric sharpe, by their ids."""
    return [fake.add_run(run_id=run_id, metrics={"sharpe": value}) for run_id, value in metrics.items()]


def add_example_runs(fake: FakeMlflow) -> None:
    """The runs that the example of the API reference is about."""
    metrics, params = examples.ANALYSIS["metrics"], examples.ANALYSIS["params"]
    for run_id in examples.ANALYSIS_REQUEST["run_ids"]:
        dataset = examples.ANALYSIS["tags"]["dataset_version"][run_id]
        fake.add_run(
            run_id=run_id,
            params={name: one["values"][run_id] for name, one in params.items()},
            metrics={name: one["values"][run_id] for name, one in metrics.items()},
            tags={"run_type": "training", "dataset_version": dataset, "git_commit": "3f9a1c2"},
        )


async def test_the_example_of_the_document(api: Client, fake: FakeMlflow) -> None:
    """The runs of the example give the example, its order included."""
    add_example_runs(fake)
    response = await api.post(ANALYSIS, json=examples.ANALYSIS_REQUEST)
    assert json.dumps(examples.ANALYSIS) == json.dumps(json.loads(await response.text()))
    await answered(response, schemas.Analysis)


async def test_a_query_and_a_body_ask_the_same(api: Client, fake: FakeMlflow) -> None:
    """The GET has the names of the POST, run_id repeated and metrics with commas or repeated."""
    add_example_runs(fake)
    body = await analysed(
        api, "abc123def456", "def456ghi789", baseline="def456ghi789", metrics=["max_drawdown", "oos_sharpe"]
    )
    assert ["max_drawdown", "oos_sharpe"] == list(body["metrics"])
    query = "run_id=abc123def456&run_id=def456ghi789&baseline=def456ghi789"
    for metrics in ("metrics=max_drawdown,oos_sharpe", "metrics=max_drawdown&metrics=oos_sharpe"):
        assert body == await answered(await api.get(f"{ANALYSIS}?{query}&{metrics}"), schemas.Analysis)


async def test_the_baseline_is_the_first_run_unless_told(api: Client, fake: FakeMlflow) -> None:
    """Deltas are of all runs but the baseline, in the order of the request."""
    add_runs(fake, a=1.0, b=2.0, c=0.5)
    body = await analysed(api, "b", "a", "c")
    assert "b" == body["baseline"]
    assert ["a", "c"] == list(body["metrics"]["sharpe"]["deltas"])
    body = await analysed(api, "b", "a", "c", baseline="c")
    assert "c" == body["baseline"]
    assert ["b", "a"] == list(body["metrics"]["sharpe"]["deltas"])
    assert {"absolute": 1.5, "relative": 3.0, "better": True, "reason": None} == body["metrics"]["sharpe"][
        "deltas"
    ]["b"]


async def test_what_is_no_number_is_null_with_a_reason(api: Client, fake: FakeMlflow) -> None:
    """NaN and infinity are null, neither best nor ranked, and the delta says why it is null."""
    add_runs(fake, a=1.0, b=math.nan, c=math.inf)
    fake.add_run(run_id="d")
    body = await analysed(api, "a", "b", "c", "d")
    sharpe = body["metrics"]["sharpe"]
    assert {"a": 1.0, "b": None, "c": None, "d": None} == sharpe["values"]
    assert {"a": 1, "b": None, "c": None, "d": None} == sharpe["ranks"]
    assert ["value_not_finite", "value_not_finite", "value_missing"] == [
        delta["reason"] for delta in sharpe["deltas"].values()
    ]
    [warning] = [one for one in body["warnings"] if one["code"] == "value_cut_off"]
    assert (["c"], ["sharpe"]) == (warning["run_ids"], warning["metrics"])


async def test_a_metric_that_no_run_has(api: Client, fake: FakeMlflow) -> None:
    """It is answered with nulls, and a warning names it."""
    add_runs(fake, a=1.0, b=2.0)
    body = await analysed(api, "a", "b", metrics=["sharp"])
    assert {"a": None, "b": None} == body["metrics"]["sharp"]["values"]
    assert (0, 2) == (body["metrics"]["sharp"]["spread"]["n"], body["metrics"]["sharp"]["spread"]["missing"])
    assert ["sharp"] == next(one["metrics"] for one in body["warnings"] if one["code"] == "metric_missing")


async def test_deleted_and_active_runs_are_said(api: Client, fake: FakeMlflow) -> None:
    """A deleted run, an active one and one of another experiment are compared, and warned of."""
    fake.add_run(run_id="a")
    fake.add_run(run_id="b", lifecycle_stage="deleted")
    fake.add_run(fake.add_experiment("other"), run_id="c", status="RUNNING")
    warnings = {one["code"]: one["run_ids"] for one in (await analysed(api, "a", "b", "c"))["warnings"]}
    assert {"other_experiment": ["c"], "not_finished": ["c"], "deleted": ["b"]} == warnings


async def test_missing_runs_are_named(api: Client, fake: FakeMlflow) -> None:
    """The 404 names every run that does not exist."""
    fake.add_run(run_id="there")
    response = await api.post(ANALYSIS, json={"run_ids": ["zzz", "there", "aaa"]})
    assert ["zzz", "aaa"] == (await refused(response, 404, "run_not_found"))["missing_run_ids"]


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body.run_ids"),
        ({"run_ids": ["a"]}, "body.run_ids"),
        ({"run_ids": [f"r{number}" for number in range(101)]}, "body.run_ids"),
        ({"run_ids": ["a", "b", "a"]}, "body.run_ids"),
        ({"run_ids": ["a", "b/c"]}, "body.run_ids.1"),
        ({"run_ids": ["a", "b"], "baseline": "c"}, "body.baseline"),
        ({"run_ids": ["a", "b"], "baseline": ""}, "body.baseline"),
        ({"run_ids": ["a", "b"], "baseline": 1}, "body.baseline"),
        ({"run_ids": ["a", "b"], "metrics": "sharpe"}, "body.metrics"),
        ({"run_ids": ["a", "b"], "metrics": [""]}, "body.metrics.0"),
        ({"run_ids": ["a", "b"], "metrics": ["x" * 251]}, "body.metrics.0"),
        ({"run_ids": ["a", "b"], "metrics": [str(number) for number in range(101)]}, "body.metrics"),
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_what_is_refused(api: Client, fake: FakeMlflow, body: object, location: str) -> None:
    """What is not allowed is a 422 that says where, and MLflow is not asked."""
    problem = await refused(await api.post(ANALYSIS, json=body), 422, "invalid_request")
    assert [location] == [error["location"] for error in problem["errors"]]
    assert [] == fake.calls


async def test_what_is_refused_in_a_query(api: Client) -> None:
    """The same of a query; an empty baseline and an empty list of metrics are none."""
    for query, location in (("run_id=a", "run_id"), ("run_id=a&run_id=b&baseline=c", "baseline")):
        problem = await refused(await api.get(f"{ANALYSIS}?{query}"), 422, "invalid_request")
        assert [f"query.{location}"] == [error["location"] for error in problem["errors"]]
    response = await api.get(f"{ANALYSIS}?run_id=a&run_id=b&baseline=&metrics=")
    await refused(response, 404, "run_not_found")


async def test_an_analysis_is_kept_until_a_run_changes(api: Client, fake: FakeMlflow) -> None:
    """The second answer comes from memory, with a 304 for who has it; no-cache sees what changed."""
    add_runs(fake, a=1.0, b=2.0)
    url = f"{ANALYSIS}?run_id=a&run_id=b"
    etag = (await api.get(url)).headers["ETag"]
    calls = len(fake.calls)
    assert 304 == (await api.get(url, headers={"If-None-Match": etag})).status
    assert calls == len(fake.calls)
    fake.store.runs["a"].log_metric("sharpe", Metric(3.0, 2, 1))
    response = await api.get(url, headers={"If-None-Match": etag, "Cache-Control": "no-cache"})
    assert etag != response.headers["ETag"]
    assert {"a": 3.0, "b": 2.0} == (await answered(response, schemas.Analysis))["metrics"]["sharpe"]["values"]


async def test_mlflow_fails(api: Client, fake: FakeMlflow) -> None:
    """What is remembered is answered still; what MLflow has to be asked for is an error, never empty."""
    add_runs(fake, a=1.0, b=2.0, c=3.0)
    await analysed(api, "a", "b")
    await fake.stop()
    assert "b" == (await analysed(api, "a", "b", baseline="b"))["baseline"]
    await refused(await api.get(f"{ANALYSIS}?run_id=a&run_id=c"), 502, "upstream_error")
    headers = {"Cache-Control": "no-cache"}
    await refused(await api.get(f"{ANALYSIS}?run_id=a&run_id=b", headers=headers), 502, "upstream_error")


async def test_a_hundred_cold_runs_do_not_take_every_slot(api: Client, fake: FakeMlflow) -> None:
    """Runs whose experiment is not known are asked for by sixteen, so that others find a free slot."""
    run_ids = [fake.add_run() for _ in range(100)]
    together = asyncio.Event()

    async def hold(_: web.Request) -> None:
        if fake.in_flight == 16:
            together.set()
        async with asyncio.timeout(5):
            await together.wait()

    fake.before = hold
    await analysed(api, *run_ids)
    assert (100, 16) == (fake.count("runs/get"), fake.max_in_flight)


async def test_a_hundred_runs_of_the_listed_experiment_are_one_search(api: Client, fake: FakeMlflow) -> None:
    """Where the experiment is known, one search reads them all."""
    run_ids = [fake.add_run(start_time=number) for number in range(103)]
    assert 200 == (await api.get(f"{API}/runs?limit=1")).status  # which reads two
    fake.calls.clear()
    await analysed(api, *run_ids[:100])
    assert ["runs/search"] == [call.endpoint for call in fake.calls]


@pytest.mark.thorough
async def test_others_are_answered_meanwhile(api: Client, fake: FakeMlflow) -> None:
    """A large analysis is made in turns: before it is there, quick answers have been given many times."""
    metrics = {f"metric_{number}": number / 7 for number in range(220)}
    run_ids = [fake.add_run(metrics=metrics) for _ in range(25)]
    await analysed(api, *run_ids, metrics=["metric_0"])
    large = asyncio.create_task(api.post(ANALYSIS, json={"run_ids": run_ids}))
    quick = 0
    while not large.done():
        assert 200 == (await api.get("/livez")).status
        quick += 1
    await answered(large.result(), schemas.Analysis)
    assert quick > 3


@pytest.mark.thorough
async def test_a_body_of_megabytes_arrives_whole(api: Client, fake: FakeMlflow) -> None:
    """It is sent in parts, and is the same gzipped or not."""
    metrics = {f"metric_{number}": number / 7 for number in range(220)}
    run_ids = [fake.add_run(metrics=metrics) for _ in range(25)]
    plain, gzipped = [
        await api.post(ANALYSIS, json={"run_ids": run_ids}, headers={"Accept-Encoding": encoding})
        for encoding in ("identity", "gzip")
    ]
    assert int(plain.headers["Content-Length"]) > 1_100_000
    body = await answered(plain, schemas.Analysis)
    assert (220, 25) == (len(body["metrics"]), len(body["metrics"]["metric_0"]["values"]))
    assert "gzip" == gzipped.headers["Content-Encoding"]
    assert body == await answered(gzipped, schemas.Analysis)
