"""The guard: it ends a command, and all that the command started, when its parent ends."""

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
def guarded(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """A guard over a Python command, in a process group of its own, as a terminal would start it."""
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
    """Whether the command and its child run, waiting until they do."""
    assert process.stdout is not None
    return process.stdout.readline() == b"both b'here\\n'\n"


def all_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the guard, the command and its child end in time: then reading their output ends."""
    assert process.stdout is not None
    reading = threading.Thread(target=process.stdout.read, daemon=True)
    reading.start()
    reading.join(SECONDS)
    return not reading.is_alive()


def test_a_closed_input_ends_the_whole_group() -> None:
    """When the parent's end of the pipe closes, however that came, command and grandchildren end."""
    with guarded(FAMILY) as process:
        assert has_started(process)
        assert process.stdin is not None
        process.stdin.close()
        assert all_ended(process)
        assert 0 == process.wait(SECONDS)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_to_the_guard_ends_the_whole_group(sign: signal.Signals) -> None:
    """A signal that would end the guard, such as a closed terminal's, ends all that it guards first."""
    with guarded(FAMILY) as process:
        assert has_started(process)
        os.killpg(process.pid, sign)
        assert all_ended(process)


def test_ctrl_c_is_the_parents() -> None:
    """SIGINT alone ends nothing; the parent, who gets it too, closes the input when it is done."""
    with guarded(FAMILY) as process:
        assert has_started(process)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdin is not None
        process.stdin.close()
        assert all_ended(process)
        assert 0 == process.wait(SECONDS)


def test_the_exit_code_of_the_command() -> None:
    """A command that ends by itself gives its exit code, and what it left behind is ended."""
    with guarded(FAMILY.removesuffix("signal.pause()\n") + "sys.exit(7)") as process:
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
        """The end of the pipe that a parent holds."""
        reading, writing = os.pipe()
        with os.fdopen(reading) as stdin, os.fdopen(writing, "w") as parent:
            monkeypatch.setattr("sys.stdin", stdin)
            yield parent

    @pytest.fixture
    def work(self, tmp_path: Path) -> Path:
        """The folder that the command works in."""
        (tmp_path / "work").mkdir()
        return tmp_path / "work"

    def run(self, work: Path, code: str) -> int:
        """The guard's exit code over a Python command."""
        return supervisor.main(work, os.open(os.devnull, os.O_RDONLY), [sys.executable, "-c", code])

    @pytest.mark.usefixtures("parent")
    def test_exit_code(self, work: Path) -> None:
        """The command's exit code comes back."""
        assert 3 == self.run(work, "raise SystemExit(3)")

    @pytest.mark.usefixtures("parent")
    def test_the_folder(self, work: Path) -> None:
        """The command works in the folder, which is removed at the end with what is in it."""
        code = "import os, sys; open('left', 'w'); sys.exit(0 if os.listdir() == ['left'] else 1)"
        assert 0 == self.run(work, code)
        assert not work.exists()

    @pytest.mark.usefixtures("parent")
    def test_the_standard_input_of_the_command(self, work: Path) -> None:
        """The command gets the descriptor as its standard input, and the guard keeps none of it."""
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        code = f"import socket, sys; sys.exit(socket.socket(fileno=0).getsockname()[1] != {port})"
        assert 0 == supervisor.main(work, listener.detach(), [sys.executable, "-c", code])
        with socket.socket() as probe:
            assert 0 != probe.connect_ex(("127.0.0.1", port))

    def test_end_of_input(self, work: Path, parent: io.TextIOWrapper) -> None:
        """An input that is closed already ends the command at once."""
        parent.close()
        assert 0 == self.run(work, "import signal; signal.pause()")

    def test_input_that_is_no_end(self, work: Path, parent: io.TextIOWrapper) -> None:
        """What is written to the guard ends nothing."""
        parent.write("x")
        parent.flush()
        assert 4 == self.run(work, "raise SystemExit(4)")

    @pytest.mark.usefixtures("parent")
    def test_sigterm(self, work: Path) -> None:
        """SIGTERM ends the command."""
        code = "import os, signal; os.kill(os.getppid(), signal.SIGTERM); signal.pause()"
        assert -signal.SIGTERM == self.run(work, code)

    @pytest.mark.usefixtures("parent")
    def test_a_signal_before_the_command_is_known(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A signal that comes while the command is being started ends it as soon as it is."""
        start = subprocess.Popen

        def signalled(*args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
            os.kill(os.getpid(), signal.SIGTERM)
            return start(*args, **kwargs)

        monkeypatch.setattr(subprocess, "Popen", signalled)
        assert -signal.SIGTERM == self.run(work, "import signal; signal.pause()")

    @pytest.mark.usefixtures("parent")
    def test_a_command_that_does_not_listen(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A command that ignores SIGTERM is killed after a while."""
        monkeypatch.setattr(supervisor, "_GRACE", 0.1)
        code = (
            "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            "os.kill(os.getppid(), signal.SIGTERM); signal.pause()"
        )
        assert -signal.SIGKILL == self.run(work, code)
