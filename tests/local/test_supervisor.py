"""The supervisor stops a command, and all its child processes, when the parent process ends."""

import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from service.local import supervisor

GUARD = Path(supervisor.__file__)
SECONDS = 10

# Says that it and its child run, and waits. The child ignores SIGTERM, as a stubborn worker does. Both hold
# the standard output, whose end tells that both have ended, and end by themselves if nobody ends them.
FAMILY = """
import signal, subprocess, sys
child = (
    "import signal; signal.alarm(20); signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('here', flush=True); signal.pause()"
)
child = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE, stderr=1)
print("both", child.stdout.readline(), flush=True)
signal.alarm(20)
signal.pause()
"""


@contextmanager
def supervised(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """A supervisor over a Python command, in a process group of its own, as in a terminal."""
    with (
        Path(os.devnull).open() as nothing,
        subprocess.Popen(
            [
                sys.executable,
                str(GUARD),
                tempfile.mkdtemp(),
                str(nothing.fileno()),
                sys.executable,
                "-c",
                code,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            pass_fds=[nothing.fileno()],
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def has_started(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether the command and its child run, after waiting for both."""
    assert process.stdout is not None
    return process.stdout.readline() == b"both b'here\\n'\n"


def all_ended(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether the supervisor, the command and its child end in time, which ends their output."""
    assert process.stdout is not None
    reading = threading.Thread(target=process.stdout.read, daemon=True)
    reading.start()
    reading.join(SECONDS)
    return not reading.is_alive()


def test_a_closed_input_stops_the_whole_group() -> None:
    """When the parent's end of the pipe closes, for whatever reason, command and grandchild end."""
    with supervised(FAMILY) as process:
        assert has_started(process)
        assert process.stdin is not None
        process.stdin.close()
        assert all_ended(process)
        assert 0 == process.wait(SECONDS)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_stops_the_whole_group(sign: signal.Signals) -> None:
    """A signal that ends the supervisor, such as SIGHUP, stops the command and its child first."""
    with supervised(FAMILY) as process:
        assert has_started(process)
        os.killpg(process.pid, sign)
        assert all_ended(process)


def test_ignores_ctrl_c() -> None:
    """SIGINT stops nothing: the parent gets it too, and closes the input when it is done."""
    with supervised(FAMILY) as process:
        assert has_started(process)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdin is not None
        process.stdin.close()
        assert all_ended(process)
        assert 0 == process.wait(SECONDS)


def test_returns_the_exit_code_and_stops_child_processes() -> None:
    """If the command ends by itself, its exit code is returned and its child processes are stopped."""
    with supervised(FAMILY.removesuffix("signal.pause()\n") + "sys.exit(7)") as process:
        assert has_started(process)
        assert all_ended(process)
        assert 7 == process.wait(SECONDS)


class TestInThisProcess:
    @pytest.fixture(autouse=True)
    def _signals(self) -> Iterator[None]:
        kept = {
            sign: signal.getsignal(sign)
            for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
        }
        yield
        for sign, handler in kept.items():
            signal.signal(sign, handler)

    @pytest.fixture
    def parent(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.TextIOWrapper]:
        """The parent's end of the pipe."""
        reading, writing = os.pipe()
        with os.fdopen(reading) as stdin, os.fdopen(writing, "w") as parent:
            monkeypatch.setattr("sys.stdin", stdin)
            yield parent

    @pytest.fixture
    def work(self, tmp_path: Path) -> Path:
        """The folder in which the command runs."""
        (tmp_path / "work").mkdir()
        return tmp_path / "work"

    def run(self, work: Path, code: str) -> int:
        """Run the supervisor over a Python command, and return its exit code."""
        return supervisor.main(work, os.open(os.devnull, os.O_RDONLY), [sys.executable, "-c", code])

    @pytest.mark.usefixtures("parent")
    def test_returns_the_exit_code(self, work: Path) -> None:
        """The exit code is the command's."""
        assert 3 == self.run(work, "raise SystemExit(3)")

    @pytest.mark.usefixtures("parent")
    def test_removes_the_folder(self, work: Path) -> None:
        """The command runs in the folder, which is removed at the end with its content."""
        code = "import os, sys; open('left', 'w'); sys.exit(0 if os.listdir() == ['left'] else 1)"
        assert 0 == self.run(work, code)
        assert not work.exists()

    @pytest.mark.usefixtures("parent")
    def test_the_standard_input_of_the_command(self, work: Path) -> None:
        """The command gets the descriptor as its standard input, and the supervisor closes it."""
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        code = f"import socket, sys; sys.exit(socket.socket(fileno=0).getsockname()[1] != {port})"
        assert 0 == supervisor.main(work, listener.detach(), [sys.executable, "-c", code])
        with socket.socket() as probe:
            assert 0 != probe.connect_ex(("127.0.0.1", port))

    def test_stops_at_once_if_the_input_is_closed(self, work: Path, parent: io.TextIOWrapper) -> None:
        """If the input is already closed, the command is stopped at once."""
        parent.close()
        assert 0 == self.run(work, "import signal; signal.pause()")

    def test_ignores_other_input(self, work: Path, parent: io.TextIOWrapper) -> None:
        """Bytes on the input stop nothing."""
        parent.write("x")
        parent.flush()
        assert 4 == self.run(work, "raise SystemExit(4)")

    @pytest.mark.usefixtures("parent")
    def test_sigterm_stops_the_command(self, work: Path) -> None:
        """SIGTERM stops the command."""
        code = "import os, signal; os.kill(os.getppid(), signal.SIGTERM); signal.pause()"
        assert -signal.SIGTERM == self.run(work, code)

    @pytest.mark.usefixtures("parent")
    def test_a_signal_during_the_start_stops_the_command(
        self, work: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A signal that arrives while the command is being started stops it at once afterwards."""
        start = subprocess.Popen

        def signalled(*args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
            os.kill(os.getpid(), signal.SIGTERM)
            return start(*args, **kwargs)

        monkeypatch.setattr(subprocess, "Popen", signalled)
        assert -signal.SIGTERM == self.run(work, "import signal; signal.pause()")

    @pytest.mark.usefixtures("parent")
    def test_kills_a_command_that_ignores_sigterm(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A command that ignores SIGTERM is killed after a while."""
        monkeypatch.setattr(supervisor, "_GRACE", 0.1)
        code = (
            "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            "os.kill(os.getppid(), signal.SIGTERM); signal.pause()"
        )
        assert -signal.SIGKILL == self.run(work, code)
