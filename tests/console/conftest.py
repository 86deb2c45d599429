"""Real Chromium, shown the console of a service over the fake MLflow.

All tests of this folder share one event loop, and so one browser: to start one takes longer than most tests.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from service.auth.api_keys import new_key
from tests.api.serving import Client, serving
from tests.console.chromium import chromium
from tests.console.data import add_odd_runs, add_session, all_read
from tests.console.many import many_runs
from tests.console.prefixed import behind_prefix
from tests.console.watched import Watched, watching
from tests.fakes.mlflow import FakeMlflow

FOLDER = Path(__file__).parent
# An index that looks for changes ten times a second.
QUICK_INDEX = {"tick": 0.1}

Open = Callable[..., Awaitable[Watched]]
fixture = partial(pytest_asyncio.fixture, loop_scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of this folder in one loop."""
    for item in items:
        if FOLDER in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@fixture(scope="session")
async def browser() -> AsyncIterator[Any]:
    """The Chromium of all tests."""
    async with chromium() as browser:
        yield browser


@fixture
async def pages() -> AsyncIterator[AsyncExitStack]:
    """The pages that are open. A service closes them before it ends, since they listen to it."""
    async with AsyncExitStack() as pages:
        yield pages


@fixture
async def open_page(browser: Any, pages: AsyncExitStack) -> Open:
    """Opens pages of a console, in which nothing may go wrong unseen: see `Watched.end`.

    open_page(client or address of the console, **options of Playwright's new_context); each page is of a
    reader of its own, with preferences and keys of its own.
    """

    async def opened(where: Client | str, **options: Any) -> Watched:
        base = where if isinstance(where, str) else str(where.make_url("/console/"))
        return await pages.enter_async_context(watching(browser, base, **options))

    return opened


@fixture
async def fake() -> AsyncIterator[FakeMlflow]:
    """An empty MLflow."""
    async with FakeMlflow().serve() as served:
        yield served


@fixture
async def api(fake: FakeMlflow, pages: AsyncExitStack) -> AsyncIterator[Client]:
    """The service over that MLflow, without an index."""
    async with serving(fake.url) as client:
        yield client
        await pages.aclose()


@fixture
async def indexed(fake: FakeMlflow, pages: AsyncExitStack) -> AsyncIterator[Client]:
    """The service over that MLflow, with an index."""
    async with serving(fake.url, index=QUICK_INDEX) as client:
        yield client
        await pages.aclose()


@fixture
async def sampled(fake: FakeMlflow, pages: AsyncExitStack) -> AsyncIterator[Client]:
    """The service over the sample: strategies, sweeps, walk-forward folds, CPCV paths, backtests."""
    add_session(fake)
    async with serving(fake.url, index=QUICK_INDEX) as client:
        await all_read(client)
        yield client
        await pages.aclose()


@fixture
async def odd(fake: FakeMlflow, pages: AsyncExitStack) -> AsyncIterator[Client]:
    """The service over runs with names and values that pages must be ready for: see `data.ODD_NAMES`."""
    add_odd_runs(fake)
    async with serving(fake.url, index=QUICK_INDEX) as client:
        await all_read(client)
        yield client
        await pages.aclose()


@fixture
async def keyed(fake: FakeMlflow, pages: AsyncExitStack) -> AsyncIterator[tuple[Client, str]]:
    """The service that asks for an API key, over the sample, and a key."""
    add_session(fake)
    key = new_key("ada")
    auth = {"mode": "api_key", "api_keys": key.line, "open_docs": True}
    async with serving(fake.url, index=QUICK_INDEX, auth=auth) as client:
        await all_read(client, key.key)
        yield client, key.key
        await pages.aclose()


@fixture
async def prefixed(sampled: Client, pages: AsyncExitStack) -> AsyncIterator[str]:
    """The address of the console behind a proxy that serves the service below /research/tracking/."""
    async with behind_prefix(sampled, "/research/tracking") as address:
        yield f"{address}/console/"
        await pages.aclose()


@fixture
async def watched(indexed: Client, open_page: Open) -> Watched:
    """A page of the console over an empty MLflow; put runs there with `fake`."""
    return await open_page(indexed)


@fixture
async def sample_page(sampled: Client, open_page: Open) -> Watched:
    """A page of the console over the sample."""
    return await open_page(sampled)


@fixture
async def odd_page(odd: Client, open_page: Open) -> Watched:
    """A page of the console over odd names and values."""
    return await open_page(odd)


@fixture(scope="session")
async def module_page(browser: Any) -> AsyncIterator[Watched]:
    """A page in which modules are asked: see `modules.evaluated`."""
    async with (
        FakeMlflow().serve() as mlflow,
        serving(mlflow.url) as client,
        watching(browser, str(client.make_url("/console/"))) as watched,
    ):
        await watched.go("health")
        await watched.has_title("Health")
        yield watched


@pytest.fixture(scope="session")
def of_many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], str]]:
    """The address of the console of a service with so many runs, a process of its own: of_many(10_000)."""
    with ExitStack() as services:

        @cache
        def address(runs: int) -> str:
            return services.enter_context(many_runs(tmp_path_factory.mktemp("many"), runs))

        yield address
