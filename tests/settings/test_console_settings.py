"""The settings of the console."""

import pytest

from service.settings.load import Settings, SettingsError, load_settings

NAME = "TRACKING_CONSOLE__MLFLOW_URL"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", ""),
        ("https://mlflow.example.com", "https://mlflow.example.com"),
        ("https://research.example.com/mlflow/", "https://research.example.com/mlflow"),
        ("http://mlflow:5000", "http://mlflow:5000"),
        ("http://[::1]:5000/", "http://[::1]:5000"),
    ],
)
def test_an_address_for_browsers(monkeypatch: pytest.MonkeyPatch, written: str, expected: str) -> None:
    """An address is kept without the slash at its end."""
    monkeypatch.setenv(NAME, written)
    assert expected == load_settings().console.mlflow_url


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("mlflow.example.com", "must be http"),
        ("ftp://mlflow.example.com", "must be http"),
        ("javascript:alert(1)", "must be http"),
        ("https://", "has no host"),
        ("https://ada:secret@mlflow.example.com", "user and password"),
        ("https://mlflow.example.com/#/experiments/1", "leave out"),
        ("https://mlflow.example.com/?workspace=quant", "leave out"),
        ("https://mlflow.example.com:port", "is not an address"),
    ],
)
def test_what_is_no_address_for_browsers(monkeypatch: pytest.MonkeyPatch, written: str, why: str) -> None:
    """Anything else stops the start with a line that names the setting, and repeats no password."""
    monkeypatch.setenv(NAME, written)
    with pytest.raises(SettingsError, match=why) as caught:
        load_settings()
    assert str(caught.value).startswith(NAME)
    assert "secret" not in str(caught.value)


def test_the_console_is_served_unless_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default the console is served."""
    assert Settings().console.enabled
    monkeypatch.setenv("TRACKING_CONSOLE__ENABLED", "false")
    assert not Settings().console.enabled
