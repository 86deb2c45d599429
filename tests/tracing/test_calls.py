"""The spans of calls of MLflow: whose children they are, what they tell, and what MLflow is told."""

import asyncio
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from tests.api.serving import API, serving
from tests.fakes.faults import Hook, answering, first, half_a_body, reset
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import eventually
from tests.resilience.serving import serve
from tests.tracing.collector import Collector
from tests.tracing.places import PARENT, TRACE

STATUS, ERROR = "http.response.status_code", "error.type"


def of(collector: Collector, *names: str) -> list[tuple[Any, ...]]:
    """Some attributes of each call, None where it has them not, and whether it is an error."""
    return [(*(call.attributes.get(name) for name in names), call.is_error) for call in collector.calls]


async def test_a_call(fake: FakeMlflow, collector: Collector) -> None:
    """A call is a child of its request, and within its time; it tells where it went and what came of it."""
    fake.add_run(run_id="abc")
    async with serving(fake.url) as api:
        await api.get(f"{API}/runs/abc")
    [call], [request] = collector.calls, collector.requests
    assert (request.trace_id, request.span_id) == (call.trace_id, call.parent_id)
    assert request.began <= call.began < call.ended <= request.ended
    port = int(fake.url.rstrip("/").rpartition(":")[2])
    expected = {
        "http.request.method": "GET",
        "url.full": f"{fake.url}api/2.0/mlflow/runs/get?run_id=abc",
        "url.template": "/api/2.0/mlflow/runs/get",
        "server.address": "127.0.0.1",
        "server.port": port,
        "http.response.status_code": 200,
    }
    assert ("GET /api/2.0/mlflow/runs/get", expected) == (call.name, call.attributes)


async def test_mlflow_is_told_of_the_call(fake: FakeMlflow, collector: Collector) -> None:
    """What MLflow does is a child of the call, with the caller's tracestate."""
    async with serving(fake.url) as api:
        await api.get(f"{API}/experiments", headers={"traceparent": PARENT, "tracestate": "a=1"})
    [asked], [call] = fake.calls, collector.calls
    assert f"00-{TRACE}-{call.span_id}-01" == asked.headers["traceparent"]
    assert "a=1" == asked.headers["tracestate"]


async def test_a_prefix(collector: Collector) -> None:
    """The address of a call holds what stands before MLflow's own paths; credentials stay out of spans."""
    async with FakeMlflow(prefix="/research", authorization="Bearer s3cret").serve() as fake:
        async with serving(fake.url, mlflow_tracking_token="s3cret") as api:  # noqa: S106 - the fake's
            assert 200 == (await api.get(f"{API}/experiments")).status
        [call] = collector.calls
        assert f"{fake.url}api/2.0/mlflow/experiments/search" == call.attributes["url.full"]
    assert "s3cret" not in str(collector.spans)


async def test_attempts(fake: FakeMlflow, collector: Collector) -> None:
    """Each attempt has a span; those after the first say the how-many-eth again it is."""
    fake.before = first(2, answering(503))
    async with serving(fake.url) as api:
        assert 200 == (await api.get(f"{API}/experiments")).status
    expected = [(503, "503", None, True), (503, "503", 1, True), (200, None, 2, False)]
    assert expected == of(collector, STATUS, ERROR, "http.request.resend_count")
    [request] = collector.requests
    assert {request.span_id} == {call.parent_id for call in collector.calls}
    assert not request.is_error


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (answering(500), (500, "500", True)),
        (answering(401), (401, "401", True)),
        (answering(302), (302, None, False)),
        (half_a_body, (200, "ClientPayloadError", True)),
        (reset, (None, "ServerDisconnectedError", True)),
    ],
    ids=["500", "401", "302", "half a body", "reset"],
)
async def test_a_call_that_fails(
    fake: FakeMlflow, collector: Collector, fault: Hook, expected: tuple[Any, ...]
) -> None:
    """A failure has the status that MLflow answered with, if it did, and what went wrong."""
    fake.before = fault
    async with serving(fake.url, upstream={"attempts": 1}) as api:
        assert 502 == (await api.get(f"{API}/experiments")).status
    assert [expected] == of(collector, STATUS, ERROR)
    assert [True] == [request.is_error for request in collector.requests]


async def test_an_mlflow_that_is_not_there(fake: FakeMlflow, collector: Collector) -> None:
    """A connection that is refused is an error of the call's."""
    await fake.stop()
    async with serving(fake.url, upstream={"attempts": 1}) as api:
        assert 502 == (await api.get(f"{API}/experiments")).status
    assert [(None, "ClientConnectorError", True)] == of(collector, STATUS, ERROR)


async def test_a_run_that_is_not_there(fake: FakeMlflow, collector: Collector) -> None:
    """MLflow's word that there is no such run is no error."""
    async with serving(fake.url) as api:
        assert 404 == (await api.get(f"{API}/runs/abc")).status
    assert [(404, None, False)] == of(collector, STATUS, ERROR)


async def test_an_mlflow_that_does_not_answer(fake: FakeMlflow, collector: Collector) -> None:
    """A call that is given up has a span, too."""

    async def hold(_: web.Request) -> None:
        await asyncio.Event().wait()

    fake.before = hold
    async with serving(fake.url, deadline=0.1) as api:
        assert 504 == (await api.get(f"{API}/experiments")).status
    [call], [request] = collector.calls, collector.requests
    assert (True, request.span_id) == (call.is_error, call.parent_id)
    assert "upstream_timeout" == request.attributes[ERROR]


async def test_a_shared_call(fake: FakeMlflow, collector: Collector) -> None:
    """A call that several wait for is a child of the first one's request; the others say that they joined."""
    free = asyncio.Event()

    async def hold(_: web.Request) -> None:
        await free.wait()

    fake.add_run(run_id="abc")
    fake.before = hold
    async with serving(fake.url) as api:
        reads = api.service.source.reads
        asked = [asyncio.create_task(api.get(f"{API}/runs/abc"))]
        await eventually(lambda: len(fake.calls) == 1, lambda: "MLflow was not asked")
        asked.append(asyncio.create_task(api.get(f"{API}/runs/abc")))
        await eventually(lambda: reads["collapsed"] == 1, lambda: "the second did not join")
        free.set()
        await asyncio.gather(*asked)
    [call], [request, other] = collector.calls, collector.requests
    assert request.span_id == call.parent_id
    assert request.trace_id != other.trace_id
    assert "fwd=miss; collapsed" == other.attributes["experiment_tracking.cache"]


async def test_a_renewal(fake: FakeMlflow, collector: Collector) -> None:
    """What is asked behind a caller's back is a trace of its own, and says what it is."""
    fake.add_run(run_id="abc")
    async with serve(fake.url) as service:

        def asked_and_answered(calls: int) -> bool:
            return len(fake.calls) == calls and service.is_idle

        service.clock.stop()
        await service.client.get(f"{API}/runs/abc")
        for calls in (2, 3):
            service.clock.skip(31.0)
            await service.client.get(f"{API}/runs/abc", headers={"traceparent": PARENT})
            await eventually(partial(asked_and_answered, calls), lambda: "it is not renewed")
    asked, *renewals = collector.calls
    assert "experiment_tracking.renewal" not in asked.attributes
    assert [("", True)] * 2 == [
        (one.parent_id, one.attributes["experiment_tracking.renewal"]) for one in renewals
    ]
    assert 4 == len({TRACE, *(call.trace_id for call in collector.calls)})
