"""What OpenTelemetry's variables ask of this service, which sends traces alone, by OTLP over HTTP.

The rest of them its SDK reads. They are often set for a whole cluster and meant for others, so that none ends
the service: what is not spoken here is a warning.
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
    "OTEL_METRICS_EXPORTER": "metrics are not sent, but at /metrics for Prometheus",
    "OTEL_LOGS_EXPORTER": "the log is not sent, but on standard error",
}
_SPOKEN = {"otlp", "otlp_proto_http"}  # the second is how Python's SDK calls what is spoken here
_HTTP = "http/protobuf"
_GRPC_PORT = 4317
_NONE_SENT = "no traces are sent"

Warn = Callable[[str], object]


class TraceExport(NamedTuple):
    """wanted: the variable that asks for traces, "" for none. warnings: what is asked for and not done."""

    wanted: str
    warnings: tuple[str, ...]


def trace_export(environment: Mapping[str, str]) -> TraceExport:
    """What these variables ask for. An empty one counts as not set, as OpenTelemetry has it."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    warnings: list[str] = []
    return TraceExport(_wanted(given, warnings.append), tuple(warnings))


def _wanted(given: Mapping[str, str], warn: Warn) -> str:
    disabled = given.get(_DISABLED, "false").lower()
    if disabled == "true":
        return ""
    if disabled != "false":
        warn(f"{_DISABLED}: {shorten(disabled)} is neither true nor false, and so false")
    _warn_of_others(given, warn)
    exporters = _listed(given.get(_EXPORTER, ""))
    endpoint = _first(given, _ENDPOINTS)
    asking = _EXPORTER if exporters else endpoint
    if not asking or exporters == ["none"]:
        return ""
    if exporters and not _speaks_one(exporters, warn):
        return ""
    return asking if _can_be_sent(given, endpoint, warn) else ""


def _speaks_one(exporters: Sequence[str], warn: Warn) -> bool:
    strange = [name for name in exporters if name not in _SPOKEN]
    is_spoken = len(strange) < len(exporters)
    if strange:
        names = ", ".join(map(shorten, strange))
        effect = "traces are sent by otlp" if is_spoken else _NONE_SENT
        warn(f"{_EXPORTER}: only otlp and, alone, none are spoken here, not {names}; {effect}")
    return is_spoken


def _can_be_sent(given: Mapping[str, str], endpoint: str, warn: Warn) -> bool:
    """Whether the endpoint and the protocol are what is spoken here. An endpoint's text may be a secret."""
    protocol = _first(given, _PROTOCOLS)
    if protocol and given[protocol] != _HTTP:
        warn(f"{protocol}: only {_HTTP} is spoken here, not {shorten(given[protocol])}; {_NONE_SENT}")
        return False
    port = _port(given[endpoint]) if endpoint else 0
    if port is None:
        warn(f"{endpoint}: must be http://… or https://…; {_NONE_SENT}")
        return False
    if port == _GRPC_PORT and not protocol:
        warn(f"{endpoint}: {port} is gRPC's port as a rule; OTLP over HTTP, which is spoken here, has 4318")
    return True


def _port(address: str) -> int | None:
    """The port of an address that OTLP over HTTP can be sent to; None where it is none."""
    try:
        url = URL(address)
    except ValueError:
        return None
    return url.port if url.scheme in {"http", "https"} and url.host else None


def _warn_of_others(given: Mapping[str, str], warn: Warn) -> None:
    for name, instead in _OTHER_SIGNALS.items():
        if set(_listed(given.get(name, "none"))) != {"none"}:
            warn(f"{name}: {instead}")
    propagators = _listed(given.get(_PROPAGATORS, "tracecontext"))
    if "tracecontext" not in propagators:
        warn(f"{_PROPAGATORS}: a caller's place in a trace is read and passed on as tracecontext (W3C) only")


def _first(given: Mapping[str, str], names: Sequence[str]) -> str:
    return next((name for name in names if name in given), "")


def _listed(text: str) -> list[str]:
    return [name for part in text.lower().split(",") if (name := part.strip())]
