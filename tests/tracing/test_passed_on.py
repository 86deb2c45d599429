"""A caller's place in a trace, where the service makes no spans of its own: MLflow is told of it as it is."""

import asyncio
from collections.abc import Mapping

import pytest
from aiohttp import web

from tests.api.serving import API, Client
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import eventually
from tests.resilience.serving import serve
from tests.tracing.places import OTHER, PARENT, TRACE


def told(fake: FakeMlflow) -> list[tuple[str | None, str | None]]:
    """The traceparent and tracestate of each call that MLflow got."""
    return [(call.headers.get("traceparent"), call.headers.get("tracestate")) for call in fake.calls]


@pytest.mark.parametrize(
    "parent",
    [
        PARENT,
        PARENT[:-2] + "00",
        PARENT[:-2] + "ff",
        f"01-{TRACE}-00f067aa0ba902b7-01",
        f"cc-{TRACE}-00f067aa0ba902b7-01-what-comes",
    ],
)
async def test_a_traceparent_is_passed_on(api: Client, fake: FakeMlflow, parent: str) -> None:
    """A well-formed traceparent reaches MLflow as it is, of versions to come, too."""
    await api.get(f"{API}/runs/abc", headers={"traceparent": parent})
    assert [(parent, None)] == told(fake)


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "x",
        PARENT.upper(),
        PARENT + "-00",
        PARENT[:-1],
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"cc-{TRACE}-00f067aa0ba902b7-01.x",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}g-00f067aa0ba902b7-01",
        f"{PARENT},{PARENT}",
        f"cc-{TRACE}-00f067aa0ba902b7-01-{'x' * 300}",
    ],
)
async def test_a_malformed_traceparent(api: Client, fake: FakeMlflow, parent: str) -> None:
    """What is no traceparent reaches MLflow in no part, nor does the tracestate beside it."""
    await api.get(f"{API}/runs/abc", headers={"traceparent": parent, "tracestate": "a=1"})
    assert [(None, None)] == told(fake)


async def test_a_doubled_traceparent(api: Client, fake: FakeMlflow) -> None:
    """Of two traceparents nobody knows which is right: none is passed on."""
    await api.get(f"{API}/runs/abc", headers=[("traceparent", PARENT), ("traceparent", OTHER)])
    assert [(None, None)] == told(fake)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"], "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        (["a=1", "tenant@system=2"], "a=1,tenant@system=2"),
        (["a=1, ,\tb=2"], "a=1, ,\tb=2"),
        (["a=" + "x" * 200], "a=" + "x" * 200),
        (["a=" + "x" * 250 + ",b=" + "x" * 250 + ",c=12345678"], None),
        ([""], None),
        ([" , "], None),
        (["a"], None),
        (["a=1=2"], None),
        (["A=1"], None),
        (["a=é"], None),
    ],
)
async def test_a_tracestate(api: Client, fake: FakeMlflow, states: list[str], expected: str | None) -> None:
    """A tracestate goes with its traceparent, as one line; one that is malformed or too long is left out."""
    headers = [("traceparent", PARENT), *(("tracestate", state) for state in states)]
    await api.get(f"{API}/runs/abc", headers=headers)
    assert [(PARENT, expected)] == told(fake)


@pytest.mark.parametrize("headers", [{}, {"tracestate": "a=1"}])
async def test_a_caller_without_a_place(api: Client, fake: FakeMlflow, headers: Mapping[str, str]) -> None:
    """Without a traceparent MLflow is told of no trace, and a tracestate alone is none."""
    await api.get(f"{API}/runs/abc", headers=headers)
    assert [(None, None)] == told(fake)


async def test_a_connections_next_request_has_a_place_of_its_own(fake: FakeMlflow, api: Client) -> None:
    """A place in a trace is a request's, and no later one's on the same connection."""
    await api.get(f"{API}/runs/abc", headers={"traceparent": PARENT, "tracestate": "a=1"})
    await api.get(f"{API}/runs/def", headers={"traceparent": OTHER})
    await api.get(f"{API}/experiments")
    assert [(PARENT, "a=1"), (OTHER, None), (None, None)] == told(fake)


async def test_a_shared_flight_is_the_first_callers(api: Client, fake: FakeMlflow) -> None:
    """Of callers who share a call of MLflow's, the first one's place goes with it."""
    free = asyncio.Event()

    async def hold(_: web.Request) -> None:
        await free.wait()

    fake.add_run(run_id="abc")
    fake.before = hold
    first = asyncio.create_task(api.get(f"{API}/runs/abc", headers={"traceparent": PARENT}))
    await eventually(lambda: len(fake.calls) == 1, lambda: "MLflow was not asked")
    second = asyncio.create_task(api.get(f"{API}/runs/abc", headers={"traceparent": OTHER}))
    reads = api.service.source.reads
    await eventually(lambda: reads["collapsed"] == 1, lambda: "the second did not join")
    free.set()
    assert [200, 200] == [(await one).status for one in (first, second)]
    assert [(PARENT, None)] == told(fake)


async def test_a_renewal_is_nobodys(fake: FakeMlflow) -> None:
    """What is asked behind a caller's back belongs to no trace, the caller's neither."""
    fake.add_run(run_id="abc")
    async with serve(fake.url) as service:
        service.clock.stop()
        await service.client.get(f"{API}/runs/abc", headers={"traceparent": PARENT})
        service.clock.skip(31.0)
        response = await service.client.get(f"{API}/runs/abc", headers={"traceparent": OTHER})
        assert response.headers["Cache-Status"].endswith("detail=stale")
        await eventually(lambda: len(fake.calls) == 2, lambda: "it is not renewed")
    assert [(PARENT, None), (None, None)] == told(fake)
