"""A real MLflow server for the tests: its own process group, its own directory, SQLite, gone afterwards."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

START_SECONDS = 120.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.1
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # The job workers are processes that these tests have no use for.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    # Experiments may keep their artifacts anywhere: nothing is ever put there.
    "MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES": "abfss,hdfs,https",
}


@contextmanager
def running_mlflow(directory: Path) -> Iterator[str]:
    """Start an MLflow that keeps its data in a directory, and give its URL, with a slash at its end."""
    port = free_port()
    with mlflow_on(port, directory):
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def mlflow_on(port: int, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An MLflow on this port, over the data of this directory, once it answers."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{directory / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(directory / "artifacts")]
    # What a developer has set for another MLflow must not reach this one.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    output = directory / "mlflow-server.log"
    with (
        output.open("ab") as log,
        subprocess.Popen(
            command,
            cwd=directory,
            env={**inherited, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as server,
    ):
        try:
            wait_until_healthy(server, f"http://127.0.0.1:{port}/", output)
            yield server
        finally:
            signal_group(server.pid, signal.SIGCONT)  # what a test has stopped hears nothing else
            stop_group(server)


def free_port() -> int:
    """A port that nobody listens on.

    Of those that the kernel gives to nobody by itself (ip_local_port_range starts at 32,768): while a server
    starts, which takes seconds, no other test's gets it.
    """
    while True:
        with socket.socket() as probe, suppress(OSError):
            port = random.randrange(15_000, 32_000)
            probe.bind(("127.0.0.1", port))
            return port


def wait_until_healthy(server: subprocess.Popen[bytes], url: str, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        # Waiting for its death is the pause between two questions, and ends at once when it dies.
        with suppress(subprocess.TimeoutExpired):
            server.wait(POLL_SECONDS)
            break
        if is_healthy(url):
            return
    state = "still starting" if server.poll() is None else f"ended with {server.returncode}"
    raise RuntimeError(f"MLflow did not come up: {state}\n{output.read_text(errors='replace')}")


def is_healthy(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}health", timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def stop_group(server: subprocess.Popen[bytes]) -> None:
    """End the server and every process that it started: asked first, and what is left then is killed."""
    signal_group(server.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(STOP_SECONDS)
    signal_group(server.pid, signal.SIGKILL)
    server.wait()


def signal_group(group: int, sign: signal.Signals) -> None:
    # Nobody is left, or (PermissionError, on macOS) only processes that have ended and wait to be reaped.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, sign)
