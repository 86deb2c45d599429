"""The environment of the local MLflow: which variables it gets, and which are withheld."""

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
    """Variables of MLflow that name another store, server or client are withheld, and each is named."""
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
def test_variables_of_other_programs_are_withheld(name: str) -> None:
    """Internal variables, the service's, those of libraries and proxies are withheld without being named."""
    assert name not in environment({name: "x"})
    assert [] == withheld([name])


def test_sets_its_own_variables() -> None:
    """The local MLflow has no telemetry, no job workers, no proxy and no modules from its working folder."""
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


def test_a_file_store_is_allowed_explicitly() -> None:
    """MLflow 3 gets the variable without which it does not serve a file store."""
    assert "true" == environment({}, is_file_store=True)["MLFLOW_ALLOW_FILE_STORE"]
    assert "MLFLOW_ALLOW_FILE_STORE" not in environment({})


def test_variables_that_it_gets_are_not_named() -> None:
    """Variables that the local MLflow gets, or that are set anyway, are not named as withheld."""
    assert [] == withheld(["MLFLOW_LOGGING_LEVEL", "MLFLOW_DISABLE_TELEMETRY", "PATH"])
