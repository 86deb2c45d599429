"""What the fake adds for tests: seeding, counting, faults, outages, other servers' dialects.

That it answers as MLflow does is for tests/live/test_fake_is_honest*.py.
"""

import asyncio
import json
import math
from typing import Any

import aiohttp
import pytest

from tests.fakes import faults
from tests.fakes.mlflow import FakeMlflow

GET = "api/2.0/mlflow/runs/get"
SEARCH = "api/2.0/mlflow/runs/search"


async def get(fake: FakeMlflow, path: str, **arguments: Any) -> tuple[int, str, str]:
    """Status, content type and text of a GET on a connection of its own."""
    async with aiohttp.ClientSession(fake.url) as session, session.get(path, **arguments) as reply:
        return reply.status, reply.content_type, await reply.text()


async def get_run(fake: FakeMlflow, run_id: str) -> Any:
    _, _, text = await get(fake, GET, params={"run_id": run_id})
    return json.loads(text)["run"]


async def test_a_seeded_run_is_served() -> None:
    """add_run and add_experiment set what runs/get then shows."""
    async with FakeMlflow().serve() as fake:
        experiment = fake.add_experiment("momentum")
        run_id = fake.add_run(
            experiment,
            "any-id",
            name="n",
            status="FAILED",
            start_time=5,
            end_time=9,
            params={"p": "1"},
            metrics={"m": 0.5},
            tags={"t": "v"},
            lifecycle_stage="deleted",
        )
        run = await get_run(fake, "any-id")
    assert run_id == "any-id"
    assert run["info"] == {
        "run_uuid": "any-id",
        "experiment_id": experiment,
        "run_name": "n",
        "user_id": "",
        "status": "FAILED",
        "start_time": 5,
        "end_time": 9,
        "artifact_uri": f"mlflow-artifacts:/{experiment}/any-id/artifacts",
        "lifecycle_stage": "deleted",
        "run_id": "any-id",
    }
    assert run["data"] == {
        "metrics": [{"key": "m", "value": 0.5, "timestamp": 5, "step": 0}],
        "params": [{"key": "p", "value": "1"}],
        "tags": [{"key": "t", "value": "v"}, {"key": "mlflow.runName", "value": "n"}],
    }


async def test_unnamed_runs_have_ids_names_and_rising_times() -> None:
    """add_run alone makes a finished run with a 32-digit id, later than the one before."""
    async with FakeMlflow().serve() as fake:
        first, second = [await get_run(fake, fake.add_run()) for _ in range(2)]
    assert len(first["info"]["run_id"]) == 32
    assert first["info"]["status"] == "FINISHED"
    assert first["info"]["run_name"] != second["info"]["run_name"]
    assert first["info"]["start_time"] < second["info"]["start_time"]


async def test_a_run_in_no_experiment_is_refused() -> None:
    """add_run in an experiment that is not there is a mistake of the test's."""
    with pytest.raises(KeyError):
        FakeMlflow().add_run("7")


async def test_calls_are_recorded() -> None:
    """Every request is kept in order: endpoint, query, JSON and headers; count() counts an endpoint."""
    async with FakeMlflow().serve() as fake, aiohttp.ClientSession(fake.url) as session:
        await session.get(GET, params={"run_id": "x"}, headers={"X-Request-ID": "42"})
        await session.post(SEARCH, json={"experiment_ids": ["0"]})
        await session.get("health")
    assert [call.endpoint for call in fake.calls] == ["runs/get", "runs/search", "health"]
    assert fake.calls[0].params == {"run_id": "x"}
    assert fake.calls[0].json is None
    assert fake.calls[0].headers["x-request-id"] == "42"
    assert fake.calls[1].json == {"experiment_ids": ["0"]}
    assert (fake.count("runs/get"), fake.count("runs/create")) == (1, 0)


async def test_requests_in_flight_are_counted() -> None:
    """in_flight is how many requests are being answered now, max_in_flight the most there ever were."""
    release, arrived = asyncio.Event(), asyncio.Semaphore(0)

    async def wait(request: aiohttp.web.Request) -> None:
        arrived.release()
        await release.wait()

    async with FakeMlflow().serve() as fake, asyncio.TaskGroup() as group:
        fake.before = wait
        for _ in range(3):
            group.create_task(get(fake, GET))
        for _ in range(3):
            await arrived.acquire()
        assert (fake.in_flight, fake.max_in_flight) == (3, 3)
        release.set()
    assert (fake.in_flight, fake.max_in_flight) == (0, 3)


@pytest.mark.thorough
async def test_latency_delays_every_call() -> None:
    """With a latency beyond a client's patience the client times out."""
    async with FakeMlflow().serve() as fake:
        fake.latency = 30.0
        with pytest.raises(TimeoutError):
            await get(fake, GET, timeout=aiohttp.ClientTimeout(total=0.05))


async def test_a_reply_instead() -> None:
    """A hook may answer in the handler's place, the first few times, at one endpoint."""
    async with FakeMlflow().serve() as fake:
        run_id = fake.add_run()
        busy = faults.answering(503, headers={"Retry-After": "7"})
        fake.before = faults.only("runs/get", faults.first(2, busy))
        statuses = [(await get(fake, GET, params={"run_id": run_id}))[0] for _ in range(3)]
        assert (await get(fake, "api/2.0/mlflow/experiments/search", params={"max_results": 1}))[0] == 200
        assert (await get(fake, "health"))[0] == 200
    assert statuses == [503, 503, 200]


async def test_only_leaves_other_endpoints_alone() -> None:
    """only() misbehaves at its endpoint and nowhere else."""
    async with FakeMlflow().serve() as fake:
        fake.before = faults.only("runs/get", faults.answering(500))
        assert (await get(fake, "api/2.0/mlflow/experiments/search", params={"max_results": 1}))[0] == 200
        assert (await get(fake, GET))[0] == 500


@pytest.mark.parametrize(
    ("fault", "error"),
    [(faults.reset, aiohttp.ServerDisconnectedError), (faults.half_a_body, aiohttp.ClientPayloadError)],
)
async def test_broken_connections(fault: faults.Hook, error: type[Exception]) -> None:
    """reset and half_a_body break the connection before and during a reply."""
    async with FakeMlflow().serve() as fake:
        fake.before = fault
        with pytest.raises(error):
            await get(fake, SEARCH.replace("search", "get"))


async def test_an_outage_ends_on_the_same_port() -> None:
    """stop() cuts off what hangs and refuses connections; start() is back at the same URL, with the data."""
    async with FakeMlflow().serve() as fake:
        run_id, url = fake.add_run(), fake.url
        hanging, arrived = asyncio.Event(), asyncio.Event()

        async def hang(request: aiohttp.web.Request) -> None:
            arrived.set()
            await hanging.wait()

        fake.before = hang
        waiting = asyncio.ensure_future(get(fake, GET))
        await arrived.wait()
        await fake.stop()
        with pytest.raises(aiohttp.ClientError):
            await waiting
        with pytest.raises(aiohttp.ClientConnectorError):
            await get(fake, GET)
        fake.before = None
        await fake.start()
        assert url == fake.url
        assert (await get_run(fake, run_id))["info"]["run_id"] == run_id


async def test_a_static_prefix_stands_before_every_route() -> None:
    """With a prefix the routes are below it and nowhere else."""
    async with FakeMlflow(prefix="/mlflow").serve() as fake:
        assert fake.url.endswith("/mlflow/")
        assert (await get(fake, "health"))[0] == 200
        assert (await get(fake, "/health"))[0] == 404
        assert (await get(fake, GET))[0] == 400
        assert fake.count("runs/get") == 1


async def test_authorization_is_asked_for() -> None:
    """With an authorization everything but /health is 401, in plain words, unless the header equals it."""
    async with FakeMlflow(authorization="Bearer x").serve() as fake:
        status, _, text = await get(fake, GET)
        assert status == 401
        assert text.startswith("You are not authenticated.")
        assert (await get(fake, GET, headers={"Authorization": "Bearer y"}))[0] == 401
        assert (await get(fake, GET, headers={"Authorization": "Bearer x"}))[0] == 400
        assert (await get(fake, "health"))[0] == 200


@pytest.mark.parametrize("pretty", [True, False])
async def test_replies_are_pretty_or_compact(pretty: bool) -> None:
    """MLflow indents its JSON; other servers need not."""
    async with FakeMlflow(pretty=pretty).serve() as fake:
        runs = [await get_run(fake, fake.add_run()) for _ in range(3)]
        async with aiohttp.ClientSession(fake.url) as session:
            body = {"experiment_ids": ["0"], "max_results": 2}
            text = await (await session.post(SEARCH, json=body)).text()
    expected = {"runs": runs[:0:-1], "next_page_token": "eyJvZmZzZXQiOiAyfQ=="}
    layout = {"indent": 2} if pretty else {"separators": (",", ":")}
    assert json.dumps(expected, **layout) == text


async def test_other_servers_write_it_differently() -> None:
    """int64 as strings, names only in the tag, bare NaN and infinities as strings, as elsewhere."""
    fake = FakeMlflow(string_int64=True, name_in_tag_only=True, bare_nan=True, infinity_strings=True)
    async with fake.serve():
        run_id = fake.add_run(start_time=5, metrics={"nan": math.nan, "inf": math.inf, "ninf": -math.inf})
        _, _, text = await get(fake, GET, params={"run_id": run_id})
    run = json.loads(text)["run"]
    assert run["info"]["start_time"] == "5"
    assert "run_name" not in run["info"]
    assert run["data"]["tags"][0]["key"] == "mlflow.runName"
    assert '"value": NaN' in text
    assert [metric["value"] for metric in run["data"]["metrics"][1:]] == ["Infinity", "-Infinity"]
    assert {metric["timestamp"] for metric in run["data"]["metrics"]} == {"5"}
