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

    def test_the_comment_in_the_toml_is_the_meaning(self) -> None:
        """Above each key stands what the model says of it; a remark of the file's own may follow."""
        comments = {name: comment for name, _, comment, _ in sections_of_toml()}
        for name, _, meaning in variables():
            assert comments[name].startswith(meaning.removesuffix(".")), name

    def test_what_has_no_default_is_commented_out(self) -> None:
        """A setting without a value by default is shown with an example, and not set."""
        for name, _, _, mark in sections_of_toml():
            default = {name: default for name, default, _ in variables()}[name]
            assert (default is None) is (mark == "# "), name

    def test_the_defaults_in_the_toml_are_the_models(self) -> None:
        """What service.toml sets is what the model would have without it."""
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
        """Each meaning is a sentence, or a few."""
        for name, _, meaning in variables():
            assert re.fullmatch(r"[A-Za-z(].*\.", meaning), name

    def test_settings_from_nothing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """The model and the file give the same settings."""
        with_file = load_settings()
        monkeypatch.setattr(module, "config_dir", lambda: tmp_path)
        assert with_file == load_settings()


class TestPrecedence:
    @pytest.fixture
    def toml(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """A service.toml of the test's own."""
        monkeypatch.setattr(module, "config_dir", lambda: tmp_path)
        return tmp_path / "service.toml"

    def test_the_file_wins_over_the_code(self, toml: Path) -> None:
        """What service.toml says holds."""
        toml.write_text('port = 9000\nMLFLOW_EXPERIMENT_NAME = "x"\n[upstream]\nkeepalive = 7.5\n')
        settings = load_settings()
        assert (9000, "x") == (settings.port, settings.mlflow_experiment_name)
        assert (7.5, 2.0) == (settings.upstream.keepalive, settings.upstream.connect_timeout)

    def test_the_environment_wins_over_the_file(self, toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A variable holds over service.toml, a nested one too, and leaves its neighbours alone."""
        toml.write_text(
            'port = 9000\nMLFLOW_EXPERIMENT_NAME = "x"\n[upstream]\nkeepalive = 7.5\nmax_in_flight = 3\n'
        )
        monkeypatch.setenv("TRACKING_PORT", "9001")
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "y")
        monkeypatch.setenv("TRACKING_UPSTREAM__KEEPALIVE", "8.5")
        settings = load_settings()
        assert (9001, "y") == (settings.port, settings.mlflow_experiment_name)
        assert (8.5, 3) == (settings.upstream.keepalive, settings.upstream.max_in_flight)

    def test_an_empty_variable_is_not_set(self, toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A variable of no text leaves the file's value."""
        toml.write_text("port = 9000\n")
        monkeypatch.setenv("TRACKING_PORT", "")
        assert 9000 == load_settings().port

    @pytest.mark.parametrize(
        "text", ["port = ", "nope = 1", "port = 'x'", "[upstream]\nnope = 1", "[port]\n"]
    )
    def test_a_wrong_file(self, toml: Path, text: str) -> None:
        """A file that cannot be read, or sets what is no setting, is told in one line."""
        toml.write_text(text)
        with pytest.raises(SettingsError) as caught:
            load_settings()
        assert str(caught.value)
        assert "\n" not in str(caught.value)


class TestValues:
    def test_settings_are_frozen(self) -> None:
        """Settings do not change once they are read."""
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

    def test_what_holds_a_secret_is_a_secret(self) -> None:
        """Every setting whose name says so is a SecretStr."""

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
    def test_addresses(self, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
        """A server's address, a SQLite store and a folder are taken."""
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert uri == load_settings().mlflow_tracking_uri

    def test_an_address_in_capitals(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The scheme of a server's address is written small from here on."""
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "HTTPS://Host/Mlflow")
        assert "https://Host/Mlflow" == load_settings().mlflow_tracking_uri

    def test_unknown_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Variables that start with TRACKING_ and are no setting are named, others are nobody's business."""
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
    """A value that a setting cannot have is told in one line, with its name, and without its secret."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    said = str(caught.value)
    assert name in said
    assert "\n" not in said
    assert "s3cret" not in said


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has two values wrong learns of both."""
    monkeypatch.setenv("TRACKING_PORT", "x")
    monkeypatch.setenv("TRACKING_DEADLINE", "y")
    with pytest.raises(SettingsError, match=r"TRACKING_PORT.*; TRACKING_DEADLINE"):
        load_settings()


STARTS_THAT_FAIL = [
    {"MLFLOW_EXPERIMENT_NAME": '"hedge-fund"'},
    {"MLFLOW_TRACKING_TOKEN_FILE": "/nowhere/token"},
    {"MLFLOW_TRACKING_AWS_SIGV4": "true"},
    {"TRACKING_PORT": "abc"},
    {"MLFLOW_TRACKING_URI": "http://user:s3cret@host"},
    {"MLFLOW_TRACKING_SERVER_CERT_PATH": "/nowhere/ca.pem"},
    {"MLFLOW_TRACKING_CLIENT_CERT_PATH": __file__},
    {"TRACKING_METRICS_FILE": "/nowhere/metrics.toml"},
]


@pytest.mark.parametrize("wrong", STARTS_THAT_FAIL, ids=lambda wrong: next(iter(wrong)))
def test_the_command_stops_with_exit_code_2(wrong: dict[str, str]) -> None:
    """The command says what is wrong on one line of stderr, names the variable, and exits with 2."""
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
