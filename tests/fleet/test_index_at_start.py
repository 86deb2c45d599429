"""A new replica takes the index from the store, however many runs it holds."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.scale import runs_of
from tests.bench.scale_upstream import ScaleUpstream
from tests.deploy.balancer import until
from tests.fleet.fleet import fleet
from tests.fleet.index import ANY, SETTINGS, SYNC, wait_until_complete
from tests.resilience.measure import starved
from tests.store.servers import StoreServer

pytestmark = pytest.mark.fleet

Record = Callable[[str, object], None]
# 3 s are promised, on a machine at rest; what a busy one gave to others is not counted.
FIRST_SEARCH_SECONDS = 6.0
PATIENCE_SECONDS = 60.0


@pytest.mark.parametrize("runs", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
async def test_a_new_replica(tmp_path: Path, store: StoreServer, runs: int, record_property: Record) -> None:
    """It finds all runs some seconds after its start, and has asked MLflow for none of them."""
    upstream = ScaleUpstream(runs_of(runs), scale=0.0)
    async with (
        upstream.serve(),
        fleet(tmp_path, upstream, store.url, settings=SETTINGS) as some,
        some.calls_noted() as calls,
    ):
        new = some.replicas[-1]
        await new.close()
        await wait_until_complete(some, some.urls[:-1])
        began = time.monotonic()
        await new.start()
        replies = []

        async def finds() -> bool:
            replies.append(await some.caller.ask(new.url, ANY))
            return replies[-1].status == 200

        await until(finds, "the new replica finds runs", PATIENCE_SECONDS, new.said)
        seconds = time.monotonic() - began - starved(new.pid)
        record_property("first search", f"{seconds:.2f} s after the start, {runs} runs")
        asked = [call for call in calls if call.pid == new.pid and call.endpoint == SYNC]
        assert (runs, []) == (replies[-1].body["total"], asked)
        assert seconds <= FIRST_SEARCH_SECONDS
