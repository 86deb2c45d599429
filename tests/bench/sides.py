"""The sides of the comparison, each a process of its own for as long as a context lasts."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.bench.load import Answer, Question
from tests.bench.machine import Server, free_port, running
from tests.bench.runs import USUAL, Shape
from tests.live.server import ENVIRONMENT
from tests.store.servers import find

ROOT = Path(__file__).parents[2]
_RUN = re.compile(r"/runs/[0-9a-f]{32}")


@contextmanager
def mlflow(folder: Path, name: str = "mlflow", port: int | None = None) -> Iterator[Server]:
    """An MLflow with two workers, over the SQLite file of this name; it is empty where there is none."""
    port = port or free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "2", "--backend-store-uri", f"sqlite:///{folder / f'{name}.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    url = f"http://127.0.0.1:{port}/"
    with running(name, command, url, folder, health="health", variables=ENVIRONMENT) as server:
        yield server


def fasttrackml_command() -> str | None:
    """Where FastTrackML's `fml` is; None where it is not installed."""
    file = Path(sys.prefix) / "fasttrackml" / "bin" / "fml"
    return str(file) if os.access(file, os.X_OK) else None


@contextmanager
def fasttrackml(folder: Path) -> Iterator[Server | None]:
    """An empty FastTrackML over SQLite; None where it is not installed."""
    program = fasttrackml_command()
    if program is None:
        yield None
        return
    port = free_port()
    command = [program, "server", "--listen-address", f"127.0.0.1:{port}", "--log-level", "error"]
    command += ["--database-uri", f"sqlite://{folder / 'fasttrackml.db'}"]
    command += ["--default-artifact-root", str(folder / "artifacts")]
    with running("fasttrackml", command, f"http://127.0.0.1:{port}/", folder, health="health") as server:
        yield server


@contextmanager
def fake(
    folder: Path,
    name: str = "fake",
    *,
    runs: int = 1_000,
    latency: float = 0.0,
    shape: Shape = USUAL,
    active: int = 0,
) -> Iterator[Server]:
    """The fake MLflow with runs in it; latency in seconds. active: runs that change with each search."""
    options = {"runs": runs, "latency": latency, "active": active}
    options |= {"metrics": shape.metrics, "params": shape.params}
    with _module("tests.bench.upstream", folder, name, "bench/calls", options) as server:
        yield server


@contextmanager
def scale_upstream(
    folder: Path,
    name: str = "scale",
    *,
    runs: int,
    scale: float = 1.0,
    trials: int = 0,
    port: int | None = None,
) -> Iterator[Server]:
    """The fake MLflow with the scale runs; scale: how many times as long as MLflow a search takes.

    trials: 1 for the runs of `trials.py`, too.
    """
    options = {"runs": runs, "scale": scale, "trials": trials}
    with _module("tests.bench.scale_upstream", folder, name, "bench/calls", options, port) as server:
        yield server


@contextmanager
def service(
    folder: Path, upstream: Server, name: str = "service", *, quiet: bool = False, **settings: str
) -> Iterator[Server]:
    """The service as it is run in production, its log in a file; quiet: without request log and metrics.

    settings: more of them, by the variable's name after TRACKING_.
    """
    port = free_port()
    if quiet:
        settings = {"ACCESS_LOG": "false", "METRICS": "false", **settings}
    # DRAIN_SECONDS: nobody balances load over it, so it need not linger when its row is done.
    variables = {
        "MLFLOW_TRACKING_URI": upstream.url,
        "TRACKING_PORT": str(port),
        "TRACKING_DRAIN_SECONDS": "0",
    }
    variables |= {f"TRACKING_{key}": value for key, value in settings.items()}
    command = [sys.executable, str(Path(sys.executable).with_name("experiment-tracking"))]
    url = f"http://127.0.0.1:{port}/"
    with running(name, command, url, folder, health="livez", variables=variables, cwd=ROOT) as server:
        yield server


@contextmanager
def store(folder: Path) -> Iterator[str]:
    """An empty redis-server, and its address."""
    port = free_port()
    command = [find("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with (
        (folder / "store.log").open("wb") as log,
        subprocess.Popen([*command, "--dir", str(folder)], stdout=log, stderr=log) as process,
    ):
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


@contextmanager
def bare(folder: Path, question: Question, answer: Answer, name: str = "bare") -> Iterator[Server]:
    """A bare handler that gives this answer to this question."""
    body = folder / f"{name}.body"
    body.write_bytes(answer.body)
    route = "/" + _RUN.sub("/runs/{run_id}", question.path.partition("?")[0])
    options = {"method": question.method, "route": route, "status": answer.status, "body": body}
    with _module("tests.bench.bare", folder, name, "", {**options, "etag": answer.etag}) as server:
        yield server


@contextmanager
def naive(folder: Path, upstream: Server) -> Iterator[Server]:
    """The façade that a team would write first."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.bench.naive:app", "--port", str(port)]
    variables = {"MLFLOW_TRACKING_URI": upstream.url.rstrip("/")}
    url = f"http://127.0.0.1:{port}/"
    with running("naive", command, url, folder, health="", variables=variables, cwd=ROOT) as server:
        yield server


@contextmanager
def _module(
    module: str,
    folder: Path,
    name: str,
    health: str,
    options: Mapping[str, object],
    port: int | None = None,
) -> Iterator[Server]:
    port = port or free_port()
    command = [sys.executable, "-m", module, "--port", str(port)]
    command += [f"--{key}={value}" for key, value in options.items()]
    with running(name, command, f"http://127.0.0.1:{port}/", folder, health=health, cwd=ROOT) as server:
        yield server
