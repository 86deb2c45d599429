"""What the switch of live updates says, and the index that is still being read."""

from typing import Any

import pytest

from tests.console.components import calls, give, mount
from tests.console.watched import Watched

pytestmark = pytest.mark.console

LIVE: dict[str, Any] = {"name": "live", "detail": "", "by": "stream", "retryAt": None, "staleSince": None}
SAID: dict[str, dict[str, Any]] = {
    "MLflow does not answer since 2025-11-27 00:00:00 UTC": {"staleSince": 1_764_201_600_000},
    "asked every few seconds": {"by": "poll"},
    "The service was not reached. Reconnecting": {
        "name": "waiting",
        "detail": "The service was not reached.",
    },
    "connecting…": {"name": "connecting"},
    "no live updates: The index is off.": {"name": "refused", "detail": "The index is off."},
    "needs": {"name": "old"},
}


async def draw(watched: Watched, state: dict[str, Any]) -> None:
    await watched.go("health")
    await watched.has_title("Health")
    await mount(
        watched, "live/switch.js", "LiveSwitch", {"state": {**LIVE, **state}, "isOn": True}, "onChange"
    )


@pytest.mark.parametrize("text", SAID)
async def test_the_switch_says_how_live_the_page_is(watched: Watched, text: str) -> None:
    """Beside the switch stands what keeps the page from being live, in words."""
    await draw(watched, SAID[text])
    await watched.page.locator(".live").get_by_text(text.replace("needs", "they need version")).wait_for()


async def test_live_updates_can_be_paused_by_a_switch(watched: Watched) -> None:
    """The switch says whether it is on, and pressing it asks for the other."""
    await draw(watched, {})
    switch = watched.page.get_by_role("switch", name="Live")
    assert "true" == await switch.get_attribute("aria-checked")
    await switch.press("Space")
    assert [["onChange", {"live": False}]] == await calls(watched)
    await give(watched, isOn=False)
    await watched.page.locator(".live").get_by_text("paused").wait_for()
    assert "false" == await switch.get_attribute("aria-checked")


async def test_an_index_that_is_read_is_asked_again_by_itself(watched: Watched) -> None:
    """While runs are still read, the page says how many of them, and asks again when the service said."""
    await watched.go("health")
    await watched.has_title("Health")
    error = {"detail": "Not every run has been read yet.", "retryAfter": 1, "problem": {"share_read": 0.423}}
    await mount(watched, "runs/nothing.js", "NotReady", {"error": {**error, "requestId": ""}}, "retry")
    await watched.page.get_by_text("about 42").wait_for()
    assert "0.423" == await watched.page.get_by_role("progressbar").get_attribute("value")
    await watched.page.get_by_text("Asked again now.").wait_for()
    assert ["retry"] == [call[0] for call in await calls(watched)]
