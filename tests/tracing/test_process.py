"""Tracing as an operator has it: by variables, in a process of its own, with a collector that may be ill."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.api.serving import API
from tests.fakes.mlflow import FakeMlflow
from tests.live.server import free_port
from tests.tracing.collector import Collector
from tests.tracing.places import PARENT, TRACE
from tests.tracing.process import Process, started

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
# The SDK would try for half a minute: this long is well after the service's own bound, and well before that.
PROMPT = 20.0
SERVICE = ("-m", "service")
WITHOUT_THE_EXTRA = (
    "import sys; sys.modules['opentelemetry'] = None; from service.__main__ import main; sys.exit(main([]))"
)


async def ask(process: Process, times: int = 1) -> set[int]:
    """Ask for the experiments, so often; the statuses."""
    async with aiohttp.ClientSession(process.url, headers={"traceparent": PARENT}) as session:
        return {(await session.get(f"{API}/experiments")).status for _ in range(times)}


@asynccontextmanager
async def hanging() -> AsyncIterator[str]:
    """A server that takes connections and says nothing."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_last_spans_are_sent(fake: FakeMlflow) -> None:
    """Spans that the collector lacks are sent when the service stops, and the log names the same trace."""
    async with (
        Collector().serve() as collector,
        started(
            fake.url,
            {
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces",
                "OTEL_SERVICE_NAME": "runs",
                "OTEL_BSP_SCHEDULE_DELAY": "3600000",  # milliseconds
            },
        ) as process,
    ):
        await process.until_alive()
        assert {200} == await ask(process)
        assert [] == collector.spans
        ending = await process.stop(PROMPT)
    assert 0 == ending.code
    [request] = collector.requests
    [call] = [one for one in collector.calls if one.trace_id == TRACE]  # the welcome asks MLflow, too
    assert (f"GET {API}/experiments", "runs") == (request.name, request.resource["service.name"])
    assert request.span_id == call.parent_id
    lines = [json.loads(line) for line in ending.said.splitlines()]
    assert [TRACE] == [line["trace_id"] for line in lines if line.get("path") == f"{API}/experiments"]


async def test_a_collector_that_is_not_there(fake: FakeMlflow) -> None:
    """Without a collector every request is answered, and the service stops in order."""
    variables = {ENDPOINT: f"http://127.0.0.1:{free_port()}", "OTEL_BSP_SCHEDULE_DELAY": "10"}
    async with started(fake.url, variables) as process:
        await process.until_alive()
        assert {200} == await ask(process, 50)
        ending = await process.stop(PROMPT)
    assert 0 == ending.code
    assert "Traceback" not in ending.said


async def test_a_collector_that_hangs(fake: FakeMlflow) -> None:
    """A collector that takes spans and never answers delays no request, and the stop only shortly."""
    async with hanging() as url:
        variables = {
            ENDPOINT: url,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "60",
            "OTEL_BSP_SCHEDULE_DELAY": "10",
            "OTEL_BSP_MAX_QUEUE_SIZE": "4",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2",
        }
        async with started(fake.url, variables) as process:
            await process.until_alive()
            assert {200} == await ask(process, 50)
            ending = await process.stop(PROMPT)
    assert 0 == ending.code
    assert "the last spans are lost" in ending.said
    assert "Traceback" not in ending.said


@pytest.mark.parametrize(
    ("variables", "command", "expected"),
    [
        (
            {ENDPOINT: "http://127.0.0.1:9"},
            ("-c", WITHOUT_THE_EXTRA),
            f"{ENDPOINT}: traces need more: pip install 'experiment-tracking[otel]'; no traces are sent",
        ),
        (
            {ENDPOINT: "user:s3cret@collector:4318"},
            SERVICE,
            f"{ENDPOINT}: must be http://… or https://…; no traces are sent",
        ),
        (
            {ENDPOINT: "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            SERVICE,
            (
                "OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf is supported here, not 'grpc'; "
                "no traces are sent"
            ),
        ),
        (
            {ENDPOINT: "http://127.0.0.1:9", "OTEL_BSP_MAX_QUEUE_SIZE": "0"},
            SERVICE,
            f"{ENDPOINT}: no traces are sent, for the SDK says: max_queue_size must be a positive integer.",
        ),
    ],
)
async def test_a_reason_for_no_traces_is_one_warning(
    fake: FakeMlflow, variables: dict[str, str], command: tuple[str, ...], expected: str
) -> None:
    """Where traces cannot be sent, the log has one warning, and the service serves all the same."""
    async with started(fake.url, variables, command) as process:
        await process.until_alive()
        assert {200} == await ask(process)
        ending = await process.stop(PROMPT)
    lines = [json.loads(line) for line in ending.said.splitlines()]
    warnings = [line["message"] for line in lines if line["level"] == "warning"]
    assert (0, [expected]) == (ending.code, warnings)


async def test_the_extra_is_not_needed(fake: FakeMlflow) -> None:
    """Without the extra, and without a request for traces, the service serves all the same."""
    async with started(fake.url, {}, ("-c", WITHOUT_THE_EXTRA)) as process:
        await process.until_alive()
        assert {200} == await ask(process)
        assert 0 == (await process.stop(PROMPT)).code
