"""Bytes that are no HTTP request, sent to the service as it is served."""

import asyncio
import json
import logging

import pytest

from service.api import schemas
from service.app import build
from service.http.access_record import AccessRecord
from tests.api.serving import API, Client, make_settings
from tests.fakes.mlflow import FakeMlflow

HOST = b"Host: x\r\n"
UNREADABLE = {
    "no HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a line too long": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header too long": b"GET /livez HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n",
    "too many headers": b"GET /livez HTTP/1.1\r\n" + HOST + b"X-A: a\r\n" * 20_000 + b"\r\n",
    "an unknown version": b"GET /livez HTTP/9.9\r\n" + HOST + b"\r\n",
    "a method of its own": b"BREW /livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "a port out of range": b"GET http://x:99999999/livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "a relative path": b"GET livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header without a colon": b"GET /livez HTTP/1.1\r\n" + HOST + b"junk\r\n\r\n",
    "a length that is no number": b"POST /livez HTTP/1.1\r\n" + HOST + b"Content-Length: abc\r\n\r\n",
    "two lengths": b"POST /livez HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": (
        b"POST /livez HTTP/1.1\r\n"
        + HOST
        + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a bare NUL": b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
}


async def exchange(port: int | None, data: bytes, *, hang_up: bool = False) -> bytes:
    """What comes back until the service closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    if hang_up:
        writer.write_eof()
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read(api: Client, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """It is a 400 in the one form of errors, closes the connection, and is no error in the log."""
    head, _, text = (await exchange(api.port, UNREADABLE[name])).partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert "400" == status_line.split()[1]
    assert "application/problem+json" == headers["Content-Type"]
    assert str(len(text)) == headers["Content-Length"]
    body = json.loads(text)
    schemas.Problem.model_validate(body, strict=True)
    assert (400, "unreadable_request") == (body["status"], body["code"])
    assert headers["X-Request-ID"] == body["request_id"]
    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_it_is_told_of(fake: FakeMlflow) -> None:
    """Observers, the log among them, hear of it, and it counts; of what was sent nothing is told."""
    observed: list[AccessRecord] = []
    async with Client(build(make_settings(), fake.url, [observed.append])) as api:
        answer = await exchange(api.port, UNREADABLE["no HTTP"])
        metrics = await (await api.get("/metrics")).text()
    told = observed[0]
    assert ("other", "unmatched", "", 400) == (told.method, told.route, told.path, told.status)
    assert ("unreadable_request", "127.0.0.1") == (told.code, told.client)
    assert f"X-Request-ID: {told.request_id}\r\n".encode() in answer
    assert 'tracking_problems_total{code="unreadable_request"} 1.0' in metrics
    labels = 'method="other",route="unmatched",source="none",status="400"'
    assert f"tracking_request_duration_seconds_count{{{labels}}} 1.0" in metrics


async def test_the_service_goes_on(api: Client) -> None:
    """After what could not be read it answers the next caller."""
    await exchange(api.port, UNREADABLE["TLS"])
    assert 200 == (await api.get("/livez")).status


async def test_the_longest_line_that_is_read(api: Client) -> None:
    """A filter of MLflow's longest tag value fits in a line, percent-encoded."""
    response = await api.get(f"{API}/runs", params={"run_type": "é" * 1_300 + "x" * 8_000})
    assert 200 == response.status


@pytest.mark.parametrize("expectation", ["100-continue", "a teapot"])
async def test_an_expectation(api: Client, caplog: pytest.LogCaptureFixture, expectation: str) -> None:
    """100-continue is met; another expectation is a 4xx in the one form of errors."""
    data = (
        f"POST {API}/runs/compare HTTP/1.1\r\nHost: x\r\nExpect: {expectation}\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    answer = (await exchange(api.port, data.encode())).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    head, _, text = answer.partition(b"\r\n\r\n")
    assert b"HTTP/1.1 4" == head[:10]
    assert b"application/problem+json" in head
    body = json.loads(text)
    schemas.Problem.model_validate(
        {name: body[name] for name in schemas.Problem.model_fields if name in body}
    )
    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 100\r\n\r\n{}",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["cut", "cut in a chunk", "a bad chunk"],
)
async def test_a_body_that_does_not_come(api: Client, caplog: pytest.LogCaptureFixture, framing: str) -> None:
    """A caller who hangs up within the body, or garbles it, is no error in the log."""
    data = f"POST {API}/runs/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{framing}"
    answer = await exchange(api.port, data.encode(), hang_up=True)
    assert answer[:12] in {b"", b"HTTP/1.1 400", b"HTTP/1.0 400"}
    assert 200 == (await api.get("/livez")).status
    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_requests_in_a_row(api: Client) -> None:
    """Requests that are sent without waiting are answered in their order."""
    data = (
        b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    answer = await exchange(api.port, data)
    assert answer.index(b"HTTP/1.1 200") < answer.index(b"HTTP/1.1 404")
