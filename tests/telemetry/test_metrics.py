"""What the service tells Prometheus."""

import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import hdrs
from prometheus_client.parser import text_string_to_metric_families

from service.auth.api_keys import new_key
from service.http.access_record import AccessRecord, RequestTimes
from tests.api.serving import API, ROUTES, Client, ask, serving
from tests.fakes.mlflow import FakeMlflow

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
RUN = f"{API}/runs/{{run_id}}"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scrape(api: Client, **headers: str) -> Samples:
    """The value of each time series, by name and labels."""
    response = await api.get("/metrics", headers=headers)
    assert 200 == response.status
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(await response.text())
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """That of one time series."""
    return samples[name, frozenset(labels.items())]


def requests(samples: Samples, **labels: str) -> float:
    """How many requests bore these labels, whatever else they bore."""
    return sum(
        number
        for (name, pairs), number in samples.items()
        if name == "tracking_request_duration_seconds_count" and labels.items() <= set(pairs)
    )


class TestRequests:
    async def test_by_route(self, api: Client, fake: FakeMlflow) -> None:
        """Requests are counted by template, method and status: no text of a caller's is a label."""
        fake.add_run(run_id="abc123def456")
        for path in ("/runs/abc123def456", "/runs/nobody", "/runs/noone", "/s3cret"):
            await api.get(API + path)
        samples = await scrape(api)
        assert 1 == requests(samples, route=RUN, method="GET", status="200")
        assert 2 == requests(samples, route=RUN, method="GET", status="404")
        assert 1 == requests(samples, route="unmatched", method="GET", status="404")
        assert "s3cret" not in str(samples)
        assert "nobody" not in str(samples)

    async def test_by_source(self, api: Client, fake: FakeMlflow) -> None:
        """Answers that waited for MLflow, answers from memory and all others are told apart."""
        fake.add_run(run_id="abc123def456")
        for _ in range(3):
            await api.get(API + ROUTES["run"][1])
        await api.get("/livez")
        samples = await scrape(api)
        counted = [requests(samples, route=RUN, source=source) for source in ("mlflow", "memory", "none")]
        assert [1, 2, 0] == counted
        assert 1 == requests(samples, route="/livez", source="none")

    async def test_problems(self, api: Client) -> None:
        """Each error is counted by its code, and every code is zero from the start."""
        for path in ("/runs", "/runs/nobody", "/runs/noone", "/runs?limit=x"):
            await api.get(API + path)
        samples = await scrape(api)
        counted = {
            dict(labels)["code"]: number
            for (name, labels), number in samples.items()
            if name == "tracking_problems_total"
        }
        assert {"run_not_found": 2, "invalid_request": 1} == {code: n for code, n in counted.items() if n}
        assert {"internal_error", "upstream_auth", "auth_unavailable", "overloaded"} <= counted.keys()

    async def test_unauthenticated_requests(self, fake: FakeMlflow) -> None:
        """A request without a valid credential is a 401 whose path is no label."""
        key, line = new_key("prometheus")
        async with serving(fake.url, auth={"mode": "api_key", "api_keys": line}) as api:
            await api.get(f"{API}/runs/s3cret")
            await api.get("/metrics", headers={"X-API-Key": "wrong"})
            samples = await scrape(api, Authorization=f"Bearer {key}")
        assert 2 == requests(samples, route="unmatched", status="401", source="none")
        assert 2 == value(samples, "tracking_problems_total", code="unauthenticated")

    async def test_in_flight(self, api: Client) -> None:
        """A request that is being handled is seen, the scrape itself included."""
        assert 1 == value(await scrape(api), "tracking_requests_in_flight")


class TestBounds:
    """There are only ever so many time series, whatever callers send."""

    @pytest.mark.thorough
    async def test_hostile_requests(self, api: Client) -> None:
        """A thousand paths and all kinds of methods make no more time series than a few do."""
        methods = ["GET", "PROPFIND", "M-SEARCH", "SOURCE", "PURGE", "DELETE", "LINK"]

        async def attack(numbers: range) -> set[tuple[str, frozenset[tuple[str, str]]]]:
            for number in numbers:
                await api.request(methods[number % len(methods)], f"/p{number}/%00{number}?q={number}")
                await api.request(methods[number % len(methods)], f"{API}/runs/r{number}")
            return set(await scrape(api))

        await scrape(api)  # which is a request, too
        few = await attack(range(14))
        assert few == await attack(range(14, 500))

    def test_methods(self) -> None:
        """Methods that HTTP does not define share one label, and those that it does have their own."""
        times = RequestTimes()
        for method in [*(f"BREW{number}" for number in range(100)), "get", "GET", "PATCH"]:
            times(AccessRecord(NOON, "1", "::1", method, "unmatched", "/", 405, 1.0))
        assert {"GET": 1, "PATCH": 1, "other": 101} == {
            kind.method: durations.buckets()[-1][1] for kind, durations in times
        }
        assert "other" not in hdrs.METH_ALL

    async def test_labels(self, fake: FakeMlflow) -> None:
        """Every label is one of those that have few values."""
        async with serving(fake.url) as api:
            for route in ROUTES:
                await ask(api, route)
            samples = await scrape(api)
        names = {
            name: {label for label, _ in labels}
            for name, labels in samples
            if name.startswith("tracking_") and not name.endswith("_bucket")
        }
        assert {"route", "method", "status", "source"} == names["tracking_request_duration_seconds_count"]
        assert {"endpoint", "outcome"} == names["tracking_upstream_calls_total"]
        few_values = {"route", "method", "status", "source", "endpoint", "outcome", "code", "state", "result"}
        assert few_values | {"version", "kind"} >= set().union(*names.values())


class TestUpstream:
    async def test_calls(self, fake: FakeMlflow) -> None:
        """Attempts are counted by endpoint and outcome, and the breaker's state is told."""
        async with serving(fake.url, upstream={"attempts": 1, "breaker_failures": 3}) as api:
            await ask(api, "experiments")
            await fake.stop()
            for _ in range(4):
                await ask(api, "experiments")
            samples = await scrape(api)
        calls = {
            outcome: value(
                samples, "tracking_upstream_calls_total", endpoint="experiments/search", outcome=outcome
            )
            for outcome in ("ok", "upstream_error", "breaker_open")
        }
        assert {"ok": 1, "upstream_error": 3, "breaker_open": 1} == calls
        states = [
            value(samples, "tracking_upstream_breaker", state=state)
            for state in ("closed", "open", "half_open")
        ]
        assert [0, 1, 0] == states
        assert 1 == value(samples, "tracking_upstream_breaker_openings_total")

    async def test_durations(self, fake: FakeMlflow) -> None:
        """How long MLflow took is counted for each endpoint."""
        fake.latency = 0.1
        async with serving(fake.url) as api:
            await ask(api, "experiments")
            samples = await scrape(api)
        name, endpoint = "tracking_upstream_duration_seconds", "experiments/search"
        assert 1 == value(samples, f"{name}_count", endpoint=endpoint)
        assert 0.1 <= value(samples, f"{name}_sum", endpoint=endpoint)
        assert 0 == value(samples, f"{name}_bucket", endpoint=endpoint, le="0.05")
        assert 1 == value(samples, f"{name}_bucket", endpoint=endpoint, le="+Inf")

    async def test_waiting_for_a_slot(self, fake: FakeMlflow) -> None:
        """The time that calls wait for a slot is added up, and is not part of MLflow's."""
        fake.latency = 0.2
        upstream = {"max_in_flight": 1, "queue_timeout": 20.0}
        async with serving(fake.url, upstream=upstream) as api:
            for run_id in ("abc123def456", "def456ghi789"):
                fake.add_run(run_id=run_id)
            paths = [f"{API}/runs/{run_id}" for run_id in ("abc123def456", "def456ghi789")]
            await asyncio.gather(*(api.get(path) for path in paths))
            samples = await scrape(api)
        assert 0.1 <= value(samples, "tracking_upstream_wait_seconds_total")
        assert (0, 0) == tuple(
            value(samples, f"tracking_upstream_{name}") for name in ("in_flight", "waiting")
        )


class TestMemory:
    async def test_reads(self, api: Client, fake: FakeMlflow) -> None:
        """Lookups in the cache are counted by their result."""
        fake.add_run(run_id="abc123def456")
        for _ in range(3):
            await api.get(API + ROUTES["run"][1])
        samples = await scrape(api)
        results = ("hit", "stale", "miss", "collapsed", "anew", "failed")
        reads = [value(samples, "tracking_cache_reads_total", result=result) for result in results]
        assert [2, 0, 1, 0, 0, 0] == reads
        assert value(samples, "tracking_cache_bytes") > 0

    async def test_collapsed_reads(self, fake: FakeMlflow) -> None:
        """A request that joins a call that is already under way counts as collapsed."""
        fake.add_run(run_id="abc123def456")
        fake.latency = 0.2
        async with serving(fake.url) as api:
            await asyncio.gather(*(api.get(API + ROUTES["run"][1]) for _ in range(3)))
            samples = await scrape(api)
        assert 1 == fake.count("runs/get")
        assert 2 == value(samples, "tracking_cache_reads_total", result="collapsed")

    @pytest.mark.parametrize(("max_bytes", "kept", "dropped"), [(2**20, 2, 0), (40_000, 1, 1)])
    async def test_encoded_answers(self, fake: FakeMlflow, max_bytes: int, kept: int, dropped: int) -> None:
        """Encoded answers that are kept, their bytes and those that were dropped are counted."""
        runs = [fake.add_run(params={"notes": "x" * 600}) for _ in range(2)]
        async with serving(fake.url, cache={"max_bytes": max_bytes}) as api:
            for run in runs:
                assert 200 == (await api.get(f"{API}/runs/{run}")).status
            samples = await scrape(api)
        assert kept == value(samples, "tracking_answers_entries")
        assert dropped == value(samples, "tracking_answers_evictions_total")
        assert 600 * kept < value(samples, "tracking_answers_bytes") <= max_bytes // 4


class TestProcess:
    async def test_the_event_loop(self, api: Client) -> None:
        """The lag of the event loop is measured while the service runs."""
        async with asyncio.timeout(20):
            while not (count := value(await scrape(api), "tracking_event_loop_lag_seconds_count")):
                await asyncio.sleep(0.01)
        assert count > 0

    async def test_lost_lines(self, api: Client) -> None:
        """A log that lost no lines shows zero."""
        assert 0 == value(await scrape(api), "tracking_log_lines_lost_total")

    async def test_metrics_can_be_turned_off(self, fake: FakeMlflow) -> None:
        """With TRACKING_METRICS=false there is no /metrics, and nothing is measured."""
        before = asyncio.all_tasks()
        async with serving(fake.url, metrics=False) as api:
            assert 404 == (await api.get("/metrics")).status
            assert 200 == (await api.get(f"{API}/runs")).status
            assert not [task for task in asyncio.all_tasks() - before if "_watch" in repr(task)]


async def test_a_scrape_asks_mlflow_nothing(api: Client, fake: FakeMlflow) -> None:
    """A scrape makes no call to MLflow."""
    before = dict(api.service.transport.layers.counting.outcomes)
    await scrape(api)
    assert ([], before) == (fake.calls, dict(api.service.transport.layers.counting.outcomes))
