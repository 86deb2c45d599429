"""The service beside a store that replicas share: what is wired, and that nothing is without one."""

import asyncio
import subprocess
import sys

import pytest

from service.app import build
from tests.api.serving import API, make_settings, serving
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import eventually
from tests.store.scripted_server import scripted

URL = "http://127.0.0.1:9"


def printed(script: str) -> str:
    """What a Python of its own prints."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_without_a_store_nothing_of_it_is_imported() -> None:
    """Neither redis nor the rooms over it are imported by a service that shares nothing."""
    names = printed(
        "import sys; from service.app import build; from service.settings.load import load_settings;"
        f"build(load_settings(), {URL!r});"
        "print([name for name in sys.modules if name.split('.')[0] in {'redis', 'hiredis'}"
        " or name.startswith(('service.store', 'service.wiring.store'))])"
    )
    assert "[]" == names


@pytest.mark.parametrize("missing", ["redis", "hiredis"])
def test_a_store_without_its_extra_is_refused(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Where the libraries are not installed, the error names the setting and the extra."""
    monkeypatch.setenv("TRACKING_STORE__URL", "redis://valkey")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", URL)
    message = printed(
        "import sys; from service.app import build; from service.settings.load import load_settings\n"
        f"sys.modules[{missing!r}] = None\n"
        f"try: build(load_settings(), {URL!r})\n"
        "except ValueError as error: print(error)"
    )
    assert "TRACKING_STORE__URL: a store needs more: pip install 'experiment-tracking[store]'" == message


async def test_the_calls_of_all_replicas_are_divided(fake: FakeMlflow) -> None:
    """Each replica has its part of the calls to MLflow, by the number that the store said last."""
    async with scripted() as server:
        store = {"url": server.url, "max_in_flight": 12}
        async with serving(fake.url, store=store) as api:
            slots = api.service.transport.layers.limit._slots
            assert 12 == slots._number
            server.replicas = 4
            await eventually(lambda: 3 == slots._number, lambda: f"there are {slots._number}")
            await server.stop()
            assert 200 == (await api.get(f"{API}/runs")).status
            assert 3 == slots._number


async def test_without_a_bound_for_all_each_replica_keeps_its_own(fake: FakeMlflow) -> None:
    """Where no bound for all replicas is set, their number changes nothing."""
    async with scripted() as server:
        server.replicas = 4
        async with serving(fake.url, store={"url": server.url}, upstream={"max_in_flight": 7}) as api:
            assert api.service.transport.layers.limit._slots._number == 7


async def test_a_store_that_is_not_there_stops_nobody(fake: FakeMlflow) -> None:
    """A service starts without its store, answers, is ready, and says that it goes on alone."""
    async with scripted() as server:
        await server.stop()
        async with serving(fake.url, store={"url": server.url}) as api:
            response = await api.get(f"{API}/runs")
            assert (200, "experiment-tracking; fwd=miss; detail=detached") == (
                response.status,
                response.headers["Cache-Status"],
            )
            again = await api.get(f"{API}/runs")
            assert "experiment-tracking; hit; ttl=" in again.headers["Cache-Status"]
            assert "detached" not in again.headers["Cache-Status"]
            readyz = await api.get("/readyz")
            assert (200, "detached") == (readyz.status, (await readyz.json())["store"])
            await server.start()
            async with asyncio.timeout(10.0):
                while "attached" != (await (await api.get("/readyz")).json())["store"]:
                    pass


async def test_an_export_says_that_the_store_is_not_there(fake: FakeMlflow) -> None:
    """A table that is streamed has the words of any other answer: MLflow was asked, without the store."""
    fake.add_run()
    async with scripted() as server:
        await server.stop()
        async with serving(fake.url, store={"url": server.url}, index={"enabled": True}) as api:
            indexing = api.service.indexing
            assert indexing is not None
            await eventually(lambda: "complete" == indexing.index.condition, lambda: "it is being read")
            response = await api.get(
                f"{API}/runs/search", headers={"Accept": "text/csv", "Cache-Control": "no-cache"}
            )
            assert ("text/csv", "experiment-tracking; fwd=request; detail=detached") == (
                response.content_type,
                response.headers["Cache-Status"],
            )


def test_the_memory_is_bounded_with_a_store_as_without() -> None:
    """The store takes no memory from answers."""
    plain, beside = (
        build(make_settings(mlflow_tracking_uri=URL, **values), URL)
        for values in ({}, {"store": {"url": "redis://valkey"}})
    )
    assert plain.source._memory._max_bytes == beside.source._memory._max_bytes
