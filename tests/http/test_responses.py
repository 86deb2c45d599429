"""Responses of ready-made bytes, and one that fails after its head was sent."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import ClientPayloadError, ClientSession, web
from aiohttp.test_utils import make_mocked_request

from service.http.access_record import AccessRecord
from service.http.aiohttp_internals import EncodedResponse
from service.http.capacity import Capacity
from service.http.client_address import ClientAddresses
from service.http.handler import Handler
from service.http.labels import Labels
from service.http.pipeline import RequestPipeline
from service.http.route import Route
from service.http.routing import Router

HEAD = b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n"


class TestEncodedResponse:
    @pytest.mark.parametrize(("status", "reason"), [(200, "OK"), (304, "Not Modified")])
    def test_describes_itself(self, status: int, reason: str) -> None:
        """It has a status, a reason and a representation, as every response of aiohttp's has."""
        response = EncodedResponse(status, HEAD, b"")
        assert (status, reason, False) == (response.status, response.reason, response.prepared)
        assert f"<EncodedResponse {reason} not prepared>" == repr(response)

    async def test_is_prepared_and_sent_once(self) -> None:
        """It is prepared from its head on, ends with its body, and is not sent a second time."""
        request = make_mocked_request("GET", "/runs")
        response = EncodedResponse(200, HEAD, b"body")
        await response.prepare(request)
        assert response.prepared
        assert "<EncodedResponse OK GET /runs >" == repr(response)
        transport = request.transport
        assert transport is not None
        transport.is_closing.return_value = False  # type: ignore[attr-defined]
        for _ in range(2):
            await response.write_eof()
        transport.write.assert_called_once()  # type: ignore[attr-defined]
        assert response.prepared
        assert "<EncodedResponse OK eof>" == repr(response)

    async def test_is_not_sent_to_a_caller_who_has_gone(self) -> None:
        """A connection that closes takes nothing more."""
        request = make_mocked_request("GET", "/runs")
        response = EncodedResponse(200, HEAD, b"body")
        await response.prepare(request)
        with pytest.raises(ConnectionResetError):
            await response.write_eof()


@asynccontextmanager
async def answering(
    handler: Handler, records: list[AccessRecord], labels: Labels, capacity: Capacity
) -> AsyncIterator[ClientSession]:
    """A client of a pipeline before one route."""
    pipeline = RequestPipeline(
        deadline=1.0,
        capacity=capacity,
        always_answered=(),
        labels=labels,
        observers=[records.append],
        addresses=ClientAddresses([]),
        clock=lambda: datetime.now(UTC),
    )
    routes = [Route(method="GET", path="/events/{name}", handler=handler)]
    runner = web.ServerRunner(web.Server(pipeline.wrap(Router(routes).respond)), shutdown_timeout=0.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
            yield session
    finally:
        await runner.cleanup()


async def test_a_response_that_fails_midway_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    """An error after the head was sent ends the connection: a second head would be taken for data."""
    capacity = Capacity(1)
    labels = Labels(capacity)
    records: list[AccessRecord] = []

    async def stream(request: web.BaseRequest, _parameters: Mapping[str, str]) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a part")
        raise ZeroDivisionError

    async with answering(stream, records, labels, capacity) as api:
        response = await api.get("/events/runs")
        with pytest.raises(ClientPayloadError):
            await response.read()
    assert [(500, "internal_error")] == [(one.status, one.code) for one in records]
    assert any(record.exc_info for record in caplog.records)
    assert 0 == capacity.active
