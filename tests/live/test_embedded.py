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
from mlflow import MlflowClient

from tests.local.stores import laid_out

pytestmark = [pytest.mark.live, pytest.mark.slow]

SECONDS = 60
ROOT = Path(__file__).parents[2]


@contextmanager
def service(folder: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The service with its data in a folder, in a process group of its own, as a terminal would start it."""
    inherited = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "service", *arguments],
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
            process.kill()  # the supervisor hears of it, and ends all that it started
            watched = [os.pidfd_open(pid) for pid in processes_of(folder) if pid != process.pid]
            have_ended(watched)
            for one in watched:
                os.close(one)


def processes_of(folder: Path) -> list[int]:
    """The processes that name the folder in their command line: the supervisor, MLflow and its workers."""
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


@pytest.mark.parametrize(("sign", "exit_code"), [(signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)])
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


# What a user may have set for another MLflow, a proxy or another server, each of which once broke the start.
FOR_OTHERS = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "MLFLOW_ARTIFACTS_ONLY": "true",
    "MLFLOW_READ_REPLICA_BACKEND_STORE_URI": "sqlite:////nowhere/other.db",
    "MLFLOW_SERVER_ALLOWED_HOSTS": "mlflow:5000",
    "MLFLOW_STATIC_PREFIX": "/mlflow",
    "MLFLOW_TRACKING_TOKEN": "for-another",
    "UVICORN_ROOT_PATH": "/other",
    "http_proxy": "http://127.0.0.1:9",
}


async def runs(process: subprocess.Popen[str]) -> list[str]:
    """The ids of the runs that the service lists, once it is ready; it is stopped then."""
    [address] = [
        line.rpartition(" ")[2] for line in welcome(process) if line.startswith("Experiment Tracking")
    ]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{address}/api/v1/tracking/runs?limit=100") as response,
    ):
        assert 200 == response.status
        found = [run["run_id"] for run in (await response.json())["runs"]]
    process.send_signal(signal.SIGINT)
    assert 0 == process.wait(SECONDS)
    return found


async def test_a_file_store_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its runs are listed, whatever else is set and lies beside it, and no file of it changes or is added."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    folder = tmp_path / "My 100% Runs?" / "mlruns"
    client = MlflowClient(folder.as_uri())
    run_id = client.create_run("0", run_name="mine").info.run_id
    client.set_terminated(run_id)
    for name in ("signal.py", "calendar.py"):
        (folder.parent / name).write_text("raise SystemExit('a module of the user')")
    before = laid_out(folder.parent)
    with service(tmp_path, "--sample", MLFLOW_TRACKING_URI=folder.as_uri(), **FOR_OTHERS) as process:
        assert [run_id] == await runs(process)
    assert before == laid_out(folder.parent)
    assert before.keys() == {name.partition("/")[2] for name in laid_out(tmp_path)}


async def test_a_new_database_of_the_users(tmp_path: Path) -> None:
    """One whose name no address can hold is made as MLflow reads it, without sample or litter."""
    uri = f"sqlite:///{tmp_path}/what%3F/100%25.db?timeout=30"
    with service(tmp_path, "--sample", MLFLOW_TRACKING_URI=uri, **FOR_OTHERS) as process:
        assert [] == await runs(process)
    assert ["100%.db"] == list(laid_out(tmp_path / "what?"))


async def test_a_sample_that_breaks_off(tmp_path: Path) -> None:
    """Killed amid the first sample, the service completes it at the next start: each run is there once."""
    with service(tmp_path, "--sample", **FOR_OTHERS) as process:
        assert process.stdout is not None
        assert any(line.startswith("sample: logged 10") for line in process.stdout)
        watched = [os.pidfd_open(pid) for pid in processes_of(tmp_path)]
        process.kill()
        assert have_ended(watched)
        for one in watched:
            os.close(one)
    assert (tmp_path / "mlflow.db.unfinished").exists()
    with service(tmp_path, "--sample", **FOR_OTHERS) as process:
        assert 73 == len(await runs(process))
    assert not (tmp_path / "mlflow.db.unfinished").exists()


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
