"""A service that holds 100,000 runs in its index, with the MLflow that it keeps in step with."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.bench import sides
from tests.bench.client import client
from tests.bench.load import Question, ask
from tests.bench.machine import Server
from tests.bench.rows.bench import Bench
from tests.bench.rows.questions import TRACKING

_READY_SECONDS = 900.0
_PAUSE = 0.05
# With facets, so that it is never handed to MLflow, and is an error until the index has all runs.
ANY = Question(f"{TRACKING}/runs/search?page_size=1&facets=status")


def number_of_runs(bench: Bench) -> int:
    """How many runs the index holds."""
    return bench.pick(100_000, 5_000)


@contextmanager
def indexed(bench: Bench, upstream: Server, name: str = "indexed", **settings: str) -> Iterator[Server]:
    """The service over an upstream. Its snapshot is kept for the next of these contexts with this address.

    So the first one reads every run from the upstream, and the others begin with the snapshot.
    """
    snapshots = bench.folder / f"snapshots-{upstream.url.rpartition(':')[2].strip('/')}"
    snapshots.mkdir(exist_ok=True)
    own = {"INDEX__SNAPSHOT_DIR": str(snapshots), "INDEX__FIRST_SHARE": "1", **settings}
    with sides.service(bench.folder, upstream, name, quiet=False, **own) as service:
        yield service


def wait_until_complete(service: Server) -> float:
    """Seconds from the start of the process to the first search of all runs."""
    waiting = time.monotonic()
    asyncio.run(_complete(service))
    return service.started_in + time.monotonic() - waiting


def wait_for_a_snapshot(service: Server) -> None:
    """Wait until the service writes one when it ends: once it has also looked for new runs."""
    asyncio.run(_complete(service, is_synced=True))


async def _complete(service: Server, *, is_synced: bool = False) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    async with client(service) as caller:
        while time.monotonic() < deadline:
            with suppress(RuntimeError):
                index = json.loads(await caller.ask(ANY))["index"]
                if index["synced_ms"] is not None or not is_synced:
                    return
            await asyncio.sleep(_PAUSE)
    raise RuntimeError(f"the index of {service.name} is not complete after {_READY_SECONDS:g} s")


def total_of(service: Server) -> int:
    """How many runs the service finds."""
    body: dict[str, Any] = json.loads(asyncio.run(ask(service, ANY)).body)
    return int(body["total"])
