"""What a page asks for, and when it says that it is old."""

import asyncio
from typing import Any

import pytest

from tests.console.watched import MILLISECONDS, Watched

pytestmark = pytest.mark.console

STRATEGIES = "**/api/v1/tracking/strategies?*"
OLD = {"age": "120", "cache-status": "experiment-tracking; hit; ttl=-90; detail=stale"}


async def grow_old(watched: Watched, answers: int) -> asyncio.Event:
    """Make the first so many answers of the list of strategies old; set once a later one was given."""
    renewed = asyncio.Event()
    count = 0

    async def answer(route: Any) -> None:
        nonlocal count
        count += 1
        response = await route.fetch()
        old = OLD if count <= answers else {}
        await route.fulfill(response=response, headers={**response.headers, **old})
        if count > answers:
            renewed.set()

    await watched.page.route(STRATEGIES, answer)
    return renewed


async def test_an_answer_that_is_renewed_behind_it_is_not_called_old(sample_page: Watched) -> None:
    """An old answer is shown, and asked for again; where the next one is new, nothing is said."""
    renewed = await grow_old(sample_page, answers=1)
    await sample_page.go("strategy")
    await sample_page.page.get_by_text("4 strategies").wait_for()
    assert 0 == await sample_page.page.locator(".stale").count()
    await asyncio.wait_for(renewed.wait(), MILLISECONDS / 1000)
    assert 0 == await sample_page.page.locator(".stale").count()


async def test_an_answer_that_stays_old_is_called_old(sample_page: Watched) -> None:
    """Where the next answer is as old, the page says since when, and goes on showing it."""
    await grow_old(sample_page, answers=99)
    await sample_page.go("strategy")
    await sample_page.page.locator(".stale").get_by_text("MLflow has given nothing newer").wait_for()
    assert await sample_page.page.get_by_text("4 strategies").is_visible()
