"""What MLflow's other variables mean to this service."""

import pytest

from service.settings.load import variables
from service.upstream.environment import misspelt, replaced, unsupported, without_use, wrong_experiment

KNOWN = [name for name, _, _ in variables() if name.startswith("MLFLOW_")]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"MLFLOW_TRACKING_AWS_SIGV4": "true"}, "aws-sigv4-proxy"),
        ({"MLFLOW_TRACKING_AWS_SIGV4": "1"}, "MLFLOW_TRACKING_URI"),
        ({"MLFLOW_TRACKING_AUTH": "my-plugin"}, "MLFLOW_TRACKING_TOKEN_FILE"),
        ({"MLFLOW_TRACKING_AUTH": "kubernetes"}, "kubernetes.io/serviceaccount/token, which does the same"),
        ({"MLFLOW_TRACKING_AUTH": "kubernetes-namespaced"}, "MLFLOW_WORKSPACE to the namespace"),
    ],
)
def test_names_what_is_not_supported(environment: dict[str, str], words: str) -> None:
    """A variable that cannot work is an error that names it and says what to do instead."""
    [warning] = unsupported(environment)
    assert warning.startswith(next(iter(environment)) + ": ")
    assert words in warning


@pytest.mark.parametrize(
    "environment", [{}, {"MLFLOW_TRACKING_AWS_SIGV4": "false"}, {"MLFLOW_TRACKING_AUTH": ""}]
)
def test_accepts_unsupported_features_that_are_off(environment: dict[str, str]) -> None:
    """A variable that switches an unsupported feature off is no error."""
    assert [] == list(unsupported(environment))


@pytest.mark.parametrize(
    ("identifier", "name", "is_wrong"),
    [("5", "Default", True), ("5", "alpha", False), ("0", "Default", False), ("", "Default", False)],
)
def test_refuses_an_experiment_id_without_a_name(identifier: str, name: str, *, is_wrong: bool) -> None:
    """An id without a name is an error: the service would list the runs of another experiment."""
    assert is_wrong is bool(list(wrong_experiment({"MLFLOW_EXPERIMENT_ID": identifier}, name)))


@pytest.mark.parametrize(
    ("name", "value", "instead"),
    [
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "300", "TRACKING_UPSTREAM__READ_TIMEOUT"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "7", "TRACKING_UPSTREAM__ATTEMPTS"),
        ("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "2", "TRACKING_UPSTREAM__ATTEMPTS"),
        ("MLFLOW_HTTP_POOL_MAXSIZE", "20", "TRACKING_UPSTREAM__MAX_IN_FLIGHT"),
        ("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", "false", "always respected"),
        ("MLFLOW_ALLOW_HTTP_REDIRECTS", "true", "never followed"),
        ("MLFLOW_LOGGING_LEVEL", "DEBUG", "TRACKING_LOG_LEVEL"),
    ],
)
def test_names_the_setting_that_replaces_a_variable(name: str, value: str, instead: str) -> None:
    """A variable for which the service has a setting is one warning, which names the setting."""
    [warning] = replaced({name: value}, "mlflow", has_credentials=True)
    assert warning.startswith(f"{name} is not read: ")
    assert instead in warning
    assert [] == without_use({name: value}, KNOWN)
    assert [] == list(misspelt({name: value}, KNOWN))


@pytest.mark.parametrize(
    ("name", "value"),
    [("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", "true"), ("MLFLOW_ALLOW_HTTP_REDIRECTS", "false")],
)
def test_accepts_variables_that_change_nothing(name: str, value: str) -> None:
    """A variable that asks for what the service does anyway is no warning."""
    assert [] == list(replaced({name: value}, "mlflow", has_credentials=True))


def test_warns_of_databricks_credentials() -> None:
    """Databricks' own credentials are a warning where its address has no others."""
    environment = {"DATABRICKS_TOKEN": "s3cret"}
    [warning] = replaced(environment, "dbc-1.cloud.databricks.com", has_credentials=False)
    assert "MLFLOW_TRACKING_TOKEN" in warning
    assert "s3cret" not in warning
    assert [] == list(replaced(environment, "dbc-1.cloud.databricks.com", has_credentials=True))
    assert [] == list(replaced(environment, "mlflow.example.com", has_credentials=False))


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("MLFLOW_TRACKING_URL", "MLFLOW_TRACKING_URI"),
        ("MLFLOW_TRACKING_USER", "MLFLOW_TRACKING_USERNAME"),
        ("MLFLOW_TRACKING_PASSWD", "MLFLOW_TRACKING_PASSWORD"),
        ("MLFLOW_TRACKING_TOKN", "MLFLOW_TRACKING_TOKEN"),
        ("MLFLOW_WORKSPACES", "MLFLOW_WORKSPACE"),
    ],
)
def test_suggests_the_right_name(name: str, suggestion: str) -> None:
    """A variable with a misspelt name is a warning that names the right one."""
    assert [f"{name} is not read: did you mean {suggestion}?"] == list(misspelt({name: "x"}, KNOWN))
    assert [] == without_use({name: "x"}, KNOWN)


def test_lists_variables_without_effect() -> None:
    """Variables of MLflow's server, models and traces are listed; those that are read or empty are not."""
    environment = {
        "MLFLOW_S3_ENDPOINT_URL": "http://minio",
        "MLFLOW_RUN_ID": "abc",
        "MLFLOW_REGISTRY_URI": "http://h",
        "MLFLOW_TRACKING_DIR": "x",
        "MLFLOW_TRACKING_URI": "http://h",
        "mlflow_workspace": "quant",
        "MLFLOW_ENABLE_DB_SDK": "",
        "PATH": "/bin",
    }
    assert [
        "MLFLOW_REGISTRY_URI",
        "MLFLOW_RUN_ID",
        "MLFLOW_S3_ENDPOINT_URL",
        "MLFLOW_TRACKING_DIR",
    ] == without_use(environment, KNOWN)
    assert [] == list(misspelt(environment, KNOWN))
