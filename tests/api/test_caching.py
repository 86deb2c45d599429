"""What callers share and what MLflow is asked, seen over HTTP: by a clock that tests turn."""

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import ClientSession, TCPConnector, web
from multidict import CIMultiDict

from service.cache.cached_source import CachedSource
from tests.api.serving import API, ROUTES, Client, ask, serving
from tests.cache.scripted import Clock, landed
from tests.fakes.mlflow import FakeMlflow
from tests.fakes.store import Metric

RUN = ROUTES["run"][1]
RUN_ID = "abc123def456"
EVERY = pytest.mark.parametrize("route", ROUTES)


@pytest.fixture
def clock() -> Clock:
    """The time that the store lives by, which stands still."""
    return Clock()


@pytest.fixture
async def api(fake: FakeMlflow, clock: Clock) -> AsyncIterator[Client]:
    """The service over an MLflow with the two runs that `ask` asks for."""
    for run_id in (RUN_ID, "def456ghi789"):
        fake.add_run(run_id=run_id, metrics={"sharpe": 1.0}, params={"p": "x"})
    async with serving(fake.url) as client:
        source = source_of(client)
        source._clock = source._remembering._clock = clock
        yield client


def source_of(api: Client) -> CachedSource:
    return api.service.source


def taken(fake: FakeMlflow) -> Counter[str]:
    """What MLflow was asked since this was last called."""
    asked = Counter(call.endpoint for call in fake.calls)
    fake.calls.clear()
    return asked


async def remembering(api: Client, route: str) -> tuple[int, str, str]:
    """Status, Age and Cache-Status of an answer that may come from the store."""
    method, path, body = ROUTES[route]
    response = await api.request(method, API + path, json=body)
    return response.status, response.headers["Age"], response.headers["Cache-Status"]


async def test_browsing_is_one_list(api: Client, fake: FakeMlflow, clock: Clock) -> None:
    """All who list 50 runs, open five, compare four and poll cost one search together."""
    run_ids = [fake.add_run(metrics={"sharpe": number / 7}) for number in range(60)][-50:]
    for _ in range(3):
        listed = await (await api.get(f"{API}/runs?limit=50")).json()
        assert run_ids[::-1] == [run["run_id"] for run in listed["runs"]]
        for run_id in run_ids[:5]:
            for part in ("", "/metrics", "/params"):
                assert 200 == (await api.get(f"{API}/runs/{run_id}{part}")).status
        assert 200 == (await api.post(f"{API}/runs/compare", json={"run_ids": run_ids[1:5]})).status
        for limit in (50, 20, 1):
            assert limit == len((await (await api.get(f"{API}/runs?limit={limit}")).json())["runs"])
    assert {"experiments/get-by-name": 1, "runs/search": 1} == taken(fake)
    clock.tick(3)
    for _ in range(5):
        await api.get(f"{API}/runs?limit=50")
        await api.get(f"{API}/runs/{run_ids[0]}")
    await landed(source_of(api))
    assert {"runs/search": 1} == taken(fake)
    clock.tick(29)  # past the first list's runs, not past those that polling brought
    for run_id in run_ids[:5]:
        await api.get(f"{API}/runs/{run_id}")
    await landed(source_of(api))
    assert {} == taken(fake)


@EVERY
async def test_age_and_cache_status(api: Client, fake: FakeMlflow, clock: Clock, route: str) -> None:
    """An answer tells its age in whole seconds, and whether MLflow was asked for it."""
    ttl = 2 if route == "runs" else 30
    assert (200, "0", "experiment-tracking; fwd=miss") == await remembering(api, route)
    clock.tick(1.75)
    expected = (200, "1", f"experiment-tracking; hit; ttl={int(ttl - 1.75)}")
    assert expected == await remembering(api, route)
    clock.tick(ttl)
    expected = (200, str(int(ttl + 1.75)), "experiment-tracking; hit; ttl=-1; detail=stale")
    assert expected == await remembering(api, route)
    await landed(source_of(api))
    assert (200, "0", f"experiment-tracking; hit; ttl={ttl}") == await remembering(api, route)
    clock.tick(ttl * 6)
    assert (200, "0", "experiment-tracking; fwd=stale") == await remembering(api, route)


async def test_a_304_tells_its_age_too(api: Client, clock: Clock) -> None:
    """An answer without a body says how old the one is that the caller has."""
    etag = (await api.get(API + RUN)).headers["ETag"]
    clock.tick(5)
    response = await api.get(API + RUN, headers={"If-None-Match": etag})
    assert 304 == response.status
    assert "5" == response.headers["Age"]
    assert "experiment-tracking; hit; ttl=25" == response.headers["Cache-Status"]


@EVERY
@pytest.mark.parametrize("wanted", ["no-cache", "max-age=0, no-cache"])
async def test_no_cache_goes_to_mlflow(api: Client, fake: FakeMlflow, route: str, wanted: str) -> None:
    """A request with Cache-Control: no-cache is answered with what MLflow says now; others share that."""
    await remembering(api, route)
    asked = taken(fake)
    response = await ask(api, route, headers={"Cache-Control": wanted})
    assert ("0", "experiment-tracking; fwd=request") == (
        response.headers["Age"],
        response.headers["Cache-Status"],
    )
    assert asked == taken(fake)
    assert "hit" in (await remembering(api, route))[2]
    assert {} == taken(fake)


async def test_other_wishes_do_not_go_to_mlflow(api: Client, fake: FakeMlflow) -> None:
    """Only no-cache asks MLflow anew; how old is too old is the store's own business."""
    await remembering(api, "run")
    for wanted in ("max-age=0", "no-store", "only-if-cached", "max-stale", ""):
        response = await ask(api, "run", headers={"Cache-Control": wanted})
        assert "hit" in response.headers["Cache-Status"]
    assert {"runs/get": 1} == taken(fake)


async def test_lines_of_one_header_are_one_list(api: Client, fake: FakeMlflow) -> None:
    """Of several lines of a header the last one counts as the first does (RFC 9110, 5.3)."""
    etag = (await api.get(API + RUN)).headers["ETag"]
    known = CIMultiDict([("If-None-Match", '"other"'), ("If-None-Match", etag)])
    assert 304 == (await api.get(API + RUN, headers=known)).status
    before = len(fake.calls)
    anew = CIMultiDict([("Cache-Control", "max-age=0"), ("Cache-Control", "no-cache")])
    assert "fwd=request" in (await api.get(API + RUN, headers=anew)).headers["Cache-Status"]
    assert before + 1 == len(fake.calls)


@EVERY
async def test_an_etag_outlives_renewals_that_change_nothing(
    api: Client, fake: FakeMlflow, route: str
) -> None:
    """However often MLflow says the same, the ETag stays, and whoever has the answer is told so."""
    etag = (await ask(api, route)).headers["ETag"]
    for run in fake.store.runs.values():
        run.rendered = None
    again = await ask(api, route, headers={"If-None-Match": etag})
    assert etag == again.headers["ETag"]
    assert (200 if ROUTES[route][0] == "POST" else 304) == again.status


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in {"params", "experiments"}])
async def test_an_etag_changes_with_a_metric(api: Client, fake: FakeMlflow, route: str) -> None:
    """A metric that is logged makes another answer of all that show it, and the old ETag no longer counts."""
    etag = (await ask(api, route)).headers["ETag"]
    fake.store.runs[RUN_ID].log_metric("sharpe", Metric(2.0, 2_000_000_000_000, 1))
    response = await ask(api, route, headers={"If-None-Match": etag})
    assert (200, True) == (response.status, etag != response.headers["ETag"])
    assert "2.0" in await response.text()


async def test_an_etag_that_no_metric_changes(api: Client, fake: FakeMlflow) -> None:
    """A run's parameters are the same answer whatever is logged beside them."""
    etag = (await ask(api, "params")).headers["ETag"]
    fake.store.runs[RUN_ID].log_metric("sharpe", Metric(2.0, 2_000_000_000_000, 1))
    assert 304 == (await ask(api, "params", headers={"If-None-Match": etag})).status


async def test_a_run_that_is_gone_leaves_the_store(api: Client, fake: FakeMlflow, clock: Clock) -> None:
    """Once MLflow says that a run does not exist, callers are told so, and before that for a while not."""
    await remembering(api, "run")
    del fake.store.runs[RUN_ID]
    clock.tick(31)
    assert 200 == (await api.get(API + RUN)).status
    await landed(source_of(api))
    assert 404 == (await api.get(API + RUN)).status
    assert {"runs/get": 2} == taken(fake)
    assert 404 == (await api.get(API + RUN)).status
    assert {} == taken(fake)


async def test_mlflow_fails_and_heals(api: Client, fake: FakeMlflow, clock: Clock) -> None:
    """While MLflow is away, callers get what it said last, and its age; afterwards they get the new."""
    await remembering(api, "run")
    await fake.stop()
    clock.tick(300)
    assert (200, "300", "experiment-tracking; hit; ttl=-270; detail=stale") == await remembering(api, "run")
    await fake.start()
    fake.store.runs[RUN_ID].log_metric("sharpe", Metric(2.0, 2_000_000_000_000, 1))
    clock.tick(1)
    response = await api.get(API + RUN)
    assert ("0", 2.0) == (response.headers["Age"], (await response.json())["metrics"]["sharpe"])


async def test_without_windows_every_request_is_asked(fake: FakeMlflow) -> None:
    """With all windows at 0 each request goes to MLflow."""
    fake.add_run(run_id=RUN_ID)
    windows = ["terminal_ttl", "active_ttl", "list_ttl", "experiments_ttl", "missing_ttl", "stale_if_error"]
    async with serving(fake.url, cache=dict.fromkeys([*windows, "revalidate_factor"], 0)) as api:
        for _ in range(3):
            for route in ("run", "runs"):
                assert (200, "0") == (await remembering(api, route))[:2]
    assert {"runs/get": 3, "experiments/get-by-name": 3, "runs/search": 3} == taken(fake)


@pytest.fixture
def many_files() -> Iterator[None]:
    """As many open files as the system allows: a herd's connections have both their ends in this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("route", ["run", "compare"])
async def test_a_herd_of_cold_requests(api: Client, fake: FakeMlflow, route: str) -> None:
    """A thousand callers who ask the same before it is known are one call of MLflow's for each run."""
    capacity = api.service.capacity
    everybody = asyncio.Event()

    async def hold(request: web.Request) -> None:
        await everybody.wait()

    fake.before = hold
    method, path, body = ROUTES[route]
    async with ClientSession(connector=TCPConnector(limit=0)) as session, asyncio.timeout(30):

        async def one() -> tuple[int, bytes]:
            async with session.request(method, api.make_url(API + path), json=body) as response:
                return response.status, await response.read()

        herd = [asyncio.create_task(one()) for _ in range(1_000)]
        while capacity.active < 1_000:
            await asyncio.sleep(0)
        everybody.set()
        answers = set(await asyncio.gather(*herd))
    assert 1 == len(answers)
    assert 200 == answers.pop()[0]
    assert {"runs/get": 1 if route == "run" else 2} == taken(fake)
