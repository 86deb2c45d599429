"""Spans for an OpenTelemetry collector: one for each request, and one for each call of MLflow.

Needs the extra `otel`. Where spans go, how many of them, and under which name, OpenTelemetry's own variables
say, which its SDK reads: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
Names of attributes: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Self

import aiohttp
from aiohttp import hdrs, web
from opentelemetry.context import Context, attach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.semconv.attributes.client_attributes import CLIENT_ADDRESS
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_REQUEST_RESEND_COUNT,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.semconv.attributes.service_attributes import SERVICE_NAME, SERVICE_VERSION
from opentelemetry.semconv.attributes.url_attributes import URL_FULL, URL_PATH, URL_SCHEME
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue
from yarl import URL

from service import __version__
from service.context import CALLER, IS_RENEWAL, ROUTE, TRACE, UNMATCHED
from service.http.aiohttp_internals import EncodedResponse
from service.http.client_address import ClientAddresses
from service.http.handler import Respond
from service.http.labels import X_REQUEST_ID
from service.http.pipeline import LONGEST_PATH
from service.http.problems import CODE
from service.http.trace_context import place_in_trace
from service.upstream.session import SessionRequest

log = logging.getLogger("service")

NAME = "experiment-tracking"  # where OTEL_SERVICE_NAME does not give another
_OWN = "experiment_tracking."  # before attributes that no convention has
_FLUSH_SECONDS = 3.0  # that the collector has for the last spans
_w3c = TraceContextTextMapPropagator()


class Tracing:
    """Makes spans, and sends them from a thread of its own. Use as an async context manager.

    ValueError where a variable of OpenTelemetry's has a value that its SDK refuses.
    """

    def __init__(self) -> None:
        named = {SERVICE_NAME: NAME, SERVICE_VERSION: __version__}
        resource = Resource.create({**named, **OTELResourceDetector().detect().attributes})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(NAME, __version__)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        # A thread that nobody waits for in the end: the SDK tries for half a minute, whatever it is told.
        flushing = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        flushing.start()
        await asyncio.to_thread(flushing.join, _FLUSH_SECONDS)
        if flushing.is_alive():
            log.warning("the last spans are lost: the collector did not take them in time")

    def requests(self, addresses: ClientAddresses, untraced: Collection[str]) -> RequestSpans:
        """Spans around requests, but not around those for the untraced paths."""
        return RequestSpans(self._tracer, addresses, untraced)

    def calls(self, base: str) -> CallSpans:
        """Spans around the requests to the MLflow at this address."""
        return CallSpans(self._tracer, base)


class RequestSpans:
    """The stage that makes a span for each request, a child of the caller's where it has one.

    It stands around the request pipeline, so that it sees each answer, errors included. While the request is
    handled, the place in the trace is the span's: the log and MLflow get that. untraced: paths without spans.
    """

    def __init__(self, tracer: Tracer, addresses: ClientAddresses, untraced: Collection[str]) -> None:
        self._tracer = tracer
        self._addresses = addresses
        self._untraced = frozenset(untraced)

    def wrap(self, respond: Respond) -> Respond:
        """The same with a span around it."""

        async def traced(request: web.BaseRequest) -> web.StreamResponse:
            if request.path in self._untraced:
                return await respond(request)
            span = self._start(request)
            here = set_span_in_context(span, Context())
            TRACE.set(_injected(here))
            attach(here)  # for the calls made on the way; each request has a context of its own
            response = None  # for a caller who hangs up
            try:
                response = await respond(request)
            finally:
                if span.is_recording():
                    _tell(span, request, response)
                span.end()
            return response

        return traced

    def _start(self, request: web.BaseRequest) -> Span:
        method = request.method if request.method in hdrs.METH_ALL else "_OTHER"
        attributes: dict[str, AttributeValue] = {
            HTTP_REQUEST_METHOD: method,
            URL_PATH: request.rel_url.raw_path[:LONGEST_PATH],
            URL_SCHEME: request.scheme,
            CLIENT_ADDRESS: self._addresses.of(request),
        }
        place = _w3c.extract(place_in_trace(request.headers) or {}, Context())
        return self._tracer.start_span(_verb(method), place, SpanKind.SERVER, attributes)


class CallSpans:
    """Makes a span for each attempt to call MLflow, a child of the span of the request that it is made for.

    A renewal is made for no request, and its span has no parent.
    """

    def __init__(self, tracer: Tracer, base: str) -> None:
        self._tracer = tracer
        self._base = URL(base.rstrip("/") + "/")

    def __call__(self, send: SessionRequest) -> SessionRequest:
        """The same function, with a span from the request to the end of the answer; MLflow learns of it."""

        @asynccontextmanager
        async def traced(
            method: str,
            path: str,
            *,
            headers: Mapping[str, str] | None,
            trace_request_ctx: int,
            **request: Any,
        ) -> AsyncIterator[aiohttp.ClientResponse]:
            span = self._start(method, path, trace_request_ctx, request.get("params"))
            traced_headers = {**(headers or {}), **_injected(set_span_in_context(span))}
            try:
                async with send(method, path, headers=traced_headers, **request) as response:
                    _note_status(span, response.status)
                    yield response
            except BaseException as error:
                span.set_attribute(ERROR_TYPE, type(error).__qualname__)
                span.set_status(StatusCode.ERROR)
                raise
            finally:
                span.end()

        return traced

    def _start(self, method: str, path: str, attempt: int, params: Mapping[str, str] | None) -> Span:
        url = self._base.join(URL(path))
        attributes: dict[str, AttributeValue] = {
            HTTP_REQUEST_METHOD: method,
            URL_FULL: str(url.update_query(params)),
            "url.template": f"/{path}",
            SERVER_ADDRESS: url.host or "",
            SERVER_PORT: url.port or 0,
        }
        if attempt > 1:
            attributes[HTTP_REQUEST_RESEND_COUNT] = attempt - 1
        if IS_RENEWAL.get():
            attributes[_OWN + "renewal"] = True
        return self._tracer.start_span(f"{method} /{path}", kind=SpanKind.CLIENT, attributes=attributes)


def _tell(span: Span, request: web.BaseRequest, response: web.StreamResponse | None) -> None:
    """What is known once a request is answered: the same as in its line of the log."""
    attributes: dict[str, AttributeValue] = {}
    if (route := ROUTE.get()) != UNMATCHED:
        span.update_name(f"{_verb(request.method)} {route}")
        attributes[HTTP_ROUTE] = route
    if (caller := CALLER.get()) is not None:
        attributes[_OWN + "caller"] = caller
    if response is not None:
        attributes[HTTP_RESPONSE_STATUS_CODE] = response.status
        attributes[_OWN + "request_id"] = response.headers[X_REQUEST_ID]
        if isinstance(response, EncodedResponse):
            attributes[_OWN + "cache"] = response.cache
            attributes[_OWN + "upstream_ms"] = round(response.waited * 1_000, 3)
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            attributes[ERROR_TYPE] = response.get(CODE) or str(response.status)
            span.set_status(StatusCode.ERROR)
    span.set_attributes(attributes)


def _note_status(span: Span, status: int) -> None:
    span.set_attribute(HTTP_RESPONSE_STATUS_CODE, status)
    if (
        status >= HTTPStatus.BAD_REQUEST and status != HTTPStatus.NOT_FOUND
    ):  # which MLflow answers for a run that does not exist
        span.set_attribute(ERROR_TYPE, str(status))
        span.set_status(StatusCode.ERROR)


def _injected(place: Context) -> dict[str, str]:
    headers: dict[str, str] = {}
    _w3c.inject(headers, place)
    return headers


def _verb(method: str) -> str:
    return method if method in hdrs.METH_ALL else "HTTP"
