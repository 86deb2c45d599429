"""Real Chromium, shown the console of a service over the fake MLflow."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from tests.api.serving import Client, serving
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

CHROMIUM: Final = "/usr/bin/chromium"
# Without them Chromium asks its maker's hosts at every start, and needs what a container lacks.
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """A Chromium of its own."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - `make console` installs it

    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        await started.close()


@pytest.fixture
async def indexed(fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over that MLflow, with an index that looks for changes ten times a second."""
    async with serving(fake.url, index={"tick": 0.1}) as client:
        yield client


@pytest.fixture
async def watched(browser: Any, indexed: Client) -> AsyncIterator[Watched]:
    """A page of the console, in which nothing may go wrong unseen: see `Watched.end`."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    watching = Watched(await context.new_page(), str(indexed.make_url("/console/")))
    await watching.begin()
    yield watching
    await watching.end()
    await context.close()
