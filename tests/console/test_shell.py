"""The console in a real browser: what every page has."""

import pytest

from tests.console.watched import Watched

pytestmark = pytest.mark.console


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("", "Runs"),
        ("runs", "Runs"),
        ("run?id=abc", "Run abc"),
        ("run", "Run"),
        ("compare?ids=a,b", "Comparison"),
        ("strategy", "Strategy"),
        ("lineage", "Lineage"),
        ("health", "Health"),
    ],
)
async def test_each_address_shows_its_page(watched: Watched, page: str, title: str) -> None:
    """Each address of the console loads its page, and the document is called after it."""
    watched.expected.append("404")  # there are no such runs
    await watched.go(page)
    await watched.has_title(title)
    assert await watched.page.locator("main").count() == 1


async def test_another_page_brings_its_styles(watched: Watched) -> None:
    """A page loads its own styles; those of another one are there before that is shown."""
    await watched.go("runs")
    await watched.page.get_by_role("link", name="Health").click()
    await watched.has_title("Health")
    styles = await watched.page.evaluate("() => [...document.styleSheets].map(({ href }) => href)")
    assert 1 == sum(href.endswith("/health.css") for href in styles)


async def test_a_link_changes_the_page_without_loading_the_document(watched: Watched) -> None:
    """Going to another page and back keeps the document, and with it what is held in memory."""
    await watched.go("runs")
    await watched.page.evaluate("window.isSame = true")
    await watched.page.get_by_role("link", name="Health").click()
    await watched.has_title("Health")
    await watched.page.go_back()
    await watched.has_title("Runs")
    assert await watched.page.evaluate("window.isSame")
