"""How the tests start and end a server, with Python processes in the place of MLflow."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.server import stop_group, wait_until_healthy

NOWHERE = "http://127.0.0.1:9/"
CHILD = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(600)"
)
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}])
print(child.pid, flush=True)
child.wait()
"""


def started(code: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code]
    return subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)


def test_a_server_that_dies_is_reported_with_its_output(tmp_path: Path) -> None:
    """A server that ends while it starts fails the test at once, and says what it had printed."""
    output = tmp_path / "server.log"
    output.write_text("no such table")
    with (
        started("raise SystemExit(3)") as server,
        pytest.raises(RuntimeError, match=r"(?s)ended with 3.*no such table"),
    ):
        wait_until_healthy(server, NOWHERE, output)


def test_the_whole_group_is_stopped() -> None:
    """Stopping a server ends the processes that it started, even one that does not heed SIGTERM."""
    with started(PARENT) as server:
        assert server.stdout is not None
        said = {server.stdout.readline().strip() for _ in range(2)}
        (child,) = (int(word) for word in said if word != b"deaf")
        assert server.pid == os.getpgid(child)
        stop_group(server)
        # The child holds the other end of this pipe: it has an end only when the child is gone.
        assert server.stdout.read() == b""
    assert server.returncode == -signal.SIGTERM
