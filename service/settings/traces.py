"""What OpenTelemetry's variables ask of this service, which sends only traces, and only by OTLP over HTTP.

OpenTelemetry's SDK reads the variables that this module does not. They are often set for a whole cluster and
meant for other programs, so none of them stops the service: a value that is not supported causes a warning.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from yarl import URL

from service.errors import shorten

_DISABLED = "OTEL_SDK_DISABLED"
_EXPORTER = "OTEL_TRACES_EXPORTER"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROPAGATORS = "OTEL_PROPAGATORS"
_OTHER_SIGNALS = {
    "OTEL_METRICS_EXPORTER": "metrics are not sent; Prometheus can read them at /metrics",
    "OTEL_LOGS_EXPORTER": "log lines are not sent; they are written to standard error",
}
_SUPPORTED = {
    "otlp",
    "otlp_proto_http",
}  # the second is the name of OTLP over HTTP in OpenTelemetry's Python SDK
_HTTP = "http/protobuf"
_GRPC_PORT = 4317
_NONE_SENT = "no traces are sent"

Warn = Callable[[str], object]


class TraceExport(NamedTuple):
    """Whether traces are sent.

    variable: the one that asks for them, "" if no traces are sent. warnings: a sentence for each request that
    is not fulfilled.
    """

    variable: str
    warnings: tuple[str, ...]


def trace_export(environment: Mapping[str, str]) -> TraceExport:
    """Return what these variables ask for. An empty one counts as not set, as in OpenTelemetry's rules."""
    variables = {name: value.strip() for name, value in environment.items() if value.strip()}
    warnings: list[str] = []
    return TraceExport(_requesting_variable(variables, warnings.append), tuple(warnings))


def _requesting_variable(variables: Mapping[str, str], warn: Warn) -> str:
    disabled = variables.get(_DISABLED, "false").lower()
    if disabled == "true":
        return ""
    if disabled != "false":
        warn(f"{_DISABLED}: {shorten(disabled)} is neither true nor false; it counts as false")
    _warn_of_other_signals(variables, warn)
    exporters = _split(variables.get(_EXPORTER, ""))
    endpoint = _first(variables, _ENDPOINTS)
    requesting = _EXPORTER if exporters else endpoint
    if not requesting or exporters == ["none"]:
        return ""
    if exporters and not _is_any_supported(exporters, warn):
        return ""
    return requesting if _can_be_sent(variables, endpoint, warn) else ""


def _is_any_supported(exporters: Sequence[str], warn: Warn) -> bool:
    others = [name for name in exporters if name not in _SUPPORTED]
    is_any_supported = len(others) < len(exporters)
    if others:
        names = ", ".join(map(shorten, others))
        effect = "traces are sent with otlp" if is_any_supported else _NONE_SENT
        warn(f"{_EXPORTER}: only otlp, or none alone, is supported here, not {names}; {effect}")
    return is_any_supported


def _can_be_sent(variables: Mapping[str, str], endpoint: str, warn: Warn) -> bool:
    """Tell whether endpoint and protocol are supported. No warning repeats the endpoint: it may be secret."""
    protocol = _first(variables, _PROTOCOLS)
    if protocol and variables[protocol] != _HTTP:
        warn(f"{protocol}: only {_HTTP} is supported here, not {shorten(variables[protocol])}; {_NONE_SENT}")
        return False
    port = _port(variables[endpoint]) if endpoint else 0
    if port is None:
        warn(f"{endpoint}: must be http://… or https://…; {_NONE_SENT}")
        return False
    if port == _GRPC_PORT and not protocol:
        warn(f"{endpoint}: {port} is usually the port of gRPC; traces are sent over HTTP, whose port is 4318")
    return True


def _port(address: str) -> int | None:
    """Return the port of an address that OTLP over HTTP can be sent to; None if it is not such an address."""
    try:
        url = URL(address)
    except ValueError:
        return None
    return url.port if url.scheme in {"http", "https"} and url.host else None


def _warn_of_other_signals(variables: Mapping[str, str], warn: Warn) -> None:
    for name, effect in _OTHER_SIGNALS.items():
        if set(_split(variables.get(name, "none"))) != {"none"}:
            warn(f"{name}: {effect}")
    propagators = _split(variables.get(_PROPAGATORS, "tracecontext"))
    if "tracecontext" not in propagators:
        warn(f"{_PROPAGATORS}: only tracecontext (W3C) is read from requests and sent to MLflow")


def _first(variables: Mapping[str, str], names: Sequence[str]) -> str:
    return next((name for name in names if name in variables), "")


def _split(text: str) -> list[str]:
    return [name for part in text.lower().split(",") if (name := part.strip())]
