"""What OpenTelemetry's variables ask for, as a cluster sets them for all that runs in it."""

from collections.abc import Mapping

import pytest

from service.settings.traces import trace_export

ENDPOINT, FOR_TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
PROTOCOL, OF_TRACES = "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
EXPORTER, DISABLED = "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"
NO_ADDRESS = "must be http://… or https://…; no traces are sent"
COLLECTOR = {ENDPOINT: "http://collector:4318"}


@pytest.mark.parametrize(
    ("given", "wanted"),
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
def test_what_is_spoken(given: Mapping[str, str], wanted: str) -> None:
    """Traces are wanted or not, as OpenTelemetry's specification has it, and there is nothing to say."""
    assert (wanted, ()) == trace_export(given)


@pytest.mark.parametrize(
    ("given", "wanted", "said"),
    [
        (
            COLLECTOR | {PROTOCOL: "grpc"},
            "",
            f"{PROTOCOL}: only http/protobuf is spoken here, not 'grpc'; no",
        ),
        (COLLECTOR | {OF_TRACES: "http/json"}, "", f"{OF_TRACES}: only http/protobuf is spoken here, not"),
        ({EXPORTER: "otlp", PROTOCOL: "grpc"}, "", f"{PROTOCOL}: only http/protobuf"),
        (
            COLLECTOR | {EXPORTER: "zipkin"},
            "",
            f"{EXPORTER}: only otlp and, alone, none are spoken here, not 'zip",
        ),
        (COLLECTOR | {EXPORTER: "console,jaeger"}, "", "not 'console', 'jaeger'; no traces are sent"),
        (COLLECTOR | {EXPORTER: "console,otlp"}, EXPORTER, "not 'console'; traces are sent by otlp"),
        (COLLECTOR | {EXPORTER: "none,otlp"}, EXPORTER, "not 'none'; traces are sent by otlp"),
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
        ({ENDPOINT: "http://collector:4317"}, ENDPOINT, f"{ENDPOINT}: 4317 is gRPC's port as a rule"),
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
        ({"OTEL_LOGS_EXPORTER": "otlp,console"}, "", "OTEL_LOGS_EXPORTER: the log is not sent"),
        (
            COLLECTOR | {"OTEL_PROPAGATORS": "b3"},
            ENDPOINT,
            "OTEL_PROPAGATORS: a caller's place in",
        ),
    ],
)
def test_what_is_not_spoken(given: Mapping[str, str], wanted: str, said: str) -> None:
    """It is one warning that names the variable and says what comes of it, and never an error."""
    export = trace_export(given)
    [warning] = export.warnings
    assert (wanted, True) == (export.wanted, said in warning), warning


def test_an_endpoint_is_not_repeated() -> None:
    """An address may hold a password."""
    export = trace_export({ENDPOINT: "user:s3cret@collector:4318"})
    assert "s3cret" not in "".join(export.warnings)
