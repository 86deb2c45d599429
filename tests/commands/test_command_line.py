"""The command line: its arguments, its help, and the exit codes of `check`."""

from pathlib import Path

import pytest

import service.__main__ as command
from service.commands.arguments import parser

SECRET = "a-word-that-nobody-may-read"  # noqa: S105 - it opens nothing


@pytest.fixture(autouse=True)
def _local_mlflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Unless a test sets an address, the settings mean a local MLflow."""
    monkeypatch.chdir(tmp_path)


def test_check_warns_of_an_unknown_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable that starts with TRACKING_ and is not a setting is a ?? line; the exit code stays 0."""
    monkeypatch.setenv("TRACKING_PROT", "9000")
    assert 0 == command.main(["check"])
    output = capsys.readouterr()
    assert "??  TRACKING_PROT is not a setting of this service" == output.out.splitlines()[0]
    assert "" == output.err


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"TRACKING_PORT": "x"}, "TRACKING_PORT"),
        ({"TRACKING_HOST": "0.0.0.0"}, "TRACKING_AUTH__MODE"),  # noqa: S104 - it is refused
        (
            {"TRACKING_AUTH__MODE": "api_key", "TRACKING_AUTH__API_KEYS_FILE": "nowhere"},
            "TRACKING_AUTH__API_KEYS_FILE",
        ),
        ({"TRACKING_AUTH__MODE": "api_key", "TRACKING_AUTH__API_KEYS": SECRET}, "line 1"),
        (
            {
                "TRACKING_AUTH__MODE": "jwt",
                "TRACKING_AUTH__JWT_KEYS_FILE": "nowhere",
                "TRACKING_AUTH__ISSUER": "i",
                "TRACKING_AUTH__AUDIENCE": "a",
            },
            "TRACKING_AUTH__JWT_KEYS_FILE",
        ),
        ({"TRACKING_METRICS_FILE": "nowhere"}, "TRACKING_METRICS_FILE"),
        ({"MLFLOW_TRACKING_URI": f"http://who:{SECRET}@host"}, "MLFLOW_TRACKING_URI"),
        ({"MLFLOW_TRACKING_URI": f"http://:{SECRET}@host"}, "MLFLOW_TRACKING_URI"),
        ({"MLFLOW_TRACKING_TOKEN": f"{SECRET}\n"}, "MLFLOW_TRACKING_TOKEN"),
    ],
)
def test_check_exits_with_2_for_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: dict[str, str],
    expected: str,
) -> None:
    """A wrong value or a missing file is one line that names the setting and no secret, and exit code 2."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert 2 == command.main(["check"])
    output = capsys.readouterr()
    [line] = output.err.splitlines()
    assert ("", True, False) == (output.out, expected in line, SECRET in line)


def test_help_names_commands_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """--help names every command and explains the exit codes."""
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    output = capsys.readouterr().out
    for word in ("serve", "check", "new-key", "--version", "--sample", "exit codes"):
        assert word in output


@pytest.mark.parametrize(
    ("argv", "expected"),
    [([], False), (["serve"], False), (["--sample", "serve"], True), (["serve", "--sample"], True)],
)
def test_sample_may_stand_before_or_after_serve(argv: list[str], *, expected: bool) -> None:
    """--sample means the same before and after `serve`, and without a command."""
    arguments = parser().parse_args(argv)
    assert ("serve", expected) == (arguments.command, arguments.sample)


def test_check_rejects_sample(capsys: pytest.CaptureFixture[str]) -> None:
    """`check --sample` is an error with exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        command.main(["check", "--sample"])
    assert "--sample" in capsys.readouterr().err
