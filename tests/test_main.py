"""The command line, from settings to the end, inside of this process."""

import asyncio
import re
import shlex
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

import service.__main__ as command
from service import __version__
from service.tracking.directions import Directions
from service.tracking.queries import TrackingQueries
from service.upstream.embedded import EmbeddedError
from service.welcome import welcome
from tests.api.serving import API
from tests.fakes.mlflow import FakeMlflow
from tests.tracking.values import RunsInMemory, make_run


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
        raise EmbeddedError("it did not start")

    monkeypatch.setattr(command, "embedded_mlflow", fails)
    monkeypatch.setenv("TRACKING_DATA_DIR", str(tmp_path))
    assert 1 == command.main([])
    assert ["experiment-tracking: it did not start"] == capsys.readouterr().err.splitlines()


def test_ctrl_c_while_it_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ctrl-C before the service listens is exit code 130, as shells have it."""

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "embedded_mlflow", interrupted)
    monkeypatch.setenv("TRACKING_DATA_DIR", str(tmp_path))
    assert 130 == command.main([])


@pytest.mark.parametrize(
    ("argv", "is_new", "expected"), [([], True, 0), (["--sample"], True, 1), (["--sample"], False, 0)]
)
def test_the_sample_is_for_a_new_local_store(
    mlflow: FakeMlflow,
    until_ready: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    argv: list[str],
    is_new: bool,
    expected: int,
) -> None:
    """--sample records the sample session where the local store is empty, and nowhere else."""
    ran: list[list[str]] = []
    monkeypatch.setattr("subprocess.run", lambda arguments, **_: ran.append(arguments))
    monkeypatch.setattr(command, "embedded_mlflow", lambda *_: nullcontext(mlflow.url))
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("TRACKING_DATA_DIR", str(tmp_path))
    if not is_new:
        (tmp_path / "mlflow.db").touch()
    assert 0 == command.main(argv)
    assert [[sys.executable, "-m", "service.sample", mlflow.url, "Default"]] * expected == ran
    assert until_ready


@pytest.mark.usefixtures("until_ready")
def test_no_sample_over_somebody_elses_server(mlflow: FakeMlflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """--sample writes nothing into a server that the service was pointed at."""
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("it was run"))
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


class TestWelcome:
    def commands(self, text: str) -> list[list[str]]:
        """The curl lines, as a shell would split them."""
        return [shlex.split(line) for line in text.splitlines() if line.lstrip().startswith("curl ")]

    async def text(self, source: RunsInMemory) -> str:
        return await welcome("http://h:1", TrackingQueries(source, "Default", Directions([])))

    def some(self, number: int) -> RunsInMemory:
        return RunsInMemory(make_run(f"r{index}") for index in range(number))

    @pytest.mark.parametrize(
        ("runs", "expected"),
        [
            (0, ["/runs?limit=5", "/experiments"]),
            (1, ["/runs?limit=5", "/runs/r0", "/experiments"]),
            (2, ["/runs?limit=5", "/runs/r0", "/runs/compare"]),
        ],
    )
    async def test_commands(self, runs: int, expected: list[str]) -> None:
        """Three commands where there are runs, all with addresses of this service."""
        text = await self.text(self.some(runs))
        assert [f"http://h:1{API}{path}" for path in expected] == [line[1] for line in self.commands(text)]
        assert "http://h:1/docs" in text

    async def test_the_comparison_can_be_pasted(self) -> None:
        """A shell makes of the last line a header and a body of JSON."""
        [*_, compare] = self.commands(await self.text(self.some(2)))
        assert ["-H", "Content-Type: application/json", "-d", '{"run_ids": ["r0", "r1"]}'] == compare[2:]

    async def test_an_mlflow_that_does_not_answer_yet(self) -> None:
        """The address is said though MLflow fails."""
        source = RunsInMemory()
        source.fails = True
        text = await self.text(source)
        assert "http://h:1" in text
        assert "does not answer yet" in text
