"""What the local MLflow is told, and what is kept from it."""

import pytest

from service.local.environment import environment, withheld


@pytest.mark.parametrize(
    "name",
    [
        "MLFLOW_TRACKING_URI",
        "MLFLOW_TRACKING_TOKEN",
        "MLFLOW_TRACKING_PASSWORD",
        "MLFLOW_READ_REPLICA_BACKEND_STORE_URI",
        "MLFLOW_STATIC_PREFIX",
        "MLFLOW_SERVER_ALLOWED_HOSTS",
        "MLFLOW_ARTIFACTS_ONLY",
        "MLFLOW_ENABLE_WORKSPACES",
        "MLFLOW_DEFAULT_ARTIFACT_ROOT",
        "MLFLOW_GUNICORN_OPTS",
        "MLFLOW_NOT_YET_INVENTED",
    ],
)
def test_mlflows_variables_are_withheld_and_named(name: str) -> None:
    """None that means another store, server or client reaches the local MLflow, and each is told of."""
    given = {name: "x", "PATH": "/bin", "HOME": "/home/me"}
    made = environment(given)
    assert name not in made
    assert ("/bin", "/home/me") == (made["PATH"], made["HOME"])
    assert [name] == withheld(given)


@pytest.mark.parametrize(
    "name",
    [
        "_MLFLOW_SERVER_FILE_STORE",
        "_MLFLOW_STATIC_PREFIX",
        "UVICORN_UDS",
        "UVICORN_ROOT_PATH",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "FLASK_DEBUG",
        "DATABRICKS_RUNTIME_VERSION",
        "TRACKING_AUTH__API_KEYS",
        "HTTP_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "ftp_proxy",
    ],
)
def test_what_would_break_it_is_withheld(name: str) -> None:
    """Internal variables, those of libraries, the service's own and proxies do not reach it, unremarked."""
    assert name not in environment({name: "x"})
    assert [] == withheld([name])


def test_what_it_gets() -> None:
    """No telemetry, no job workers, no proxy for loopback, no modules from its working directory."""
    made = environment({"no_proxy": "example.com", "MLFLOW_LOGGING_LEVEL": "DEBUG"})
    expected = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "DEBUG",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "NO_PROXY": "*",
        "PYTHONSAFEPATH": "1",
        "no_proxy": "*",
    }
    assert expected == made


def test_the_file_store_is_allowed_where_it_is_meant() -> None:
    """MLflow 3 serves an mlruns folder only where it is told that it may."""
    assert "true" == environment({}, is_file_store=True)["MLFLOW_ALLOW_FILE_STORE"]
    assert "MLFLOW_ALLOW_FILE_STORE" not in environment({})


def test_what_is_meant_for_it_is_not_told_of() -> None:
    """What it gets, or gets anyway, needs no remark."""
    assert [] == withheld(["MLFLOW_LOGGING_LEVEL", "MLFLOW_DISABLE_TELEMETRY", "PATH"])
