"""The command line: what stands where, `check` from the environment to the exit code, and what is wrong."""

from pathlib import Path

import pytest

import service.__main__ as command

SECRET = "a-word-that-nobody-may-read"  # noqa: S105 - it opens nothing


@pytest.fixture(autouse=True)
def _local_mlflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without other settings a local MLflow is meant."""
    monkeypatch.chdir(tmp_path)


def test_a_slip_of_the_pen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A variable that is no setting is odd, which is no failure."""
    monkeypatch.setenv("TRACKING_PROT", "9000")
    assert 0 == command.main(["check"])
    said = capsys.readouterr()
    assert "??  TRACKING_PROT is no setting of this service" == said.out.splitlines()[0]
    assert "" == said.err


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
def test_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: dict[str, str],
    expected: str,
) -> None:
    """A wrong value, or a file that is missing, is 2 and one line that names it, without a secret."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert 2 == command.main(["check"])
    said = capsys.readouterr()
    [line] = said.err.splitlines()
    assert ("", True, False) == (said.out, expected in line, SECRET in line)


def test_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """--help names every command and what the exit codes mean."""
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    said = capsys.readouterr().out
    for word in ("serve", "check", "new-key", "--version", "--sample", "exit codes"):
        assert word in said


@pytest.mark.parametrize(
    ("argv", "expected"),
    [([], False), (["serve"], False), (["--sample", "serve"], True), (["serve", "--sample"], True)],
)
def test_the_sample_may_stand_on_either_side(argv: list[str], *, expected: bool) -> None:
    """--sample means the same before and after `serve`, which is what is done without a command."""
    arguments = command._parser().parse_args(argv)
    assert ("serve", expected) == (arguments.command, arguments.sample)


def test_a_check_brings_no_sample(capsys: pytest.CaptureFixture[str]) -> None:
    """An option of another command is exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        command.main(["check", "--sample"])
    assert "--sample" in capsys.readouterr().err
