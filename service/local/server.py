"""The process of the local MLflow, which listens on a free loopback port and stops with the service."""

from __future__ import annotations

import fcntl
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from service.local.environment import environment
from service.local.installed import LocalError
from service.local.store import Store

_START_SECONDS = 180.0
_STOP_SECONDS = 15.0
_HOST = "127.0.0.1"
_LAST_WORDS = 15  # lines
_TAIL = 16_384  # bytes


class _Log(NamedTuple):
    """The log file of MLflow. begin: the offset at which the lines of this start begin."""

    path: Path
    file: IO[bytes]
    begin: int


@contextmanager
def local_mlflow(store: Store, say: Callable[[str], object]) -> Iterator[str]:
    """Run a local MLflow over the store during this context, whose value is MLflow's address.

    LocalError if it does not start. While a new store is created, the file `store.unfinished` marks it;
    whoever completes the store removes the mark.
    """
    work = Path(tempfile.mkdtemp(prefix="experiment-tracking-"))
    try:
        with _creating(store), _log(store, work) as log, socket.socket() as listener:
            # MLflow gets the socket itself, so no other process can take the port while it starts.
            listener.bind((_HOST, 0))
            url = f"http://{_HOST}:{listener.getsockname()[1]}"
            say(f"Starting a local MLflow over {store.uri} (its log: {log.path}) ...")
            supervisor = subprocess.Popen(
                _command(store, work, listener),
                stdin=subprocess.PIPE,
                stdout=log.file,
                stderr=log.file,
                env=environment(os.environ, is_file_store=store.is_file_store),
                cwd=work,
                pass_fds=[listener.fileno()],
            )
            listener.close()
            try:
                began = time.monotonic()
                _wait(supervisor, url, began + _START_SECONDS, log)
                say(f"MLflow answers at {url} after {time.monotonic() - began:.0f} s.")
                yield url
            finally:
                _stop(supervisor)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _creating(store: Store) -> Iterator[None]:
    """Lock a new or unfinished store, so that no other start creates or completes it at the same time."""
    if store.is_read_only or not (store.is_new or store.is_unfinished):
        yield
        return
    try:
        store.folder.mkdir(parents=True, exist_ok=True)
        mark = store.unfinished.open("ab")
    except OSError as error:
        raise LocalError(f"a new store cannot be created at {store.path}: {error.strerror}") from error
    with mark:
        _take(store, mark)
        yield


def _take(store: Store, mark: IO[bytes]) -> None:
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LocalError(
            f"{store.uri} is being created by another process; wait until that is done"
        ) from error
    if store.is_new:
        for suffix in ("", "-wal", "-shm", "-journal"):  # left by an interrupted start, without a run in them
            store.path.with_name(store.path.name + suffix).unlink(missing_ok=True)


@contextmanager
def _log(store: Store, work: Path) -> Iterator[_Log]:
    """Open the log: beside the service's own store, or in the folder `work` for a store of the user."""
    path = (store.folder if store.is_own and not store.is_read_only else work) / "mlflow.log"
    with path.open("a+b") as file:
        yield _Log(path, file, file.seek(0, os.SEEK_END))


def _command(store: Store, work: Path, listener: socket.socket) -> list[str]:
    script = str(Path(__file__).with_name("supervisor.py"))
    supervisor = [sys.executable, "-P", script, str(work), str(listener.fileno())]
    server = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    # uvicorn takes the socket from its standard input (fd 0). MLflow itself needs host and port as well.
    server += ["--uvicorn-opts", "--fd 0", "--host", _HOST, "--port", str(listener.getsockname()[1])]
    return [*supervisor, *server, "--backend-store-uri", _uri(store, work), *_options(store, work)]


def _uri(store: Store, work: Path) -> str:
    """Return the URI of the store for MLflow."""
    if store.is_file_store:
        return store.path.as_uri()
    path = store.path
    if set("?%") & set(
        str(path)
    ):  # SQLAlchemy cannot escape a ?, and its versions read a % in different ways
        path = work / "store.db"
        path.symlink_to(store.path)
    return f"sqlite:///{path}" + (f"?{store.query}" if store.query else "")


def _options(store: Store, work: Path) -> list[str]:
    """Return the options for artifacts and models; a user's store gets them where MLflow puts them."""
    if store.is_own:
        return ["--artifacts-destination", (store.folder / "artifacts").as_uri()]
    if not store.is_file_store:
        return ["--no-serve-artifacts", "--default-artifact-root", (store.folder / "mlruns").as_uri()]
    # The model registry creates a folder at start, which fails in a read-only store: give it a temporary one.
    models = work / "models"
    models.mkdir()
    root = ["--default-artifact-root", store.path.as_uri()]
    return ["--no-serve-artifacts", *root, "--registry-store-uri", models.as_uri()]


def _wait(supervisor: subprocess.Popen[bytes], url: str, until: float, log: _Log) -> None:
    while not _answers(url):
        if supervisor.poll() is not None:
            raise LocalError(f"the local MLflow stopped while it started. {_last_words(log)}")
        if time.monotonic() > until:
            raise LocalError(
                f"the local MLflow did not answer within {_START_SECONDS:.0f} s. {_last_words(log)}"
            )
        with suppress(subprocess.TimeoutExpired):
            supervisor.wait(0.1)


def _last_words(log: _Log) -> str:
    end = log.file.seek(0, os.SEEK_END)
    log.file.seek(max(log.begin, end - _TAIL))
    lines = log.file.read().decode(errors="replace").splitlines()[-_LAST_WORDS:]
    if not lines:
        return f"Its log, {log.path}, is empty"
    return "\n".join([f"The end of its log, {log.path}:", *(f"  {line}" for line in lines)])


def _answers(url: str) -> bool:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(supervisor: subprocess.Popen[bytes]) -> None:
    if supervisor.stdin is not None:
        supervisor.stdin.close()
    try:
        supervisor.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
