"""The command line, from settings to the end, inside of this process."""

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
from service import __version__
from service.local.installed import LocalError
from service.local.store import Store
from tests.fakes.mlflow import FakeMlflow
from tests.local.stores import OLD, laid_out, make_database


@contextmanager
def in_a_thread(fake: FakeMlflow) -> Iterator[FakeMlflow]:
    """The fake, served beside a command that takes the main thread."""
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
    """An MLflow that the environment names; the service takes any port, and stops at once."""
    monkeypatch.chdir(tmp_path)
    with in_a_thread(FakeMlflow()) as fake:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", fake.url)
        monkeypatch.setenv("TRACKING_PORT", "0")
        monkeypatch.setenv("TRACKING_DRAIN_SECONDS", "0")
        yield fake


@pytest.fixture
def until_ready(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the command says; it is sent a signal once it has said where it listens."""
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        if "Experiment Tracking API" in text:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(command, "_say", say)
    return said


@pytest.mark.usefixtures("mlflow", "until_ready")
def test_what_is_odd_about_the_environment(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The log warns of what is not done as asked, and says what is of no use."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "300")
    monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
    assert 0 == command.main([])
    lines = capfd.readouterr().err.splitlines()
    assert 1 == len([line for line in lines if "warning" in line and "MLFLOW_HTTP_REQUEST_TIMEOUT" in line])
    assert 1 == len([line for line in lines if "info" in line and "MLFLOW_RUN_ID" in line])


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("mlflow")
def test_a_signal_stops_it(monkeypatch: pytest.MonkeyPatch, sign: signal.Signals) -> None:
    """Ctrl-C and SIGTERM stop the service in order, with exit code 0."""
    monkeypatch.setattr(command, "_say", lambda _: signal.raise_signal(sign))
    assert 0 == command.main([])


def test_it_says_where_it_is(mlflow: FakeMlflow, until_ready: list[str]) -> None:
    """Once it listens it says its address, and commands that use the runs that are there."""
    newest = [mlflow.add_run() for _ in range(3)][::-1]
    assert 0 == command.main([])
    [text] = until_ready
    url = re.search(r"http://127\.0\.0\.1:\d+", text)
    assert url is not None
    assert newest[0] in text
    assert newest[1] in text
    assert newest[2] not in text


def test_a_port_that_is_taken(
    mlflow: FakeMlflow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port that cannot be listened on is one line and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("TRACKING_PORT", port)
        monkeypatch.setenv("TRACKING_LOG_LEVEL", "error")
        assert 1 == command.main([])
    [line] = capsys.readouterr().err.splitlines()
    assert port in line
    assert "address already in use" in line.lower()


def test_a_wrong_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong value is one line and exit code 2."""
    monkeypatch.setenv("TRACKING_PORT", "x")
    assert 2 == command.main([])
    [line] = capsys.readouterr().err.splitlines()
    assert "TRACKING_PORT" in line


@pytest.mark.usefixtures("until_ready", "mlflow")
def test_a_slip_of_the_pen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A variable that is no setting is warned of."""
    monkeypatch.setenv("TRACKING_PROT", "9000")
    assert 0 == command.main([])
    assert "TRACKING_PROT" in capsys.readouterr().err


def test_a_local_mlflow_that_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What keeps the local MLflow from starting is one line and exit code 1."""

    def fails(*_: Any) -> Any:
        raise LocalError("it did not start")

    monkeypatch.setattr(command, "local_mlflow", fails)
    monkeypatch.setenv("TRACKING_DATA_DIR", str(tmp_path))
    assert 1 == command.main([])
    assert ["experiment-tracking: it did not start"] == capsys.readouterr().err.splitlines()


def test_ctrl_c_while_it_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ctrl-C before the service listens is exit code 130, as shells have it."""

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "local_mlflow", interrupted)
    monkeypatch.setenv("TRACKING_DATA_DIR", str(tmp_path))
    assert 130 == command.main([])


@pytest.mark.parametrize("argv", [[], ["--sample"]])
def test_over_a_local_store(
    mlflow: FakeMlflow,
    until_ready: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    argv: list[str],
) -> None:
    """Without an address a local MLflow is started over the service's own store, which is then finished."""
    finished: list[tuple[Store, str, str, bool]] = []

    def finish(store: Store, url: str, name: str, *, sample: bool) -> None:
        finished.append((store, url, name, sample))

    monkeypatch.setattr(command, "finish", finish)
    monkeypatch.setattr(command, "local_mlflow", lambda *_: nullcontext(mlflow.url))
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("TRACKING_DATA_DIR", str(tmp_path))
    assert 0 == command.main(argv)
    store = Store(tmp_path / "mlflow.db", is_own=True, is_new=True)
    assert [(store, mlflow.url, "Default", bool(argv))] == finished
    assert until_ready


@pytest.mark.usefixtures("until_ready")
def test_what_is_odd_about_a_local_store(
    mlflow: FakeMlflow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new store at an address, and variables that the local MLflow does not get, are warned of."""
    monkeypatch.setattr(command, "local_mlflow", lambda *_: nullcontext(mlflow.url))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/new.db")
    monkeypatch.setenv("MLFLOW_STATIC_PREFIX", "/mlflow")
    assert 0 == command.main(["--sample"])
    said = capsys.readouterr().err
    assert f"{tmp_path}/new.db is not there yet: a new, empty store is made" in said
    assert "the local MLflow is not given MLFLOW_STATIC_PREFIX" in said
    assert {} == mlflow.store.runs


@pytest.mark.parametrize("uri", ["databricks", "localhost:5000", "mlrun", "postgresql://h/db", "/"])
@pytest.mark.parametrize("argv", [[], ["check"]])
def test_an_address_that_is_none(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    uri: str,
    argv: list[str],
) -> None:
    """What is neither a server nor a store is one line and exit code 2, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert 2 == command.main(argv)
    said = capsys.readouterr()
    [line] = said.err.splitlines()
    assert "MLFLOW_TRACKING_URI: " in line
    assert "" == said.out
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["mlflow.db", "other.db"])
def test_a_store_of_another_mlflow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A store whose schema is not the installed MLflow's is one line and exit code 1, and stays as it is."""
    file = make_database(tmp_path / name, OLD)
    before = laid_out(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
    assert 1 == command.main(["--sample"])
    [line] = capsys.readouterr().err.splitlines()
    assert "older MLflow" in line
    assert before == laid_out(tmp_path)


def test_no_mlflow_for_a_local_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where MLflow is not installed, one line says what to set or to install, and no folder is made."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("TRACKING_DATA_DIR", str(tmp_path / "data"))
    assert 1 == command.main([])
    [line] = capsys.readouterr().err.splitlines()
    assert re.search(r"MLFLOW_TRACKING_URI.*\[embedded\]", line)
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("until_ready")
def test_no_sample_over_somebody_elses_server(mlflow: FakeMlflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """--sample writes nothing into a server that the service was pointed at."""
    monkeypatch.setattr(command, "finish", lambda *_, **__: pytest.fail("it was run"))
    assert 0 == command.main(["--sample"])
    assert {} == mlflow.store.runs


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version says it and ends."""
    with pytest.raises(SystemExit, match="0"):
        command.main(["--version"])
    assert __version__ == capsys.readouterr().out.strip()


def test_an_unknown_argument(capsys: pytest.CaptureFixture[str]) -> None:
    """An argument that is none is exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        command.main(["--nope"])
    assert "--nope" in capsys.readouterr().err
