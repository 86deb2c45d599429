"""A service with many runs, as a process of its own: what it does takes nothing from the test's loop."""

import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.bench import sides
from tests.bench.machine import Server, free_port, running
from tests.live.server import ENVIRONMENT

SECONDS: Final = 180.0  # that reading 100,000 runs may take on a busy machine
_POLL: Final = 0.2
_OWN: Final = {
    "TRACKING_INDEX__FIRST_SHARE": "1",
    "TRACKING_DRAIN_SECONDS": "0",
    "TRACKING_ACCESS_LOG": "false",
}


@contextmanager
def many_runs(folder: Path, runs: int) -> Iterator[str]:
    """The address of the console of a service over so many runs of tests/bench/scale.py, all read."""
    with (
        sides.scale_upstream(folder, f"mlflow-{runs}", runs=runs, scale=0.0) as mlflow,
        service_over(folder, mlflow, f"service-{runs}") as address,
    ):
        all_read(address)
        yield f"{address}console/"


@contextmanager
def service_over(folder: Path, mlflow: Server, name: str = "service", **settings: str) -> Iterator[str]:
    """The address of the service over an MLflow. settings: by their names after TRACKING_."""
    port = free_port()
    variables = {
        **ENVIRONMENT,
        **_OWN,
        "MLFLOW_TRACKING_URI": mlflow.url,
        "MLFLOW_EXPERIMENT_NAME": "Default",
        "TRACKING_PORT": str(port),
        **{f"TRACKING_{key}": value for key, value in settings.items()},
    }
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-m", "service"]
    with running(name, command, url, folder, health="livez", variables=variables, cwd=sides.ROOT):
        yield url


def all_read(address: str) -> None:
    """Wait until the service at this address has read all runs of its experiment."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + SECONDS
    while True:
        try:
            with opener.open(f"{address}api/v1/tracking/runs/search?page_size=1", timeout=30) as answer:
                if json.load(answer)["index"]["complete"]:
                    return
        except OSError as error:
            if time.monotonic() > until:
                raise RuntimeError("the index is not complete") from error
        time.sleep(_POLL)
