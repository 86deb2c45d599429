"""POST /runs/compare over a fake MLflow."""

import asyncio
import gzip
import io
import json
import math
from typing import Any

import pytest
from aiohttp import web

from service.api import examples, schemas
from tests.api.serving import API, Client, answered, refused, serving, strictly
from tests.fakes.mlflow import FakeMlflow

COMPARE = f"{API}/runs/compare"


async def compared(api: Client, *run_ids: str) -> dict[str, Any]:
    response = await api.post(COMPARE, json={"run_ids": run_ids})
    return await answered(response, schemas.Comparison)


def add_reference_runs(fake: FakeMlflow) -> None:
    for run in examples.COMPARISON["runs"]:
        fake.add_run(
            run_id=run["run_id"],
            name=run["run_name"],
            params=run["params"],
            metrics=run["metrics"],
            tags={"run_type": run["run_type"]},
        )


async def test_the_example_of_the_reference(api: Client, fake: FakeMlflow) -> None:
    """The reference's three runs give the reference's comparison, its order included."""
    add_reference_runs(fake)
    response = await api.post(COMPARE, json=examples.COMPARE_REQUEST)
    text = await response.text()
    assert json.dumps(examples.COMPARISON) == json.dumps(json.loads(text))
    await answered(response, schemas.Comparison)


async def test_everything_stands_in_the_order_asked_for(api: Client, fake: FakeMlflow) -> None:
    """Runs and values follow the request, not the store."""
    add_reference_runs(fake)
    asked = ["ghi789jkl012", "abc123def456", "def456ghi789"]
    body = await compared(api, *asked)
    assert asked == [run["run_id"] for run in body["runs"]]
    for diff in (*body["metric_diff"].values(), *body["param_diff"].values()):
        assert asked == list(diff["values"])


async def test_what_a_run_lacks_is_null(api: Client, fake: FakeMlflow) -> None:
    """A metric or parameter that one run lacks is null there, and such a parameter varies."""
    fake.add_run(run_id="a", params={"p": "1", "same": "x"}, metrics={"m": 1.0})
    fake.add_run(run_id="b", params={"same": "x"})
    body = await compared(api, "a", "b")
    assert {"m": {"values": {"a": 1.0, "b": None}, "best_run_id": "a"}} == body["metric_diff"]
    assert {
        "p": {"values": {"a": "1", "b": None}, "varies": True},
        "same": {"values": {"a": "x", "b": "x"}, "varies": False},
    } == body["param_diff"]


async def test_a_metric_without_a_finite_value_has_no_best(api: Client, fake: FakeMlflow) -> None:
    """NaN and infinity are null and never the best; without a finite value none is."""
    fake.add_run(run_id="a", metrics={"sharpe": math.nan, "calmar": math.inf})
    fake.add_run(run_id="b", metrics={"sharpe": -1.0, "calmar": math.nan})
    body = await compared(api, "a", "b")
    assert {
        "sharpe": {"values": {"a": None, "b": -1.0}, "best_run_id": "b"},
        "calmar": {"values": {"a": None, "b": None}, "best_run_id": None},
    } == body["metric_diff"]


async def test_directions_and_ties(api: Client, fake: FakeMlflow) -> None:
    """Each metric is judged by its own direction, if any, and of equals the first asked for is the best."""
    fake.add_run(run_id="a", metrics={"cv_mean_mse": 2.0, "max_drawdown": 0.2, "sharpe": 1.0, "seed": 1.0})
    fake.add_run(run_id="b", metrics={"cv_mean_mse": 1.0, "max_drawdown": -0.1, "sharpe": 1.0, "seed": 2.0})
    best = {
        name: diff["best_run_id"] for name, diff in (await compared(api, "b", "a"))["metric_diff"].items()
    }
    assert {"cv_mean_mse": "b", "max_drawdown": "b", "sharpe": "b", "seed": None} == best
    best = {
        name: diff["best_run_id"] for name, diff in (await compared(api, "a", "b"))["metric_diff"].items()
    }
    assert {"cv_mean_mse": "b", "max_drawdown": "b", "sharpe": "a", "seed": None} == best


async def test_a_run_without_a_type_is_of_unknown_type(api: Client, fake: FakeMlflow) -> None:
    """run_type is the tag, "unknown" where there is none."""
    fake.add_run(run_id="a", tags={"run_type": "cpcv"})
    fake.add_run(run_id="b")
    assert ["cpcv", "unknown"] == [run["run_type"] for run in (await compared(api, "a", "b"))["runs"]]


async def test_a_deleted_run_can_be_compared(api: Client, fake: FakeMlflow) -> None:
    """A deleted run is still answered."""
    fake.add_run(run_id="a")
    fake.add_run(run_id="b", lifecycle_stage="deleted")
    assert ["a", "b"] == [run["run_id"] for run in (await compared(api, "a", "b"))["runs"]]


@pytest.mark.parametrize("cold_start", ["list first", "compare first"])
async def test_ten_runs_are_fetched_at_once(api: Client, fake: FakeMlflow, cold_start: str) -> None:
    """A cold comparison of ten has all ten fetches in flight together."""
    asked = [fake.add_run(fake.add_experiment("other") if not fake.store.runs else "1") for _ in range(10)]
    if cold_start == "list first":
        await api.get(f"{API}/runs")
    together = asyncio.Event()

    async def hold(request: web.Request) -> None:
        if request.path.endswith("/search"):  # which finds none of them in the default experiment
            return
        if fake.in_flight == len(asked):
            together.set()
        await together.wait()

    fake.before = hold
    async with asyncio.timeout(5):
        body = await compared(api, *asked)
    assert asked == [run["run_id"] for run in body["runs"]]
    assert 10 == fake.max_in_flight
    assert 10 == fake.count("runs/get")


async def test_all_missing_runs_are_named_in_one_answer(api: Client, fake: FakeMlflow) -> None:
    """The 404 names every run that does not exist, in the order asked for, and no other."""
    fake.add_run(run_id="there")
    response = await api.post(COMPARE, json={"run_ids": ["zzz", "there", "aaa"]})
    body = await refused(response, 404, "run_not_found")
    assert ["zzz", "aaa"] == body["missing_run_ids"]
    assert "zzz" in body["detail"]
    assert "aaa" in body["detail"]


async def test_one_missing_run(api: Client, fake: FakeMlflow) -> None:
    """A single missing run makes a 404, whatever the others are."""
    fake.add_run(run_id="there")
    response = await api.post(COMPARE, json={"run_ids": ["there", "gone"]})
    assert ["gone"] == (await refused(response, 404, "run_not_found"))["missing_run_ids"]


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body.run_ids"),
        ({"run_ids": None}, "body.run_ids"),
        ({"run_ids": "abc"}, "body.run_ids"),
        ({"run_ids": {"a": "b"}}, "body.run_ids"),
        ({"run_ids": []}, "body.run_ids"),
        ({"run_ids": ["a"]}, "body.run_ids"),
        ({"run_ids": [f"r{number}" for number in range(11)]}, "body.run_ids"),
        ({"run_ids": ["x"] * 9_000}, "body.run_ids"),
        ({"run_ids": ["a", "b", "a"]}, "body.run_ids"),
        ({"run_ids": [1, 2]}, "body.run_ids.0"),
        ({"run_ids": ["a", 2]}, "body.run_ids.1"),
        ({"run_ids": ["a", None]}, "body.run_ids.1"),
        ({"run_ids": ["a", ["b"]]}, "body.run_ids.1"),
        ({"run_ids": ["a", ""]}, "body.run_ids.1"),
        ({"run_ids": ["a", "b/c"]}, "body.run_ids.1"),
        ({"run_ids": ["a", "b\x00"]}, "body.run_ids.1"),
        ({"run_ids": ["a", "b\n"]}, "body.run_ids.1"),
        ({"run_ids": ["a", "-b"]}, "body.run_ids.1"),
        ({"run_ids": ["a", "é"]}, "body.run_ids.1"),
        ({"run_ids": ["a", "b" * 257]}, "body.run_ids.1"),
        ({"run_ids": ["a", "b" * 10_000]}, "body.run_ids.1"),
        ([], "body"),
        (["a", "b"], "body"),
        ("a", "body"),
        (5, "body"),
        (None, "body"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_ids_that_are_refused(
    api: Client, fake: FakeMlflow, caplog: pytest.LogCaptureFixture, body: object, location: str
) -> None:
    """2 to 10 distinct ids of the form that MLflow allows, or a 422 that says which is wrong."""
    response = await api.post(COMPARE, data=json.dumps(body), headers={"Content-Type": "application/json"})
    problem = await refused(response, 422, "invalid_request")
    assert location in [error["location"] for error in problem["errors"]]
    assert len(problem["errors"]) <= 11
    assert len(await response.text()) < 4_000
    assert [] == fake.calls
    assert [] == [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_a_repeated_id_is_named(api: Client) -> None:
    """The 422 of a repeat says which id is repeated."""
    response = await api.post(COMPARE, json={"run_ids": ["one", "two", "one"]})
    body = await refused(response, 422, "invalid_request")
    assert "one" in body["detail"]
    assert "two" not in body["detail"]


async def test_unknown_members_are_ignored(api: Client, fake: FakeMlflow) -> None:
    """What the request has besides its ids changes nothing."""
    for run_id in ("a", "b"):
        fake.add_run(run_id=run_id)
    response = await api.post(COMPARE, json={"note": "x", "run_ids": ["a", "b"]})
    await answered(response, schemas.Comparison)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"run_ids=a&run_ids=b",
        b"\xff\xfe",
        b'{"run_ids": ["a", "b"]} x',
        b'{"run_ids": NaN}',
        b'{"run_ids": ["\\ud800", "b"]}',
        b"[" * 60_000,
        '{"run_ids": ["a", "b"]}'.encode("utf-16"),
    ],
    ids=lambda data: repr(data)[:30],
)
async def test_a_body_that_is_no_json(api: Client, caplog: pytest.LogCaptureFixture, data: bytes) -> None:
    """A body that cannot be read is a 400, and no reason for a log line."""
    response = await api.post(COMPARE, data=data, headers={"Content-Type": "application/json"})
    await refused(response, 400, "malformed_body")
    assert [] == [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "json", ";;;"],
)
async def test_a_wrong_content_type(api: Client, content_type: str) -> None:
    """A body that does not say it is JSON is a 415."""
    data = json.dumps({"run_ids": ["a", "b"]}).encode()
    response = await api.post(COMPARE, data=data, headers={"Content-Type": content_type})
    await refused(response, 415, "unsupported_media_type")


async def test_no_content_type(api: Client) -> None:
    """A body of no stated type is a 415."""
    response = await api.post(COMPARE, data=b"{}", skip_auto_headers=["Content-Type"])
    await refused(response, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;"]
)
async def test_a_content_type_with_parameters(api: Client, fake: FakeMlflow, content_type: str) -> None:
    """A charset and capitals in the content type do no harm."""
    for run_id in ("a", "b"):
        fake.add_run(run_id=run_id)
    data = json.dumps({"run_ids": ["a", "b"]}).encode()
    response = await api.post(COMPARE, data=data, headers={"Content-Type": content_type})
    await answered(response, schemas.Comparison)


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_body_of_ten_megabytes(api: Client, caplog: pytest.LogCaptureFixture, framing: str) -> None:
    """A body above the limit is a 413, whether it says its length or not."""
    body = b" " * 10_000_000

    async def chunks() -> Any:
        for start in range(0, len(body), 1_000_000):
            yield body[start : start + 1_000_000]

    response = await api.post(
        COMPARE,
        data=io.BytesIO(body) if framing == "length" else chunks(),
        headers={"Content-Type": "application/json"},
    )
    await refused(response, 413, "body_too_large")
    assert [] == [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_the_limit_of_a_body_is_a_setting(fake: FakeMlflow) -> None:
    """TRACKING_MAX_BODY_BYTES is the largest body that is read."""
    for run_id in ("a", "b"):
        fake.add_run(run_id=run_id)
    body = json.dumps({"run_ids": ["a", "b"]}).encode()
    headers = {"Content-Type": "application/json"}
    async with serving(fake.url, max_body_bytes=len(body)) as api:
        await answered(await api.post(COMPARE, data=body, headers=headers), schemas.Comparison)
        await refused(await api.post(COMPARE, data=body + b" ", headers=headers), 413, "body_too_large")


@pytest.mark.parametrize(
    "data",
    [b"no gzip", b"\x1f\x8b\x08\x00junk", gzip.compress(b" " * 1_000_000), gzip.compress(b"{}")[:-9]],
    ids=["no gzip", "no header", "larger when unpacked", "cut"],
)
async def test_a_body_that_cannot_be_unpacked(
    api: Client, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    """A body that is not in the encoding it claims, or unpacks to too much, is the caller's error."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await api.post(COMPARE, data=data, headers=headers)
    assert response.status in {400, 413, 415, 422}, await response.text()
    await refused(response, response.status, strictly(await response.text())["code"])
    assert [] == [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]
