"""A stand-in for an OpenTelemetry collector: a real server on a loopback port, what it was sent in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Self

from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT


class Seen(NamedTuple):
    """A span as it arrived. parent_id: "" where it has none."""

    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    is_error: bool
    began: int
    ended: int
    resource: dict[str, Any]


class Collector:
    """Takes OTLP over HTTP, as protobuf."""

    def __init__(self) -> None:
        self.spans: list[Seen] = []
        self.url = ""

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Self]:
        """Listen while the context lasts."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/traces", self._take)
        async with TestServer(app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            yield self

    @property
    def requests(self) -> list[Seen]:
        """The spans of requests, in the order in which they began."""
        return self._of(SERVER)

    @property
    def calls(self) -> list[Seen]:
        """The spans of calls of MLflow, in the order in which they began."""
        return self._of(CLIENT)

    def _of(self, kind: int) -> list[Seen]:
        return sorted((span for span in self.spans if span.kind == kind), key=lambda span: span.began)

    async def _take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        sent = ExportTraceServiceRequest.FromString(await request.read())
        for from_resource in sent.resource_spans:
            resource = _values(from_resource.resource.attributes)
            for scope in from_resource.scope_spans:
                self.spans += [_seen(span, resource) for span in scope.spans]
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")


def _seen(span: Span, resource: dict[str, Any]) -> Seen:
    return Seen(
        span.name,
        span.kind,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        _values(span.attributes),
        span.status.code == Status.STATUS_CODE_ERROR,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        resource,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: _value(one) for one in attributes}


def _value(one: KeyValue) -> Any:
    value: AnyValue = one.value
    return getattr(value, value.WhichOneof("value") or "string_value")
