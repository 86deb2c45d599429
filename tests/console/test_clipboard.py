"""Copying where the browser gives pages its clipboard (HTTPS), and where it does not (plain HTTP)."""

import pytest

from tests.api.serving import Client
from tests.console.conftest import Open, fixture
from tests.console.states import STATES
from tests.console.watched import Watched

pytestmark = pytest.mark.console

REQUEST_ID = "0123456789abcdef"
# As over plain HTTP; the test itself keeps the clipboard, to look what is in it.
WITHOUT_CLIPBOARD = """
window.kept = navigator.clipboard;
Object.defineProperty(Navigator.prototype, "clipboard", { value: undefined });
"""
REFUSES = "document.execCommand = () => false;"
# Of Playwright's context: a page may read what was copied.
MAY_READ = {"permissions": ["clipboard-read", "clipboard-write"]}


@fixture
async def plain(open_page: Open, sampled: Client) -> Watched:
    """A page that has no clipboard of the browser, as over plain HTTP from another machine."""
    watched = await open_page(sampled, **MAY_READ)
    await watched.page.add_init_script(WITHOUT_CLIPBOARD)
    return watched


async def test_a_request_id_is_copied(open_page: Open, sampled: Client) -> None:
    """The button beside the id of a failed request copies it, and says so."""
    watched = await open_page(sampled, **MAY_READ)
    await STATES["error"](watched, "lineage?ref=git:b04e7d8")
    await watched.page.get_by_role("button", name="Copy the request id").click()
    await watched.page.get_by_text("copied", exact=True).wait_for()
    assert REQUEST_ID == await watched.page.evaluate("navigator.clipboard.readText()")


async def test_a_request_id_is_copied_over_plain_http(plain: Watched) -> None:
    """It is copied there, too; the focus stays on the button."""
    await STATES["error"](plain, "lineage?ref=git:b04e7d8")
    button = plain.page.get_by_role("button", name="Copy the request id")
    await button.click()
    await plain.page.get_by_text("copied", exact=True).wait_for()
    assert REQUEST_ID == await plain.page.evaluate("kept.readText()")
    assert await button.evaluate("(one) => one === document.activeElement")


async def test_a_dialog_copies_over_plain_http(plain: Watched) -> None:
    """A dialog that is modal copies the table, though nothing outside of it can be selected."""
    await plain.go("runs?cols=status")
    await plain.page.locator("tbody tr[data-id]").first.wait_for()
    await plain.page.keyboard.press("y")
    dialog = plain.page.get_by_role("dialog", name="Copy runs")
    await dialog.get_by_role("button", name="Copy").click()
    await dialog.wait_for(state="hidden")
    assert str(await plain.page.evaluate("kept.readText()")).startswith("run_name,status,run_id")


async def test_a_browser_that_refuses(plain: Watched) -> None:
    """Where nothing may be copied, the page says so and nothing else goes wrong."""
    await plain.page.add_init_script(REFUSES)
    await STATES["error"](plain, "lineage?ref=git:b04e7d8")
    await plain.page.get_by_role("button", name="Copy the request id").click()
    await plain.page.get_by_text("The browser does not let this page copy.").wait_for()
