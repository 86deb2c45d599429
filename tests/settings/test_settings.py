"""Settings: one truth in code and config/service.toml, and wrong values told in one line."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from service.settings import load as module
from service.settings.load import (
    Settings,
    SettingsError,
    config_dir,
    load_settings,
    unknown_variables,
    variables,
)

ROOT = Path(__file__).parents[2]
TOML = config_dir() / "service.toml"
SECRETS = ["MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"]


def variable(key: str, section: str = "") -> str:
    """The variable of a key in service.toml."""
    if key.startswith("MLFLOW_"):
        return key
    return f"TRACKING_{f'{section}__' if section else ''}{key}".upper()


def sections_of_toml() -> list[tuple[str, str, str, str]]:
    """Every key in service.toml, commented out or not: variable, value as written, comment above, mark."""
    found, section, comment = [], "", ""
    for line in TOML.read_text("utf-8").splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
        elif key := re.fullmatch(r"(# )?(\w+) = (.+)", line):
            found.append((variable(key[2], section), key[3], comment, key[1] or ""))
        comment = line.removeprefix("# ") if line.startswith("# ") else ""
    return found


class TestOneTruth:
    def test_the_toml_lists_every_setting(self) -> None:
        """service.toml has every setting once, in the model's order."""
        assert [name for name, _, _ in variables()] == [name for name, *_ in sections_of_toml()]

    def test_the_comments_in_the_toml_are_the_descriptions(self) -> None:
        """The comment above each key in service.toml begins with the description in the model."""
        comments = {name: comment for name, _, comment, _ in sections_of_toml()}
        for name, _, meaning in variables():
            assert comments[name].startswith(meaning.removesuffix(".")), name

    def test_the_toml_comments_out_settings_without_default(self) -> None:
        """service.toml shows a setting without default as a comment with an example."""
        for name, _, _, mark in sections_of_toml():
            default = {name: default for name, default, _ in variables()}[name]
            assert (default is None) is (mark == "# "), name

    def test_the_toml_has_the_defaults_of_the_model(self) -> None:
        """The values in service.toml are the defaults of the model, of the same types."""
        document = tomllib.loads(TOML.read_text("utf-8"))
        flat: dict[str, Any] = {}
        for key, value in document.items():
            nested = value.items() if isinstance(value, dict) else [(key, value)]
            flat |= {variable(name, key if isinstance(value, dict) else ""): one for name, one in nested}
        expected = {name: default for name, default, _ in variables() if default is not None}
        expected = {name: str(one) if isinstance(one, Path) else one for name, one in expected.items()}
        assert expected == flat
        assert [type(expected[name]) for name in flat] == [type(value) for value in flat.values()]

    def test_every_setting_is_described(self) -> None:
        """The description of each setting begins with a letter or bracket and ends with a full stop."""
        for name, _, meaning in variables():
            assert re.fullmatch(r"[A-Za-z(].*\.", meaning), name

    def test_the_toml_may_be_missing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """The settings do not change if service.toml is missing."""
        with_file = load_settings()
        monkeypatch.setattr(module, "config_dir", lambda: tmp_path)
        assert with_file == load_settings()


class TestPrecedence:
    @pytest.fixture
    def toml(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """A path at which a test may write its own service.toml."""
        monkeypatch.setattr(module, "config_dir", lambda: tmp_path)
        return tmp_path / "service.toml"

    def test_the_file_overrides_the_defaults(self, toml: Path) -> None:
        """A value in service.toml replaces the default; settings that it does not name keep theirs."""
        toml.write_text('port = 9000\nMLFLOW_EXPERIMENT_NAME = "x"\n[upstream]\nkeepalive = 7.5\n')
        settings = load_settings()
        assert (9000, "x") == (settings.port, settings.mlflow_experiment_name)
        assert (7.5, 2.0) == (settings.upstream.keepalive, settings.upstream.connect_timeout)

    def test_the_environment_overrides_the_file(self, toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A variable replaces the value in service.toml, in a group too, and no other value of the group."""
        toml.write_text(
            'port = 9000\nMLFLOW_EXPERIMENT_NAME = "x"\n[upstream]\nkeepalive = 7.5\nmax_in_flight = 3\n'
        )
        monkeypatch.setenv("TRACKING_PORT", "9001")
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "y")
        monkeypatch.setenv("TRACKING_UPSTREAM__KEEPALIVE", "8.5")
        settings = load_settings()
        assert (9001, "y") == (settings.port, settings.mlflow_experiment_name)
        assert (8.5, 3) == (settings.upstream.keepalive, settings.upstream.max_in_flight)

    def test_an_empty_variable_counts_as_not_set(self, toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An empty variable does not replace the value in service.toml."""
        toml.write_text("port = 9000\n")
        monkeypatch.setenv("TRACKING_PORT", "")
        assert 9000 == load_settings().port

    @pytest.mark.parametrize(
        "text", ["port = ", "nope = 1", "port = 'x'", "[upstream]\nnope = 1", "[port]\n"]
    )
    def test_an_error_in_the_file_is_one_line(self, toml: Path, text: str) -> None:
        """Invalid TOML, an unknown setting and a wrong value in service.toml are one-line errors."""
        toml.write_text(text)
        with pytest.raises(SettingsError) as caught:
            load_settings()
        assert str(caught.value)
        assert "\n" not in str(caught.value)


class TestValues:
    def test_settings_are_frozen(self) -> None:
        """A setting cannot be assigned, nor can one in a group."""
        for values, name in ((load_settings(), "port"), (load_settings().upstream, "keepalive")):
            with pytest.raises(ValueError, match="frozen"):
                setattr(values, name, 1)

    def test_secrets_are_masked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither repr nor str of the settings shows a secret."""
        for name in SECRETS:
            monkeypatch.setenv(name, "s3cret")
        settings = load_settings()
        assert isinstance(settings.mlflow_tracking_password, SecretStr)
        assert isinstance(settings.mlflow_tracking_token, SecretStr)
        assert "s3cret" == settings.mlflow_tracking_token.get_secret_value()
        assert "s3cret" not in repr(settings) + str(settings) + settings.model_dump_json()

    def test_settings_named_as_secrets_are_secrets(self) -> None:
        """The settings of type SecretStr are those whose names end with password, token, secret or key."""

        def fields(model: type[BaseModel]) -> list[tuple[str, object]]:
            return [(name, field.annotation) for name, field in model.model_fields.items()]

        named = {
            name for name, _ in fields(Settings) if name.endswith(("password", "token", "secret", "key"))
        }
        assert {name for name, annotation in fields(Settings) if "SecretStr" in str(annotation)} == named

    @pytest.mark.parametrize(
        "uri",
        [
            "",
            "http://h",
            "https://h:5000/prefix/",
            "sqlite:///x.db",
            "sqlite:////a/x.db",
            "file:///a",
            "file:a/mlruns",
            "./mlruns",
            "/a/b",
        ],
    )
    def test_accepts_mlflow_addresses(self, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
        """MLFLOW_TRACKING_URI may be empty, a server's address, a SQLite store or a folder."""
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert uri == load_settings().mlflow_tracking_uri

    def test_the_scheme_of_an_address_becomes_lower_case(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The scheme of a server's address is kept in lower case, the rest as it is."""
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "HTTPS://Host/Mlflow")
        assert "https://Host/Mlflow" == load_settings().mlflow_tracking_uri

    def test_unknown_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The unknown variables are those that start with TRACKING_, in any case, and are not settings."""
        for name in (
            "TRACKING_PROT",
            "tracking_x",
            "TRACKING_PORT",
            "MLFLOW_NOPE",
            "TRACKING_UPSTREAM__KEEPALIVE",
        ):
            monkeypatch.setenv(name, "1")
        assert ["TRACKING_PROT", "tracking_x"] == unknown_variables()


WRONG = {
    "TRACKING_PORT": ["abc", "-1", "65536", "1.5"],
    "TRACKING_DEADLINE": ["0", "-1", "inf", "nan", "1e9", "soon"],
    "TRACKING_MAX_BODY_BYTES": ["-1", "64k"],
    "TRACKING_LOG_LEVEL": ["loud", "INFO "],
    "TRACKING_CREATE_EXPERIMENT": ["maybe"],
    "TRACKING_UPSTREAM__CONNECT_TIMEOUT": ["0", "x", "inf"],
    "TRACKING_UPSTREAM__MAX_IN_FLIGHT": ["0", "10001"],
    "TRACKING_UPSTREAM__NOPE": ["1"],
    "TRACKING_CACHE__LIST_TTL": ["-1", "nan"],
    "TRACKING_UPSTREAM": ["5", "{bad"],
    "MLFLOW_TRACKING_URI": [
        "ftp://h",
        "postgresql://u:s3cret@h/db",
        "http://u:s3cret@h",
        "http://h:99999999",
        "http://",
        "localhost:5000",
        "databricks",
        "sqlite://x.db",
        "mlruns",
        '"http://h"',
    ],
    "MLFLOW_TRACKING_INSECURE_TLS": ["maybe"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """A wrong value is a one-line error that names the variable and repeats no password."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert name in message
    assert "\n" not in message
    assert "s3cret" not in message


def test_the_error_names_all_wrong_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """If two values are wrong, the error names both variables."""
    monkeypatch.setenv("TRACKING_PORT", "x")
    monkeypatch.setenv("TRACKING_DEADLINE", "y")
    with pytest.raises(SettingsError, match=r"TRACKING_PORT.*; TRACKING_DEADLINE"):
        load_settings()


WRONG_SETTINGS = [
    {"MLFLOW_EXPERIMENT_NAME": '"hedge-fund"'},
    {"MLFLOW_TRACKING_TOKEN_FILE": "/nowhere/token"},
    {"MLFLOW_TRACKING_AWS_SIGV4": "true"},
    {"TRACKING_PORT": "abc"},
    {"MLFLOW_TRACKING_URI": "http://user:s3cret@host"},
    {"MLFLOW_TRACKING_SERVER_CERT_PATH": "/nowhere/ca.pem"},
    {"MLFLOW_TRACKING_CLIENT_CERT_PATH": __file__},
    {"TRACKING_METRICS_FILE": "/nowhere/metrics.toml"},
]


@pytest.mark.thorough
@pytest.mark.parametrize("wrong", WRONG_SETTINGS, ids=lambda wrong: next(iter(wrong)))
def test_the_command_stops_with_exit_code_2(wrong: dict[str, str]) -> None:
    """With a wrong setting, the command writes one line with its name to stderr, and exits with 2."""
    environment = {
        "PATH": os.environ["PATH"],
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        "TRACKING_PORT": "0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "service"],
        env=environment | wrong,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    [name] = wrong
    assert 2 == done.returncode, done.stderr
    assert "" == done.stdout
    [line] = done.stderr.splitlines()
    assert line.startswith("experiment-tracking: ")
    assert name in line
    assert "s3cret" not in line
