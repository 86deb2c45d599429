"""OpenTelemetry's variables, often set for a whole cluster, decide whether traces are sent."""

from collections.abc import Mapping

import pytest

from service.settings.traces import trace_export

ENDPOINT, FOR_TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
PROTOCOL, OF_TRACES = "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
EXPORTER, DISABLED = "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"
NO_ADDRESS = "must be http://… or https://…; no traces are sent"
COLLECTOR = {ENDPOINT: "http://collector:4318"}


@pytest.mark.parametrize(
    ("variables", "requesting"),
    [
        ({}, ""),
        (COLLECTOR, ENDPOINT),
        ({FOR_TRACES: "https://collector/v1/traces"}, FOR_TRACES),
        ({ENDPOINT: "  "}, ""),
        (COLLECTOR | {EXPORTER: "otlp"}, EXPORTER),
        ({EXPORTER: "otlp"}, EXPORTER),  # to localhost:4318, by the specification
        (COLLECTOR | {EXPORTER: "OTLP"}, EXPORTER),
        (COLLECTOR | {EXPORTER: "otlp_proto_http"}, EXPORTER),
        (COLLECTOR | {EXPORTER: ""}, ENDPOINT),
        (COLLECTOR | {EXPORTER: "none"}, ""),
        (COLLECTOR | {EXPORTER: " None "}, ""),
        (COLLECTOR | {PROTOCOL: "http/protobuf"}, ENDPOINT),
        (COLLECTOR | {PROTOCOL: "grpc", OF_TRACES: "http/protobuf"}, ENDPOINT),
        ({ENDPOINT: "http://collector:4317", PROTOCOL: "http/protobuf"}, ENDPOINT),
        (COLLECTOR | {DISABLED: "true"}, ""),
        (COLLECTOR | {DISABLED: "TRUE", EXPORTER: "zipkin", PROTOCOL: "grpc"}, ""),
        (COLLECTOR | {DISABLED: "False"}, ENDPOINT),
        (COLLECTOR | {"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}, ENDPOINT),
        (COLLECTOR | {"OTEL_PROPAGATORS": "tracecontext,baggage,b3"}, ENDPOINT),
    ],
)
def test_supported_values_cause_no_warning(variables: Mapping[str, str], requesting: str) -> None:
    """Supported values turn traces on or off, as OpenTelemetry's specification says, without a warning."""
    assert (requesting, ()) == trace_export(variables)


@pytest.mark.parametrize(
    ("variables", "requesting", "message"),
    [
        (
            COLLECTOR | {PROTOCOL: "grpc"},
            "",
            f"{PROTOCOL}: only http/protobuf is supported here, not 'grpc'; no",
        ),
        (COLLECTOR | {OF_TRACES: "http/json"}, "", f"{OF_TRACES}: only http/protobuf is supported here"),
        ({EXPORTER: "otlp", PROTOCOL: "grpc"}, "", f"{PROTOCOL}: only http/protobuf"),
        (
            COLLECTOR | {EXPORTER: "zipkin"},
            "",
            f"{EXPORTER}: only otlp, or none alone, is supported here, not 'zip",
        ),
        (COLLECTOR | {EXPORTER: "console,jaeger"}, "", "not 'console', 'jaeger'; no traces are sent"),
        (COLLECTOR | {EXPORTER: "console,otlp"}, EXPORTER, "not 'console'; traces are sent with otlp"),
        (COLLECTOR | {EXPORTER: "none,otlp"}, EXPORTER, "not 'none'; traces are sent with otlp"),
        (COLLECTOR | {EXPORTER: "otlp_proto_grpc"}, "", "not 'otlp_proto_grpc'; no traces are sent"),
        ({ENDPOINT: "collector:4318"}, "", f"{ENDPOINT}: {NO_ADDRESS}"),
        (COLLECTOR | {FOR_TRACES: "grpc://c"}, "", f"{FOR_TRACES}: {NO_ADDRESS}"),
        ({ENDPOINT: "http://"}, "", f"{ENDPOINT}: {NO_ADDRESS}"),
        (
            {ENDPOINT: "http://h:99999999"},
            "",
            f"{ENDPOINT}: {NO_ADDRESS}",
        ),
        ({ENDPOINT: "unix:///run/otel.sock"}, "", f"{ENDPOINT}: {NO_ADDRESS}"),
        ({ENDPOINT: "http://collector:4317"}, ENDPOINT, f"{ENDPOINT}: 4317 is usually the port of gRPC"),
        (
            COLLECTOR | {DISABLED: "yes"},
            ENDPOINT,
            f"{DISABLED}: 'yes' is neither true nor false",
        ),
        (
            COLLECTOR | {"OTEL_METRICS_EXPORTER": "otlp"},
            ENDPOINT,
            "METRICS_EXPORTER: metrics are not sent",
        ),
        ({"OTEL_LOGS_EXPORTER": "otlp,console"}, "", "OTEL_LOGS_EXPORTER: log lines are not sent"),
        (
            COLLECTOR | {"OTEL_PROPAGATORS": "b3"},
            ENDPOINT,
            "OTEL_PROPAGATORS: only tracecontext (W3C) is",
        ),
    ],
)
def test_unsupported_values_cause_a_warning(
    variables: Mapping[str, str], requesting: str, message: str
) -> None:
    """An unsupported value causes one warning, which names the variable and the effect, and no error."""
    export = trace_export(variables)
    [warning] = export.warnings
    assert (requesting, True) == (export.variable, message in warning), warning


def test_warnings_do_not_repeat_an_endpoint() -> None:
    """A warning about an endpoint does not repeat its text, which may hold a password."""
    export = trace_export({ENDPOINT: "user:s3cret@collector:4318"})
    assert "s3cret" not in "".join(export.warnings)
