"""The process of the local MLflow: started on a free loopback port, stopped with the service."""

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
    """Where MLflow's output goes, and where in it this start begins."""

    path: Path
    file: IO[bytes]
    begin: int


@contextmanager
def local_mlflow(store: Store, say: Callable[[str], object]) -> Iterator[str]:
    """The address of a local MLflow over the store, for as long as the context lasts.

    LocalError where it does not start. While a new store is made, a file beside it says so; it is left to
    whoever knows that nothing is missing in the store any more.
    """
    work = Path(tempfile.mkdtemp(prefix="experiment-tracking-"))
    try:
        with _making(store), _log(store, work) as log, socket.socket() as listener:
            # MLflow gets the socket itself, so nobody else can get the port while it starts.
            listener.bind((_HOST, 0))
            url = f"http://{_HOST}:{listener.getsockname()[1]}"
            say(f"Starting a local MLflow over {store.uri} (its log: {log.path}) ...")
            guard = subprocess.Popen(
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
                _wait(guard, url, began + _START_SECONDS, log)
                say(f"MLflow answers at {url} after {time.monotonic() - began:.0f} s.")
                yield url
            finally:
                _stop(guard)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _making(store: Store) -> Iterator[None]:
    """While a new store is made, or an unfinished one completed, no other start takes part in it."""
    if store.is_read_only or not (store.is_new or store.is_unfinished):
        yield
        return
    try:
        store.folder.mkdir(parents=True, exist_ok=True)
        mark = store.unfinished.open("ab")
    except OSError as error:
        raise LocalError(f"a new store cannot be made at {store.path}: {error.strerror}") from error
    with mark:
        _take(store, mark)
        yield


def _take(store: Store, mark: IO[bytes]) -> None:
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LocalError(f"{store.uri} is being made by another start; wait until it is done") from error
    if store.is_new:
        for end in ("", "-wal", "-shm", "-journal"):  # what a start that broke off left, without a run in it
            store.path.with_name(store.path.name + end).unlink(missing_ok=True)


@contextmanager
def _log(store: Store, work: Path) -> Iterator[_Log]:
    """The log stands beside the service's own store; the user's gets no file that is not its own."""
    path = (store.folder if store.is_own and not store.is_read_only else work) / "mlflow.log"
    with path.open("a+b") as file:
        yield _Log(path, file, file.seek(0, os.SEEK_END))


def _command(store: Store, work: Path, listener: socket.socket) -> list[str]:
    script = str(Path(__file__).with_name("supervisor.py"))
    guard = [sys.executable, "-P", script, str(work), str(listener.fileno())]
    server = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    # The socket is its standard input. It says host and port as well, for MLflow's own use.
    server += ["--uvicorn-opts", "--fd 0", "--host", _HOST, "--port", str(listener.getsockname()[1])]
    return [*guard, *server, "--backend-store-uri", _uri(store, work), *_options(store, work)]


def _uri(store: Store, work: Path) -> str:
    """The store as MLflow reads it."""
    if store.is_file_store:
        return store.path.as_uri()
    path = store.path
    if set("?%") & set(str(path)):  # SQLAlchemy has no way to write the one, and two ways to read the other
        path = work / "store.db"
        path.symlink_to(store.path)
    return f"sqlite:///{path}" + (f"?{store.query}" if store.query else "")


def _options(store: Store, work: Path) -> list[str]:
    """Where artifacts and models go; beside the user's store only where MLflow's client would put them."""
    if store.is_own:
        return ["--artifacts-destination", (store.folder / "artifacts").as_uri()]
    if not store.is_file_store:
        return ["--no-serve-artifacts", "--default-artifact-root", (store.folder / "mlruns").as_uri()]
    # Its registry makes a folder as it starts, which a read-only store does not bear and nobody asks for.
    models = work / "models"
    models.mkdir()
    root = ["--default-artifact-root", store.path.as_uri()]
    return ["--no-serve-artifacts", *root, "--registry-store-uri", models.as_uri()]


def _wait(guard: subprocess.Popen[bytes], url: str, until: float, log: _Log) -> None:
    while not _answers(url):
        if guard.poll() is not None:
            raise LocalError(f"the local MLflow stopped as it started. {_last_words(log)}")
        if time.monotonic() > until:
            raise LocalError(
                f"the local MLflow did not answer within {_START_SECONDS:.0f} s. {_last_words(log)}"
            )
        with suppress(subprocess.TimeoutExpired):
            guard.wait(0.1)


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


def _stop(guard: subprocess.Popen[bytes]) -> None:
    if guard.stdin is not None:
        guard.stdin.close()
    try:
        guard.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        guard.kill()
        guard.wait()
