"""What the service tells Prometheus of the store that replicas share."""

import pytest

from tests.api.serving import API, serving
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.measure import eventually
from tests.store.scripted_server import scripted
from tests.telemetry.test_metrics import Samples, requests, scrape, value

SHARED = "tracking_shared_store_"


def of_store(samples: Samples) -> dict[str, float]:
    """The metrics of the store, by what follows their common name, and their label if they have one."""
    return {
        " ".join([name.removeprefix(SHARED), *(text for _, text in labels)]): number
        for (name, labels), number in samples.items()
        if name.startswith(SHARED)
    }


async def test_without_a_store_there_are_none(fake: FakeMlflow) -> None:
    """A service that shares nothing tells nothing of a store."""
    async with serving(fake.url) as api:
        assert {} == of_store(await scrape(api))


@pytest.mark.thorough
async def test_whether_it_answers_and_how_many_use_it(fake: FakeMlflow) -> None:
    """The gauges follow the store, and each outcome is there before its first time."""
    async with scripted() as server:
        server.replicas = 3
        async with serving(fake.url, store={"url": server.url}) as api:
            numbers = of_store(await scrape(api))
            assert (1, 3) == (numbers["attached"], numbers["replicas"])
            outcomes = {"ok", "slow", "failed", "detached"}
            assert outcomes == {name.split()[1] for name in numbers if name.startswith("operations_total ")}
            answers = {"stored", "proved", "led", "awaited", "alone", "rested"}
            assert answers == {name.split()[1] for name in numbers if name.startswith("answers_total ")}
            assert (0, 0, 0) == tuple(
                numbers[f"{name}_total"] for name in ("waits", "fills_refused", "unreadable")
            )
            assert "is_writer" not in numbers
            link = api.service.sharing.link if api.service.sharing else None
            assert link is not None
            await server.stop()
            await eventually(lambda: not link.is_attached, lambda: "it is attached")
            numbers = of_store(await scrape(api))
            assert (0, 3) == (numbers["attached"], numbers["replicas"])
            assert numbers["failures_total unreachable"] >= 1


async def test_a_store_that_answers_rubbish_is_counted_and_seen_by_nobody(fake: FakeMlflow) -> None:
    """Callers get MLflow's answers; what the store said is a failure of a kind, and the replica is alone."""
    async with scripted() as server, serving(fake.url, store={"url": server.url}) as api:
        response = await api.get(f"{API}/runs")
        assert (200, "experiment-tracking; fwd=miss; detail=detached") == (
            response.status,
            response.headers["Cache-Status"],
        )
        samples = await scrape(api)
        numbers = of_store(samples)
        failures = {name: number for name, number in numbers.items() if name.startswith("failures_total ")}
        assert 1 <= sum(failures.values()), numbers
        assert numbers["answers_total alone"] >= 1
        assert 1 == requests(samples, source="mlflow", route=f"{API}/runs")


async def test_who_writes_the_index(fake: FakeMlflow) -> None:
    """With an index there is a gauge of whether this replica writes it, and a count of records."""
    async with (
        scripted() as server,
        serving(fake.url, store={"url": server.url}, index={"enabled": True}) as api,
    ):
        samples = await scrape(api)
        assert 0 == value(samples, f"{SHARED}is_writer")
        assert 0 == value(samples, f"{SHARED}records_total")
