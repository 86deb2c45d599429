"""Events over the wire: what a stream says of runs as they come, change, end and go; and what a poll gets."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from service.api.event_schemas import EventList
from tests.api.listening import EVENTS, listening
from tests.api.serving import Client, answered, refused, serving
from tests.api.test_index_at_start import complete, index_of, with_index
from tests.deploy.balancer import until
from tests.fakes.faults import answering, only
from tests.fakes.mlflow import FakeMlflow

JSON = {"Accept": "application/json"}
RUNNING: Mapping[str, Any] = {"status": "RUNNING", "end_time": None}


async def poll(api: Client, **parameters: str) -> dict[str, Any]:
    """What a poll gets."""
    return await answered(await api.get(EVENTS, params=parameters, headers=JSON), EventList)


async def test_a_run_from_its_start_to_its_end(fake: FakeMlflow) -> None:
    """A listener is told how many runs there are, then of one that comes, changes, ends and is deleted."""
    fake.add_run(start_time=1, end_time=2)
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        async with listening(api) as stream:
            [snapshot] = await stream.named("snapshot")
            run_id = fake.add_run(**RUNNING)
            run = fake.store.runs[run_id]
            [created] = await stream.named("run.created")
            run.log_param("depth", "3")
            [updated] = await stream.named("run.updated")
            run.update(status="FINISHED", end_time=fake.store.now())
            [ended] = await stream.named("run.ended")
            run.move_to("deleted")
            detail = await (await api.get(f"/api/v1/tracking/runs/{run_id}")).json()
            [deleted] = await stream.named("run.deleted")
    assert (1, True) == (snapshot.data["total"], snapshot.data["index"]["complete"])
    assert ({run_id}, True) == ({one.run_id for one in stream.heard[1:]}, created.data["matches"])
    assert ({"depth": "3"}, "FINISHED") == (updated.data["run"]["params"], ended.data["run"]["status"])
    assert {**detail, "experiment_id": "0"} == ended.data["run"] == deleted.data["run"]


@pytest.mark.thorough
async def test_a_run_that_ceases_to_match(fake: FakeMlflow) -> None:
    """A listener with a filter hears of a run that ends to match it, and of no other."""
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        async with listening(api, filter="status = 'RUNNING' AND params.depth = '3'") as stream:
            await stream.named("snapshot")
            fake.add_run(**RUNNING)
            run_id = fake.add_run(**RUNNING, params={"depth": "3"})
            await stream.named("run.created")
            fake.store.runs[run_id].update(status="FAILED", end_time=fake.store.now())
            [ended] = await stream.named("run.ended")
    assert (False, "FAILED") == (ended.data["matches"], ended.data["run"]["status"])
    assert {run_id} == {one.run_id for one in stream.heard[1:]}


async def test_a_stream_outlasts_the_deadline(fake: FakeMlflow) -> None:
    """The deadline of a request, here its caller's own, does not end the stream."""
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        async with listening(api, headers={"X-Request-Timeout": "0.001"}) as stream:
            await stream.named("snapshot")
            fake.add_run(**RUNNING)
            await stream.named("run.created")  # the index looks each tenth of a second


@pytest.mark.thorough
async def test_a_reconnect_goes_on(fake: FakeMlflow) -> None:
    """A browser that comes back with its last id hears of what it missed, and of nothing again."""
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        async with listening(api) as stream:
            await stream.named("snapshot")
            fake.add_run(run_id="first", **RUNNING)
            await stream.named("run.created")
        fake.add_run(run_id="second", **RUNNING)
        async with listening(api, last_id=stream.reader.last_id) as again:
            [created] = await again.named("run.created")
        async with listening(api, since=stream.reader.last_id) as by_query:
            await by_query.named("run.created")
    assert ("second", 1, "second") == (created.run_id, len(again.heard), by_query.heard[0].run_id)


@pytest.mark.parametrize("last_id", ["nonsense", "0-1", "é"])
async def test_an_id_that_nobody_gave(fake: FakeMlflow, last_id: str) -> None:
    """A browser that sends an id of another service, or rubbish, is told to read anew, and is not refused."""
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        async with listening(api, last_id=last_id) as stream:
            [reset] = await stream.named("reset")
    assert reset.data["reason"]


async def test_polls_follow_each_other(fake: FakeMlflow) -> None:
    """A poll is told what happened since the one before, and in the beginning how many runs there are."""
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        first = await poll(api)
        run_id = fake.add_run(**RUNNING)
        events: list[Any] = []
        since = first["next"]
        async with asyncio.timeout(20):
            while not events:
                answer = await poll(api, since=since)
                events, since = answer["events"], answer["next"]
        unknown = await poll(api, since="other-1")
    assert (["snapshot"], False) == ([one["event"] for one in first["events"]], first["reset"])
    assert [("run.created", run_id)] == [(one["event"], one["data"]["run"]["run_id"]) for one in events]
    assert ("reset", True, since) == (unknown["events"][0]["event"], unknown["reset"], unknown["next"])


async def test_head_and_other_methods(fake: FakeMlflow) -> None:
    """HEAD tells the type of what GET answers, in both forms, and nothing else is a method of events."""
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        streamed = await api.head(EVENTS)
        polled = await api.head(EVENTS, headers=JSON)
        posted = await api.post(EVENTS)
        await refused(posted, 405, "method_not_allowed")
    assert ["text/event-stream", "application/json"] == [one.content_type for one in (streamed, polled)]
    assert {"no-store"} == {one.headers["Cache-Control"] for one in (streamed, polled)}


@pytest.mark.parametrize(
    ("parameters", "location"),
    [
        ({"filter": "metrics.sharpe >"}, "query.filter"),
        ({"experiment_id": "x"}, "query.experiment_id"),
        ({"since": "x"}, "query.since"),
    ],
)
@pytest.mark.parametrize("headers", [{}, JSON])
async def test_a_parameter_that_is_wrong(
    fake: FakeMlflow, parameters: dict[str, str], location: str, headers: dict[str, str]
) -> None:
    """What a programmer gets wrong is a 422 that says where, for a stream as for a poll."""
    async with serving(fake.url, **with_index()) as api:
        body = await refused(
            await api.get(EVENTS, params=parameters, headers=headers), 422, "invalid_request"
        )
    assert [location] == [error["location"] for error in body["errors"]]


async def test_a_poll_with_an_id_that_is_none(fake: FakeMlflow) -> None:
    """A Last-Event-ID that is no position is a 422 for those who poll: they write it themselves."""
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        response = await api.get(EVENTS, headers={**JSON, "Last-Event-ID": "x"})
        body = await refused(response, 422, "invalid_request")
    assert "header.Last-Event-ID" == body["errors"][0]["location"]


@pytest.mark.parametrize("headers", [{}, JSON])
async def test_without_an_index_there_are_no_events(
    api: Client, fake: FakeMlflow, headers: dict[str, str]
) -> None:
    """Where the index is switched off, or does not hold an experiment, that is a 422 that says so."""
    body = await refused(await api.get(EVENTS, headers=headers), 422, "invalid_request")
    assert "TRACKING_INDEX__ENABLED" in body["detail"]
    other = fake.add_experiment("other")
    async with serving(fake.url, **with_index()) as indexed:
        await complete(indexed)
        response = await indexed.get(EVENTS, params={"experiment_id": other}, headers=headers)
        await refused(response, 422, "invalid_request")


async def test_while_the_index_reads(fake: FakeMlflow) -> None:
    """Before every run has been read a poll is a 503, and a stream says the same in an event and ends."""
    fake.add_run()
    fake.before = only("runs/search", answering(500))
    async with serving(fake.url, **with_index()) as api:

        async def is_followed() -> bool:
            return index_of(api).follows(("0",))

        await until(is_followed, "the index knows the experiment")
        await refused(await api.get(EVENTS, headers=JSON), 503, "index_not_ready")
        async with listening(api) as stream:
            [unavailable] = await stream.to_its_end()
    assert ("unavailable", "index_not_ready") == (unavailable.name, unavailable.data["code"])
    assert stream.reader.retry is not None


@pytest.mark.thorough
async def test_while_nobody_knows_the_experiment(fake: FakeMlflow) -> None:
    """Where MLflow cannot say which experiment it is, a stream says so in an event; a poll is an error."""
    fake.before = answering(500)
    async with serving(fake.url, **with_index()) as api:
        await refused(await api.get(EVENTS, headers=JSON), 502, "upstream_error")
        async with listening(api) as stream:
            [unavailable] = await stream.to_its_end()
    assert ("unavailable", 502) == (unavailable.name, unavailable.data["status"])


@pytest.mark.thorough
async def test_mlflow_fails_and_answers_again(fake: FakeMlflow) -> None:
    """Listeners are told when MLflow stops answering, also who comes later, and when it does again."""
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        async with listening(api) as stream:
            await stream.named("snapshot")
            fake.before = answering(500)
            [stale] = await stream.named("stale")
            async with listening(api) as late:
                await late.named("snapshot", "stale")
            fake.before = None
            [fresh] = await stream.named("fresh")
    assert fresh.data["since_ms"] > stale.data["since_ms"]


async def test_metrics_know_of_streams(fake: FakeMlflow) -> None:
    """How many streams are open is a metric, and how many events they were sent."""
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        async with listening(api) as stream:
            await stream.named("snapshot")
            fake.add_run(**RUNNING)
            await stream.named("run.created")
            lines = (await (await api.get("/metrics")).text()).splitlines()
    told = {"tracking_streams 1.0", "tracking_stream_events_total 1.0", "tracking_stream_resets_total 0.0"}
    assert told <= set(lines)


async def test_pages_of_other_origins_may_listen(fake: FakeMlflow) -> None:
    """A stream bears the headers that let a page read it."""
    origin = "https://page.example"
    async with serving(fake.url, cors={"allowed_origins": origin}, **with_index()) as api:
        await complete(api)
        response = await api.head(EVENTS, headers={"Origin": origin})
    assert origin == response.headers["Access-Control-Allow-Origin"]


async def test_long_polls_are_compressed(fake: FakeMlflow) -> None:
    """An answer of some kilobytes is gzipped for callers that accept it; a stream never is."""
    async with serving(fake.url, **with_index()) as api:
        await complete(api)
        since = (await poll(api))["next"]
        async with listening(api, headers={"Accept-Encoding": "gzip"}) as stream:
            await stream.named("snapshot")
            fake.add_run(**RUNNING, params={f"param{number}": "x" * 50 for number in range(100)})
            await stream.named("run.created")
        response = await api.get(EVENTS, params={"since": since}, headers={**JSON, "Accept-Encoding": "gzip"})
        body = await answered(response, EventList)
    assert ("gzip", 100) == (
        response.headers["Content-Encoding"],
        len(body["events"][0]["data"]["run"]["params"]),
    )
    assert "Content-Encoding" not in stream.response.headers
