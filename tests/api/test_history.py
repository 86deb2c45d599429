"""GET /runs/{run_id}/metrics/history."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.api import history as schemas
from tests.api.serving import API, Client, answered, refused, serving
from tests.cache.scripted import Clock
from tests.fakes.faults import answering, only
from tests.fakes.mlflow import FakeMlflow

NAN, INF = float("nan"), float("inf")
HISTORY = "metrics/get-history"
ANEW = {"Cache-Control": "no-cache"}
Query = list[tuple[str, str]]


@pytest.fixture
def clock() -> Clock:
    """The time that the store lives by, which stands still."""
    return Clock()


@pytest.fixture
async def api(fake: FakeMlflow, clock: Clock) -> AsyncIterator[Client]:
    """The service by that clock."""
    async with serving(fake.url, clock) as client:
        yield client


def path(run_id: str) -> str:
    return f"{API}/runs/{run_id}/metrics/history"


async def histories(api: Client, run_id: str, *keys: str, **query: str) -> dict[str, Any]:
    asked: Query = [("key", key) for key in keys] + list(query.items())
    return await answered(await api.get(path(run_id), params=asked), schemas.Histories)


async def test_every_point_of_each_key(api: Client, fake: FakeMlflow) -> None:
    """Each key has its points by step, with what is no finite number as null, as everywhere."""
    run_id = fake.add_run()
    fake.log(run_id, "loss", [(2, 10, NAN), (1, 20, 0.5), (0, 30, INF)])
    fake.log(run_id, "val/loss ü", [(7, 40, -1.0)])
    body = await histories(api, run_id, "val/loss ü", "loss")
    assert ["val/loss ü", "loss"] == list(body["series"])
    series = body["series"]["loss"]
    assert (run_id, "step", 1_000) == (body["run_id"], body["axis"], body["max_points"])
    assert (3, False, [0, 1, 2], [30, 20, 10], [None, 0.5, None], None) == tuple(
        series[name] for name in ("n", "sampled", "step", "time", "value", "min")
    )
    by_time = await histories(api, run_id, "loss", axis="time")
    assert [2, 1, 0] == by_time["series"]["loss"]["step"]


async def test_a_long_history_is_given_in_buckets(api: Client, fake: FakeMlflow) -> None:
    """No spike is lost: the one value that is high is the maximum of its bucket."""
    run_id = fake.add_run()
    fake.log(run_id, "loss", ((step, step, 9.0 if step == 123 else 1.0) for step in range(1_000)))
    series = (await histories(api, run_id, "loss", max_points="10"))["series"]["loss"]
    assert (1_000, True, [100] * 10) == (series["n"], series["sampled"], series["count"])
    assert [1.0, 9.0] + [1.0] * 8 == series["max"]
    assert [99, 199] == series["step"][:2]
    assert 1.08 == series["mean"][1]


async def test_a_part_of_a_history_is_given_in_finer_buckets(api: Client, fake: FakeMlflow) -> None:
    """from and to are steps, or times where time is the axis; MLflow is not asked again for a part."""
    run_id = fake.add_run()
    fake.log(run_id, "loss", ((step, 5_000 + step, step / 8) for step in range(1, 1_000)))
    await histories(api, run_id, "loss", max_points="10")
    part = (await histories(api, run_id, "loss", max_points="10", **{"from": "100", "to": "104"}))["series"][
        "loss"
    ]
    assert (5, False, [100, 101, 102, 103, 104]) == (part["n"], part["sampled"], part["step"])
    query = {"max_points": "10", "axis": "time", "from": "5980"}
    late = (await histories(api, run_id, "loss", **query))["series"]["loss"]
    assert (20, True, [2] * 10) == (late["n"], late["sampled"], late["count"])
    assert 1 == fake.count(HISTORY)


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize("step", [-(2**63), -(10**18), -7, 0, 7, 10**18, 2**63 - 1])
async def test_any_step_of_64_bits_is_an_end(api: Client, fake: FakeMlflow, name: str, step: int) -> None:
    """Of three points around it, it is the exact first or last one, however it is written."""
    run_id = fake.add_run()
    around = [each for each in (step - 1, step, step + 1) if -(2**63) <= each < 2**63]
    fake.log(run_id, "loss", [(each, 1_000, 1.0) for each in around])
    kept = [each for each in around if (each >= step if name == "from" else each <= step)]
    for text in (str(step), f"{'-' if step < 0 else ''}000{abs(step)}"):
        body = await histories(api, run_id, "loss", **{name: text})
        assert kept == body["series"]["loss"]["step"]


@pytest.mark.parametrize("most", ["2001", "99999999999999999999"])
async def test_more_points_than_allowed_mean_the_most(api: Client, fake: FakeMlflow, most: str) -> None:
    """Above the limit, max_points means the limit, and the answer says so."""
    body = await histories(api, fake.add_run(), "loss", max_points=most)
    assert 2_000 == body["max_points"]


async def test_what_does_not_exist_is_an_empty_series(api: Client, fake: FakeMlflow) -> None:
    """An unknown run, an id that no run can have, and an unknown key have no points."""
    known = fake.add_run(metrics={"loss": 1.0})
    for run_id in ("0" * 32, "no%20id", known):
        series = (await histories(api, run_id, "other"))["series"]["other"]
        assert (0, False, []) == (series["n"], series["sampled"], series["value"])


async def test_a_failure_is_never_an_empty_series(api: Client, fake: FakeMlflow) -> None:
    """Where MLflow fails, be it at the run or at the history, the answer is an error."""
    run_id = fake.add_run(metrics={"loss": 1.0}, status="RUNNING")
    for fault in (only(HISTORY, answering(500)), only("runs/get", answering(500)), answering(404)):
        fake.before = fault
        await refused(
            await api.get(path(run_id), params={"key": "loss"}, headers=ANEW), 502, "upstream_error"
        )


@pytest.mark.thorough
async def test_a_failure_is_bridged_by_what_is_remembered(
    api: Client, fake: FakeMlflow, clock: Clock
) -> None:
    """Where MLflow is down, what was read before is given, and says how old it is."""
    run_id = fake.add_run(metrics={"loss": 1.0})
    before = await histories(api, run_id, "loss")
    await fake.stop()
    clock.tick(200)
    response = await api.get(path(run_id), params={"key": "loss"})
    assert before == await answered(response, schemas.Histories)
    assert "200" == response.headers["Age"]
    response = await api.get(path(run_id), params={"key": "loss"}, headers=ANEW)
    await refused(response, 502, "upstream_error")


async def test_a_run_that_has_ended_is_read_once(api: Client, fake: FakeMlflow, clock: Clock) -> None:
    """It is remembered for long, for each max_points and axis; no-cache asks MLflow anew."""
    run_id = fake.add_run(metrics={"loss": 1.0, "accuracy": 0.5})
    await histories(api, run_id, "loss", "accuracy")
    clock.tick(25)
    await histories(api, run_id, "accuracy", max_points="5", axis="time")
    response = await api.get(path(run_id), params={"key": "loss"})
    assert ("25", 2) == (response.headers["Age"], fake.count(HISTORY))
    await api.get(path(run_id), params={"key": "loss"}, headers=ANEW)
    assert 3 == fake.count(HISTORY)


async def test_a_run_that_is_active_is_read_again(api: Client, fake: FakeMlflow, clock: Clock) -> None:
    """Its history is as new as the run itself, and is another once it has ended."""
    run_id = fake.add_run(status="RUNNING")
    fake.log(run_id, "loss", [(0, 1, 1.0)])
    await histories(api, run_id, "loss")
    fake.log(run_id, "loss", [(1, 2, 0.5)])
    assert 1 == (await histories(api, run_id, "loss"))["series"]["loss"]["n"]
    clock.tick(30)
    assert 2 == (await histories(api, run_id, "loss"))["series"]["loss"]["n"]
    fake.log(run_id, "loss", [(2, 3, 0.4)])
    fake.store.runs[run_id].update(status="FINISHED", end_time=4)
    clock.tick(30)
    assert 3 == (await histories(api, run_id, "loss"))["series"]["loss"]["n"]


async def test_an_ended_run_shows_which_metrics_it_has(api: Client, fake: FakeMlflow) -> None:
    """MLflow is not asked for a key that an ended run lacks; of an active run it is."""
    ended, active = fake.add_run(metrics={"loss": 1.0}), fake.add_run(status="RUNNING")
    await histories(api, ended, "other")
    assert 0 == fake.count(HISTORY)
    await histories(api, active, "other")
    assert 1 == fake.count(HISTORY)


async def test_a_deleted_run_has_its_history(api: Client, fake: FakeMlflow) -> None:
    """As its detail, the history of a deleted run is answered."""
    run_id = fake.add_run(metrics={"loss": 1.0}, lifecycle_stage="deleted")
    assert 1 == (await histories(api, run_id, "loss"))["series"]["loss"]["n"]


async def test_a_repeated_key_counts_once(api: Client, fake: FakeMlflow) -> None:
    """A key that stands in the query again asks for nothing more, nor does it count for the limit."""
    run_id = fake.add_run(metrics={"loss": 1.0})
    body = await histories(api, run_id, *["loss"] * 30)
    assert (["loss"], 1) == (list(body["series"]), fake.count(HISTORY))


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ([], "query.key"),
        ([("key", "")], "query.key.0"),
        ([("key", "a"), ("key", "x" * 251)], "query.key.1"),
        ([("key", str(number)) for number in range(21)], "query.key"),
        ([("key", "a"), ("max_points", "0")], "query.max_points"),
        ([("key", "a"), ("max_points", "-5")], "query.max_points"),
        ([("key", "a"), ("max_points", "many")], "query.max_points"),
        ([("key", "a"), ("axis", "epoch")], "query.axis"),
        ([("key", "a"), ("from", "1.5")], "query.from"),
        ([("key", "a"), ("from", "5"), ("to", "4")], "query.to"),
        ([("key", "a"), ("from", str(-(2**63) - 1))], "query.from"),
        ([("key", "a"), ("to", str(2**63))], "query.to"),
        ([("key", "a"), ("to", "1" + "0" * 19)], "query.to"),
        ([("key", "a"), ("to", "9" * 5_000)], "query.to"),
    ],
)
async def test_what_is_wrong_is_said(api: Client, fake: FakeMlflow, query: Query, location: str) -> None:
    """A query that cannot be answered says which parameter is wrong, and MLflow is not asked."""
    body = await refused(await api.get(path("0" * 32), params=query), 422, "invalid_request")
    assert [location] == [error["location"] for error in body["errors"]]
    assert [] == fake.calls


async def test_an_answer_has_an_etag(api: Client, fake: FakeMlflow) -> None:
    """Whoever has the answer already gets a 304, as long as nothing is new."""
    run_id = fake.add_run(metrics={"loss": 1.0})
    first = await api.get(path(run_id), params={"key": "loss"})
    again = {"If-None-Match": first.headers["ETag"], **ANEW}
    assert 304 == (await api.get(path(run_id), params={"key": "loss"}, headers=again)).status
    fake.log(run_id, "loss", [(1, 2, 0.5)])
    assert 200 == (await api.get(path(run_id), params={"key": "loss"}, headers=again)).status
