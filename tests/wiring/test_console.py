"""Where browsers find MLflow's own page."""

import pytest

from service.settings.console import ConsoleSettings
from service.wiring.console import mlflow_page
from tests.api.serving import make_settings

LOCAL = "http://127.0.0.1:5000"
ANYWHERE = {"host": "192.0.2.1", "allow_anonymous": True}


def test_the_setting_decides() -> None:
    """What the setting says is the address, wherever the service finds MLflow."""
    settings = make_settings(console=ConsoleSettings(mlflow_url="https://mlflow.example.com/"))
    assert "https://mlflow.example.com" == mlflow_page(settings, LOCAL)


@pytest.mark.parametrize(
    ("found_at", "expected"),
    [
        ("https://mlflow.example.com", "https://mlflow.example.com"),
        ("https://research.example.com/mlflow/", "https://research.example.com/mlflow"),
        ("https://mlflow.example.com/?a=b", ""),
        ("http://mlflow:5000", ""),
        ("http://10.0.0.7:5000", ""),
        (LOCAL, ""),
        ("https://localhost:5000", ""),
    ],
)
def test_a_service_that_others_reach(found_at: str, expected: str) -> None:
    """Browsers elsewhere find MLflow at https://…; what only this machine or its network knows is no link."""
    assert expected == mlflow_page(make_settings(**ANYWHERE), found_at)


@pytest.mark.parametrize("found_at", [LOCAL, "http://localhost:5000", "http://[::1]:5000"])
def test_both_on_this_machine(found_at: str) -> None:
    """Where only this machine reaches the service, its browser reaches MLflow there, too."""
    assert found_at == mlflow_page(make_settings(), found_at)
    assert "" == mlflow_page(make_settings(), "http://mlflow:5000")


def test_behind_a_proxy_on_this_machine() -> None:
    """A proxy in front brings browsers from elsewhere."""
    assert "" == mlflow_page(make_settings(trusted_proxies="127.0.0.0/8"), LOCAL)
