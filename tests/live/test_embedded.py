"""`python -m service` as a newcomer and an orchestrator run it: real processes, from start to end."""

import os
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

pytestmark = pytest.mark.live

SECONDS = 60
ROOT = Path(__file__).parents[2]


@contextmanager
def service(folder: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The service with its data in a folder, in a process group of its own, as a terminal would start it."""
    inherited = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "service"],
        cwd=folder,
        env={**inherited, "TRACKING_DATA_DIR": str(folder), "TRACKING_PORT": "0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            for pid in [process.pid, *processes_of(folder)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def processes_of(folder: Path) -> list[int]:
    """The processes that name the folder in their command line: the guard, MLflow and its workers."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def welcome(process: subprocess.Popen[str]) -> list[str]:
    """The lines that the service says until it is ready."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("Ctrl-C"):
            break
    return lines


def have_ended(watched: list[int]) -> bool:
    """Whether the processes behind these pidfds end in time."""
    return all(select.select([one], [], [], SECONDS)[0] for one in watched)


async def paste(line: str) -> int:
    """Do what a curl line says; the status of the answer."""
    _, url, *options = shlex.split(line)
    given = dict(zip(options[::2], options[1::2], strict=True))
    headers = dict([given["-H"].split(": ")]) if "-H" in given else {}
    method = "POST" if "-d" in given else "GET"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, data=given.get("-d")) as response,
    ):
        await response.read()
        return response.status


def send(process: subprocess.Popen[str], sign: signal.Signals) -> None:
    """A terminal's Ctrl-C goes to the whole group, an orchestrator's signal to the service alone."""
    if sign is signal.SIGINT:
        os.killpg(process.pid, sign)
    else:
        process.send_signal(sign)


@pytest.mark.parametrize(
    ("sign", "exit_code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
async def test_from_nothing_to_an_answer_and_back(
    tmp_path: Path, sign: signal.Signals, exit_code: int
) -> None:
    """With nothing set it starts an MLflow, answers what it says to paste, and leaves no process behind."""
    with service(tmp_path, TRACKING_DRAIN_SECONDS="0") as process:
        lines = welcome(process)
        commands = [line.strip() for line in lines if line.lstrip().startswith("curl ")]
        assert commands
        assert [200] * len(commands) == [await paste(line) for line in commands]
        assert (tmp_path / "mlflow.db").is_file()
        started = processes_of(tmp_path)
        assert 2 <= len(started)
        watched = [os.pidfd_open(pid) for pid in started]
        try:
            send(process, sign)
            assert exit_code == process.wait(SECONDS)
            assert have_ended(watched)
        finally:
            for one in watched:
                os.close(one)
        assert [] == processes_of(tmp_path)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """A port that cannot be listened on is one clear line, and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        settings = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "TRACKING_PORT": port}
        with service(tmp_path, TRACKING_LOG_LEVEL="error", **settings) as process:
            said, complaint = process.communicate(timeout=SECONDS)
    assert (1, "") == (process.returncode, said)
    [line] = complaint.splitlines()
    assert re.search(rf"experiment-tracking: .*{port}.*address already in use", line.lower())
