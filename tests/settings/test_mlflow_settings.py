"""MLflow's own settings: which of them exclude each other."""

import pytest

from service.settings.load import SettingsError, load_settings


def test_rejects_a_token_beside_a_token_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLFLOW_TRACKING_TOKEN and MLFLOW_TRACKING_TOKEN_FILE exclude each other; the error names both."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "s3cret")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN_FILE", "/x")
    with pytest.raises(SettingsError, match="MLFLOW_TRACKING_TOKEN and MLFLOW_TRACKING_TOKEN_FILE"):
        load_settings()


def test_rejects_a_ca_bundle_beside_insecure_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CA bundle beside MLFLOW_TRACKING_INSECURE_TLS is an error that names both, as in MLflow's client."""
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "/x")
    with pytest.raises(
        SettingsError, match=r"MLFLOW_TRACKING_INSECURE_TLS.*MLFLOW_TRACKING_SERVER_CERT_PATH"
    ):
        load_settings()
