"""MLflow's own settings: which of them exclude each other."""

import pytest

from service.settings.load import SettingsError, load_settings


def test_a_token_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token and a file of it exclude each other: nobody could tell which counts."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "s3cret")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN_FILE", "/x")
    with pytest.raises(SettingsError, match="MLFLOW_TRACKING_TOKEN and MLFLOW_TRACKING_TOKEN_FILE"):
        load_settings()


def test_two_settings_that_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with MLflow's own client, not verifying and verifying with a bundle is an error that names both."""
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "/x")
    with pytest.raises(
        SettingsError, match=r"MLFLOW_TRACKING_INSECURE_TLS.*MLFLOW_TRACKING_SERVER_CERT_PATH"
    ):
        load_settings()
