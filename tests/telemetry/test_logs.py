"""What the service writes into its log."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from typing_extensions import Buffer

from service.app import build
from service.telemetry.logs import Event, LineWriter, LogHandler, Render, as_json, as_text, logging_to
from tests.api.serving import API, Client, make_settings
from tests.fakes.mlflow import FakeMlflow

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _level() -> Iterator[None]:
    """The level that other tests log at."""
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


def events(stream: io.BytesIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


class TestEvents:
    def test_json(self) -> None:
        """An event is one line of JSON, its traceback included."""
        stream = io.BytesIO()
        with logging_to(stream, "info", as_json):
            logging.getLogger("a.b").info("hello %s\n", "é")
            logging.getLogger("a.b").debug("not this")
            logging.getLogger("c").error("it broke", exc_info=ZeroDivisionError("no"))
        first, second = events(stream)
        assert ("info", "a.b", "hello é\n") == (first["level"], first["logger"], first["message"])
        assert "traceback" not in first
        assert ("error", "it broke") == (second["level"], second["message"])
        assert "ZeroDivisionError: no" in str(second["traceback"])

    def test_text(self) -> None:
        """For a person an event is text, without control characters that a caller could have sent."""
        stream = io.BytesIO()
        with logging_to(stream, "warning", as_text):
            logging.getLogger("a").warning("odd \x1b[31m %s", "\u202e")
            logging.getLogger("a").info("not this")
        [line] = stream.getvalue().decode().splitlines()
        assert line.endswith("WARNING a: odd ?[31m ?")

    @pytest.mark.parametrize("render", [as_json, as_text])
    @pytest.mark.parametrize("argument", ["\ud800", "%"])
    def test_odd_text(self, render: Render, argument: str) -> None:
        """Text that UTF-8 cannot carry is logged with replacements, and breaks nothing."""
        stream = io.BytesIO()
        writer = LineWriter(stream, render)
        # Not by a logger: pytest would capture it, and could not pass it on from one process to another.
        LogHandler(writer).handle(logging.makeLogRecord({"msg": "odd: %s", "args": (argument,)}))
        writer.close()
        assert b"odd" in stream.getvalue()

    def test_the_handler_is_removed(self) -> None:
        """After the context nothing is written any more."""
        stream = io.BytesIO()
        with logging_to(stream, "info", as_json):
            pass
        logging.getLogger("a").warning("too late")
        assert b"" == stream.getvalue()

    def test_lines_that_do_not_fit_are_counted(self) -> None:
        """Where the stream is too slow, further lines are lost, and the log says how many."""
        event = Event(NOON, "info", "a", "hello")
        stream = io.BytesIO()
        writer = LineWriter(stream, as_json, interval=60.0, max_waiting=len(as_json(event)) + 1)
        for _ in range(5):
            writer.write(event)
        writer.close()
        assert 3 == writer.lost
        [*written, lost] = events(stream)
        assert ["hello"] * 2 == [event["message"] for event in written]
        assert ("error", "3 log lines were lost") == (lost["level"], lost["message"])

    def test_lines_that_a_full_disk_refuses_are_counted(self) -> None:
        """Lines that cannot be written are lost; once there is room, the log says how many, and once."""
        stream = FullDisk()
        writer = LineWriter(stream, as_json, interval=60.0)
        for number in range(3):
            writer.write(Event(NOON, "info", "a", str(number)))
        writer.flush()
        assert (3, b"") == (writer.lost, stream.getvalue())
        stream.has_room = True
        writer.flush()
        writer.close()
        [report] = events(stream)
        assert (3, "3 log lines were lost") == (writer.lost, report["message"])


class FullDisk(io.BytesIO):
    """A stream that takes nothing until it has room."""

    has_room = False

    def write(self, data: Buffer, /) -> int:
        if not self.has_room:
            raise OSError
        return super().write(data)


@asynccontextmanager
async def logged(fake: FakeMlflow, stream: io.BytesIO, render: Render) -> AsyncIterator[Client]:
    """The service over the fake, which writes its access log to a stream."""
    writer = LineWriter(stream, render)
    app = build(make_settings(), fake.url, [writer.write], clock=lambda: NOON)
    try:
        async with Client(app) as client:
            yield client
    finally:
        writer.close()


class TestAccess:
    async def test_json(self, fake: FakeMlflow) -> None:
        """A request is one line: its route, how it was answered, and how long MLflow took."""
        stream = io.BytesIO()
        fake.add_run(run_id="abc")
        async with logged(fake, stream, as_json) as api:
            trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            headers = {"X-Request-ID": "mine", "traceparent": trace}
            await api.get(f"{API}/runs/abc?x=1", headers=headers)
            await api.get("/nothing")
        first, second = events(stream)
        assert {
            "time": "2026-03-05T12:00:00Z",
            "level": "info",
            "request_id": "mine",
            "method": "GET",
            "route": f"{API}/runs/{{run_id}}",
            "path": f"{API}/runs/abc",
            "status": 200,
            "cache": "fwd=miss",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        }.items() <= first.items()
        assert 0 < float(str(first["upstream_ms"])) <= float(str(first["duration_ms"]))
        assert ("unmatched", 404, "not_found") == (second["route"], second["status"], second["code"])

    async def test_a_cold_list_waits_for_two_calls(self, fake: FakeMlflow) -> None:
        """The time that a list waited for MLflow counts the look-up of its experiment and the search."""
        stream = io.BytesIO()
        fake.latency = 0.05
        async with logged(fake, stream, as_json) as api:
            for _ in range(2):
                await api.get(f"{API}/runs")
        first, second = events(stream)
        assert float(str(first["upstream_ms"])) >= 2 * 50
        assert (0.0, "fwd=miss") == (second["upstream_ms"], first["cache"])

    async def test_text(self, fake: FakeMlflow) -> None:
        """For a person a request is a short line."""
        stream = io.BytesIO()
        async with logged(fake, stream, as_text) as api:
            await api.get("/livez")
        assert b"12:00:00.000 GET /livez 200 " == stream.getvalue()[:28]

    @pytest.mark.parametrize("render", [as_json, as_text])
    async def test_odd_headers(self, fake: FakeMlflow, render: Render) -> None:
        """Bytes in a header that are no UTF-8 do not fail the request."""
        stream = io.BytesIO()
        async with logged(fake, stream, render) as api:
            reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
            writer.write(
                b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\ntraceparent: 00-\xff\xfe\r\n\r\n"
            )
            assert b"HTTP/1.1 200" == (await reader.read())[:12]
            writer.close()
        assert b"/livez" in stream.getvalue()
