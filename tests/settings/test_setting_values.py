"""What stands around a value, or in a name, that files of variables and shells bring along."""

import pytest

from service.settings.load import Settings, SettingsError, load_settings


class TestWhatStandsAroundAValue:
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
            ("1\r", "end of a line"),
            ("1\n", "end of a line"),
            (" 1", "space"),
            ("1\u00a0", "space"),
            ("\ufeff1", "the like"),
            ("1\u200b", "the like"),
            ("1\udcff", "UTF-8"),
        ],
    )
    def test_it_is_no_part_of_it(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
    ) -> None:
        """Quotes, spaces, line ends and marks around a value, and what is no text, are refused by name."""
        monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError, match=rf"^{name}: .*{words}"):
            load_settings()

    @pytest.mark.parametrize("value", ['"s3cret"', "s3cret ", " s3cret", "'", '"'])
    def test_a_password_is_what_it_is(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        """A password may have quotes and spaces around it."""
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", value)
        password = load_settings().mlflow_tracking_password
        assert password is not None
        assert value == password.get_secret_value()

    @pytest.mark.parametrize("value", ["hedge\nfund", "a\x00b", "a\tb", "a\x7fb", "a\x85b"])
    def test_a_name_with_a_control_character(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        """No experiment is looked for, and so created, under a name that nobody can write."""
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
    def test_a_name_is_any_text(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        """Spaces and quotes inside a name, and any script, are good."""
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", value)
        assert value == load_settings().mlflow_experiment_name

    def test_keys_are_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The end of the last line of keys is none that should not be there."""
        monkeypatch.setenv("TRACKING_AUTH__API_KEYS", f"ada {'0' * 64}\n")
        assert load_settings().auth.api_keys
