"""Quotes, spaces and control characters that files of variables and shells leave in values."""

import pytest

from service.settings.load import Settings, SettingsError, load_settings


class TestStrayCharacters:
    @pytest.mark.parametrize(
        "name",
        [
            "MLFLOW_TRACKING_URI",
            "MLFLOW_EXPERIMENT_NAME",
            "MLFLOW_TRACKING_USERNAME",
            "MLFLOW_TRACKING_TOKEN",
            "MLFLOW_WORKSPACE",
            "TRACKING_HOST",
            "TRACKING_AUTH__ISSUER",
            "TRACKING_CACHE__LIST_TTL",
        ],
    )
    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ('"1"', "quotes"),
            ("'1'", "quotes"),
            ("1\r", "line end"),
            ("1\n", "line end"),
            (" 1", "space"),
            ("1\u00a0", "space"),
            ("\ufeff1", "invisible character"),
            ("1\u200b", "invisible character"),
            ("1\udcff", "UTF-8"),
        ],
    )
    def test_rejects_them_around_a_value(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
    ) -> None:
        """A value with quotes, spaces or line ends around it, or not in UTF-8, is an error that names it."""
        monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError, match=rf"^{name}: .*{words}"):
            load_settings()

    @pytest.mark.parametrize("value", ['"s3cret"', "s3cret ", " s3cret", "'", '"'])
    def test_accepts_them_in_a_password(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        """A password may begin and end with quotes and spaces."""
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", value)
        password = load_settings().mlflow_tracking_password
        assert password is not None
        assert value == password.get_secret_value()

    @pytest.mark.parametrize("value", ["hedge\nfund", "a\x00b", "a\tb", "a\x7fb", "a\x85b"])
    def test_rejects_control_characters_in_an_experiment_name(
        self, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        """The name of an experiment has no control character, so none is created under such a name."""
        if "\x00" not in value:  # which no variable can hold
            monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", value)
            with pytest.raises(SettingsError, match=r"^MLFLOW_EXPERIMENT_NAME: has a control"):
                load_settings()
        with pytest.raises(ValueError, match="has a control character"):
            Settings(MLFLOW_EXPERIMENT_NAME=value)

    @pytest.mark.parametrize(
        "value",
        ["hedge fund", 'the "hedge" fund', '"a" and "b', "Müller's", "基金", "👩\u200d💻", "/Users/a@b.c/x"],
    )
    def test_accepts_any_text_as_an_experiment_name(
        self, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        """The name of an experiment may have spaces and quotes in it, and letters of any script."""
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", value)
        assert value == load_settings().mlflow_experiment_name

    def test_accepts_a_line_end_after_api_keys(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """TRACKING_AUTH__API_KEYS may end with a line end."""
        monkeypatch.setenv("TRACKING_AUTH__API_KEYS", f"ada {'0' * 64}\n")
        assert load_settings().auth.api_keys
