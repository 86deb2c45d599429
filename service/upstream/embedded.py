"""A local real MLflow for the first run: started on a free loopback port, stopped with the service."""

from __future__ import annotations

import http.client
import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_START_SECONDS = 120.0
_STOP_SECONDS = 15.0
_HOST = "127.0.0.1"


class EmbeddedError(Exception):
    """The local MLflow did not start; the message says what to do."""


class Store(NamedTuple):
    """Where the local MLflow keeps its data. uri: as MLflow's --backend-store-uri takes it."""

    uri: str
    folder: Path
    is_new: bool
    is_file_store: bool = False


def local_store(tracking_uri: str, data_dir: Path) -> Store | None:
    """The store that a tracking URI means; None where it is the address of a server."""
    if tracking_uri.startswith(("http://", "https://")):
        return None
    if tracking_uri.startswith("sqlite://"):
        file = Path(tracking_uri.removeprefix("sqlite:///"))
        return Store(f"sqlite:///{file.absolute()}", file.absolute().parent, not file.exists())
    folder = Path(tracking_uri.removeprefix("file://") or data_dir).absolute()
    if any(folder.glob("*/meta.yaml")):  # an `mlruns` folder that MLflow's file store wrote
        return Store(str(folder), folder, is_new=False, is_file_store=True)
    file = folder / "mlflow.db"
    return Store(f"sqlite:///{file}", folder, not file.exists())


@contextmanager
def embedded_mlflow(store: Store, say: Callable[[str], object]) -> Iterator[str]:
    """The address of a local MLflow over the store, for as long as the context lasts."""
    if importlib.util.find_spec("mlflow") is None:
        raise EmbeddedError(
            "no MLflow to talk to: set MLFLOW_TRACKING_URI to your server's address, or install a local one "
            "with: pip install 'experiment-tracking[embedded]'"
        )
    store.folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    log = store.folder / "mlflow.log"
    say(f"Starting a local MLflow over {store.uri} (its log: {log}) ...")
    with log.open("ab") as output:
        guard = subprocess.Popen(
            _command(store, port),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=_environment(store),
            cwd=store.folder,
        )
    try:
        began = time.monotonic()
        _wait(guard, port, began + _START_SECONDS, log)
        say(f"MLflow answers at http://{_HOST}:{port} after {time.monotonic() - began:.0f} s.")
        yield f"http://{_HOST}:{port}"
    finally:
        _stop(guard)


def _command(store: Store, port: int) -> list[str]:
    server = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        _HOST,
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    stores = ["--backend-store-uri", store.uri, "--artifacts-destination", str(store.folder / "artifacts")]
    return [sys.executable, str(Path(__file__).with_name("guard.py")), *server, *stores]


def _environment(store: Store) -> dict[str, str]:
    mine = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        **({"MLFLOW_ALLOW_FILE_STORE": "true"} if store.is_file_store else {}),
    }
    # The server reads MLFLOW_TRACKING_* too, where they would mean another server.
    return {
        name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_TRACKING_")
    } | mine


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _wait(guard: subprocess.Popen[bytes], port: int, until: float, log: Path) -> None:
    while not _answers(port):
        if guard.poll() is not None:
            raise EmbeddedError(f"the local MLflow stopped as it started; {log} says why")
        if time.monotonic() > until:
            raise EmbeddedError(f"the local MLflow did not answer within {_START_SECONDS:.0f} s; see {log}")
        with suppress(subprocess.TimeoutExpired):
            guard.wait(0.1)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(guard: subprocess.Popen[bytes]) -> None:
    if guard.stdin is not None:
        guard.stdin.close()
    try:
        guard.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        guard.kill()
        guard.wait()
