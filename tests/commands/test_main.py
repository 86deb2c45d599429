"""The command `serve`, run in this process from the settings to the end."""

import asyncio
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

import service.__main__ as command
import service.commands.serve as serving
from service import __version__
from service.local.installed import LocalError
from service.local.store import Store
from tests.fakes.mlflow import FakeMlflow
from tests.local.stores import OLD, laid_out, make_database


@contextmanager
def in_a_thread(fake: FakeMlflow) -> Iterator[FakeMlflow]:
    """Serve the fake in a thread, beside a command that takes the main thread."""
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with fake.serve():
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    assert started.wait(10)
    try:
        yield fake
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeMlflow]:
    """A fake MLflow that the environment names; the service takes any port and stops at once."""
    monkeypatch.chdir(tmp_path)
    with in_a_thread(FakeMlflow()) as fake:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", fake.url)
        monkeypatch.setenv("TRACKING_PORT", "0")
        monkeypatch.setenv("TRACKING_DRAIN_SECONDS", "0")
        yield fake


@pytest.fixture
def until_ready(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the command prints; it gets a SIGINT once it has printed its address."""
    output: list[str] = []

    def say(text: str) -> None:
        output.append(text)
        if "Experiment Tracking API" in text:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(command, "_say", say)
    return output


@pytest.mark.usefixtures("mlflow", "until_ready")
def test_logs_variables_that_are_not_read(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The log warns of a variable that a setting replaces, and mentions those that have no effect."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "300")
    monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
    assert 0 == command.main([])
    lines = capfd.readouterr().err.splitlines()
    assert 1 == len([line for line in lines if "warning" in line and "MLFLOW_HTTP_REQUEST_TIMEOUT" in line])
    assert 1 == len([line for line in lines if "info" in line and "MLFLOW_RUN_ID" in line])


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("mlflow")
def test_a_signal_stops_the_service(monkeypatch: pytest.MonkeyPatch, sign: signal.Signals) -> None:
    """SIGINT and SIGTERM stop the service in order, with exit code 0."""
    monkeypatch.setattr(command, "_say", lambda _: signal.raise_signal(sign))
    assert 0 == command.main([])


def test_prints_the_welcome_text(mlflow: FakeMlflow, until_ready: list[str]) -> None:
    """Once it listens, it prints its address and commands with the ids of existing runs."""
    newest = [mlflow.add_run() for _ in range(3)][::-1]
    assert 0 == command.main([])
    [text] = until_ready
    assert re.match(r"Open http://127\.0\.0\.1:\d+/console/\n", text.lstrip())
    assert newest[0] in text
    assert newest[1] in text
    assert newest[2] not in text


def test_exits_with_1_for_a_port_in_use(
    mlflow: FakeMlflow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port in use is one line and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("TRACKING_PORT", port)
        monkeypatch.setenv("TRACKING_LOG_LEVEL", "error")
        assert 1 == command.main([])
    [line] = capsys.readouterr().err.splitlines()
    assert port in line
    assert "address already in use" in line.lower()


def test_exits_with_2_for_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong value is one line and exit code 2."""
    monkeypatch.setenv("TRACKING_PORT", "x")
    assert 2 == command.main([])
    [line] = capsys.readouterr().err.splitlines()
    assert "TRACKING_PORT" in line


@pytest.mark.usefixtures("until_ready", "mlflow")
def test_warns_of_an_unknown_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log warns of a variable that starts with TRACKING_ and is not a setting."""
    monkeypatch.setenv("TRACKING_PROT", "9000")
    assert 0 == command.main([])
    assert "TRACKING_PROT" in capsys.readouterr().err


def test_exits_with_1_if_the_local_mlflow_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason why the local MLflow does not start is one line, and the exit code is 1."""

    def fails(*_: Any) -> Any:
        raise LocalError("it did not start")

    monkeypatch.setattr(serving, "local_mlflow", fails)
    monkeypatch.setenv("TRACKING_DATA_DIR", str(tmp_path))
    assert 1 == command.main([])
    assert ["experiment-tracking: it did not start"] == capsys.readouterr().err.splitlines()


def test_exits_with_130_if_interrupted_at_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ctrl-C before the service listens is exit code 130, as in shells."""

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(serving, "local_mlflow", interrupted)
    monkeypatch.setenv("TRACKING_DATA_DIR", str(tmp_path))
    assert 130 == command.main([])


@pytest.mark.parametrize("argv", [[], ["--sample"]])
def test_starts_a_local_mlflow_without_an_address(
    mlflow: FakeMlflow,
    until_ready: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    argv: list[str],
) -> None:
    """Without an address it starts a local MLflow over its own store, and then finishes a new store."""
    finished: list[tuple[Store, str, str, bool]] = []

    def finish(store: Store, url: str, name: str, *, sample: bool) -> None:
        finished.append((store, url, name, sample))

    monkeypatch.setattr(serving, "finish", finish)
    monkeypatch.setattr(serving, "local_mlflow", lambda *_: nullcontext(mlflow.url))
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("TRACKING_DATA_DIR", str(tmp_path))
    assert 0 == command.main(argv)
    store = Store(tmp_path / "mlflow.db", is_own=True, is_new=True)
    assert [(store, mlflow.url, "Default", bool(argv))] == finished
    assert until_ready


@pytest.mark.usefixtures("until_ready")
def test_warns_of_a_new_store_at_an_address(
    mlflow: FakeMlflow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log warns of a new store at an address, and of variables that the local MLflow does not get."""
    monkeypatch.setattr(serving, "local_mlflow", lambda *_: nullcontext(mlflow.url))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/new.db")
    monkeypatch.setenv("MLFLOW_STATIC_PREFIX", "/mlflow")
    assert 0 == command.main(["--sample"])
    output = capsys.readouterr().err
    assert f"{tmp_path}/new.db does not exist yet: a new, empty store is created" in output
    assert "the local MLflow does not get these variables: MLFLOW_STATIC_PREFIX" in output
    assert {} == mlflow.store.runs


@pytest.mark.parametrize("uri", ["databricks", "localhost:5000", "mlrun", "postgresql://h/db", "/"])
@pytest.mark.parametrize("argv", [[], ["check"]])
def test_rejects_an_unusable_mlflow_address(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    uri: str,
    argv: list[str],
) -> None:
    """An address of neither a server nor a store is one line and exit code 2; no file is created."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert 2 == command.main(argv)
    output = capsys.readouterr()
    [line] = output.err.splitlines()
    assert "MLFLOW_TRACKING_URI: " in line
    assert "" == output.out
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["mlflow.db", "other.db"])
def test_rejects_a_store_of_an_older_mlflow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A store with an older schema is one line and exit code 1, and stays unchanged."""
    file = make_database(tmp_path / name, OLD)
    before = laid_out(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
    assert 1 == command.main(["--sample"])
    [line] = capsys.readouterr().err.splitlines()
    assert "older MLflow" in line
    assert before == laid_out(tmp_path)


def test_exits_with_1_if_mlflow_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If no MLflow is installed, one line says what to set or install, and no folder is created."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("TRACKING_DATA_DIR", str(tmp_path / "data"))
    assert 1 == command.main([])
    [line] = capsys.readouterr().err.splitlines()
    assert re.search(r"MLFLOW_TRACKING_URI.*\[embedded\]", line)
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("until_ready")
def test_writes_no_sample_to_a_server(mlflow: FakeMlflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """--sample writes nothing to a server that MLFLOW_TRACKING_URI names."""
    monkeypatch.setattr(serving, "finish", lambda *_, **__: pytest.fail("it was run"))
    assert 0 == command.main(["--sample"])
    assert {} == mlflow.store.runs


def test_prints_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version prints the version and exits."""
    with pytest.raises(SystemExit, match="0"):
        command.main(["--version"])
    assert __version__ == capsys.readouterr().out.strip()


def test_rejects_an_unknown_argument(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown argument is exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        command.main(["--nope"])
    assert "--nope" in capsys.readouterr().err
