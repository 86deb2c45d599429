"""The span of each request: its name, its place, what it tells, and that there is none for some."""

import asyncio

import pytest
from aiohttp import web

from service import __version__
from service.app import build
from service.auth.api_keys import new_key
from service.http.access_record import AccessRecord
from service.http.pipeline import RequestPipeline
from tests.api.serving import API, Client, make_settings, serving
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import eventually
from tests.tracing.collector import Collector
from tests.tracing.places import PARENT, TRACE

DETAIL = f"{API}/runs/{{run_id}}"


async def test_a_request(fake: FakeMlflow, collector: Collector) -> None:
    """A span has the name of the route, and tells of the request what its line of the log tells."""
    fake.add_run(run_id="abc")
    async with serving(fake.url) as api:
        await api.get(f"{API}/runs/abc?x=1", headers={"X-Request-ID": "mine"})
    [span] = collector.requests
    assert (f"GET {DETAIL}", "", False) == (span.name, span.parent_id, span.is_error)
    waited = span.attributes.pop("experiment_tracking.upstream_ms")
    assert 0 < waited <= (span.ended - span.began) / 1e6
    expected = {
        "http.request.method": "GET",
        "http.route": DETAIL,
        "http.response.status_code": 200,
        "url.path": f"{API}/runs/abc",
        "url.scheme": "http",
        "client.address": "127.0.0.1",
        "experiment_tracking.request_id": "mine",
        "experiment_tracking.cache": "fwd=miss",
    }
    assert expected == span.attributes


async def test_what_was_remembered(fake: FakeMlflow, collector: Collector) -> None:
    """A hit says so, waited for nobody, and no call of MLflow's belongs to it."""
    fake.add_run(run_id="abc")
    async with serving(fake.url) as api:
        await api.get(f"{API}/runs/abc")
        await api.get(f"{API}/runs/abc")
    [miss, hit] = collector.requests
    assert hit.attributes["experiment_tracking.cache"].startswith("hit; ttl=")
    assert 0.0 == hit.attributes["experiment_tracking.upstream_ms"]
    assert [miss.span_id] == [call.parent_id for call in collector.calls]


async def test_the_service_says_who_it_is(
    fake: FakeMlflow, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spans bear the service's name and version; OpenTelemetry's variables win over them."""
    for name in ("", "runs-for-all"):
        monkeypatch.setenv("OTEL_SERVICE_NAME", name)
        async with serving(fake.url) as api:
            await api.get(f"{API}/experiments")
    found = [(span.resource["service.name"], span.resource["service.version"]) for span in collector.requests]
    assert [("experiment-tracking", __version__), ("runs-for-all", __version__)] == found


async def test_the_callers_trace(fake: FakeMlflow, collector: Collector) -> None:
    """A caller's trace goes on: the span is a child of the caller's."""
    async with serving(fake.url) as api:
        await api.get(f"{API}/experiments", headers={"traceparent": PARENT})
    [span] = collector.requests
    assert (TRACE, "00f067aa0ba902b7") == (span.trace_id, span.parent_id)


@pytest.mark.parametrize("parents", [["nonsense"], [PARENT, PARENT]], ids=["malformed", "doubled"])
async def test_no_place_that_can_be_trusted(
    fake: FakeMlflow, collector: Collector, parents: list[str]
) -> None:
    """A malformed or doubled traceparent begins a trace of its own."""
    async with serving(fake.url) as api:
        await api.get(f"{API}/experiments", headers=[("traceparent", parent) for parent in parents])
    [span] = collector.requests
    assert "" == span.parent_id
    assert TRACE != span.trace_id


async def test_a_caller_who_wants_no_spans(fake: FakeMlflow, collector: Collector) -> None:
    """A traceparent that is not sampled makes no span; MLflow is told of the trace, and that it is not."""
    async with serving(fake.url) as api:
        await api.get(f"{API}/experiments", headers={"traceparent": PARENT[:-2] + "00", "tracestate": "a=1"})
        await api.get("/docs")
    assert ["GET /docs"] == [span.name for span in collector.spans]
    [call] = fake.calls
    assert (TRACE, "00") == (call.headers["traceparent"][3:35], call.headers["traceparent"][-2:])
    assert "a=1" == call.headers["tracestate"]


async def test_a_sampler(fake: FakeMlflow, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's sampler decides where the caller does not."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    async with serving(fake.url) as api:
        await api.get("/docs")
        await api.get("/openapi.json", headers={"traceparent": PARENT})
    assert ["GET /openapi.json"] == [span.name for span in collector.spans]


async def test_health_and_metrics(fake: FakeMlflow, collector: Collector) -> None:
    """What machines ask every few seconds makes no spans."""
    async with serving(fake.url) as api:
        for path in ("/livez", "/readyz", "/metrics"):
            assert 200 == (await api.get(path)).status
    assert [] == collector.spans


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", f"{API}/runs/none", 404, f"GET {DETAIL}"),
        ("HEAD", f"{API}/runs?limit=x", 422, f"HEAD {API}/runs"),
        ("GET", "/nowhere", 404, "GET"),
        ("DELETE", f"{API}/runs", 405, "DELETE"),
        ("PURGE", "/nowhere", 404, "HTTP"),
    ],
)
async def test_a_callers_mistake(
    fake: FakeMlflow, collector: Collector, method: str, path: str, status: int, name: str
) -> None:
    """A 4xx is no error of the service's; a span's name holds nothing of the caller's making."""
    async with serving(fake.url) as api:
        assert status == (await api.request(method, path)).status
    [span] = collector.requests
    assert (name, False) == (span.name, span.is_error)
    assert status == span.attributes["http.response.status_code"]
    assert ("_OTHER" if name == "HTTP" else method) == span.attributes["http.request.method"]
    assert "error.type" not in span.attributes


async def test_a_caller_who_is_not_known(fake: FakeMlflow, collector: Collector) -> None:
    """A 401 has a span, and one who is known is named in theirs."""
    key, line = new_key("ada")
    async with serving(fake.url, auth={"mode": "api_key", "api_keys": line}) as api:
        assert 401 == (await api.get(f"{API}/experiments")).status
        assert 200 == (await api.get(f"{API}/experiments", headers={"X-API-Key": key})).status
    told = [
        (span.attributes["http.response.status_code"], span.attributes.get("experiment_tracking.caller"))
        for span in collector.requests
    ]
    assert [(401, None), (200, "ada")] == told


async def test_more_requests_than_are_handled(fake: FakeMlflow, collector: Collector) -> None:
    """What is refused at the door has a span of an error."""
    free = asyncio.Event()

    async def hold(_: web.Request) -> None:
        await free.wait()

    fake.before = hold
    async with serving(fake.url, max_requests=1) as api:
        first = asyncio.create_task(api.get(f"{API}/experiments"))
        await eventually(lambda: len(fake.calls) == 1, lambda: "MLflow was not asked")
        assert 503 == (await api.get("/docs")).status
        free.set()
        await first
    [_, refused] = collector.requests
    assert (503, "overloaded") == (
        refused.attributes["http.response.status_code"],
        refused.attributes["error.type"],
    )
    assert refused.is_error


async def test_an_mlflow_that_fails(fake: FakeMlflow, collector: Collector) -> None:
    """A 502 is an error, by the code that the caller gets."""
    fake.before = answering(500)
    async with serving(fake.url, upstream={"attempts": 1}) as api:
        assert 502 == (await api.get(f"{API}/experiments")).status
    [span] = collector.requests
    assert (True, "upstream_error") == (span.is_error, span.attributes["error.type"])
    assert 502 == span.attributes["http.response.status_code"]


async def test_a_caller_who_hangs_up(fake: FakeMlflow, collector: Collector) -> None:
    """Who does not wait for the answer leaves a span without a status."""

    async def hold(_: web.Request) -> None:
        await asyncio.Event().wait()

    fake.before = hold
    async with serving(fake.url) as api:
        asked = asyncio.create_task(api.get(f"{API}/experiments"))
        await eventually(lambda: len(fake.calls) == 1, lambda: "MLflow was not asked")
        asked.cancel()
        await asyncio.wait([asked])
    [span] = collector.requests
    assert (f"GET {API}/experiments", False) == (span.name, span.is_error)
    assert "http.response.status_code" not in span.attributes


async def test_the_log_has_the_spans_trace(fake: FakeMlflow, collector: Collector) -> None:
    """The trace in the log is the span's, be it the caller's, a new one, or new for want of a good one."""
    lines: list[AccessRecord] = []
    app = build(make_settings(), fake.url, [lines.append])
    async with Client(app) as api:
        await api.get(f"{API}/experiments")
        await api.get(f"{API}/experiments", headers={"traceparent": PARENT})
        await api.get(f"{API}/experiments", headers={"traceparent": "nonsense"})
    assert [span.trace_id for span in collector.requests] == [line.trace_id for line in lines]
    assert TRACE == lines[1].trace_id


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
    ],
    ids=["not set", "empty", "disabled"],
)
def test_tracing_is_off(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """Where nobody asks for spans, nothing stands around the request pipeline."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    service = build(make_settings(), "http://127.0.0.1:9")
    assert RequestPipeline.__module__ == service.handler.__module__
