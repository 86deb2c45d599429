"""Keys in a real browser: asked for, checked, kept, forgotten, and refused."""

import base64
import json

import pytest

from service.auth.api_keys import new_key
from tests.api.serving import Client
from tests.console.components import mount
from tests.console.conftest import Open
from tests.console.modules import evaluated
from tests.console.watched import Watched

pytestmark = pytest.mark.console


async def asked_for_a_key(open_page: Open, service: Client) -> Watched:
    """The page "Runs" of a reader without a key, which asks for one."""
    watched = await open_page(service)
    watched.expected.append("401")
    await watched.go("runs?type=cpcv")
    await watched.page.get_by_role("heading", name="The service needs a key").wait_for()
    return watched


async def use(watched: Watched, key: str) -> None:
    await watched.page.get_by_label("API key or token").fill(key)
    await watched.page.get_by_role("button", name="Use the key").click()


async def test_a_key_opens_the_view_that_was_asked_for(open_page: Open, keyed: tuple[Client, str]) -> None:
    """With a key the page shows the view of its address; the key is in no address and not in localStorage."""
    service, key = keyed
    watched = await asked_for_a_key(open_page, service)
    await use(watched, key)
    await watched.page.get_by_role("table").wait_for()
    await watched.page.locator('.live[data-state="live"]').wait_for()
    assert watched.page.url.endswith("runs?type=cpcv")
    assert not any(key in address for address in watched.requests)
    stored = await watched.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert key not in stored


@pytest.mark.parametrize("is_kept", [True, False])
async def test_a_key_is_kept_only_where_that_is_wanted(
    open_page: Open, keyed: tuple[Client, str], is_kept: bool
) -> None:
    """A key that is kept survives a reload in its tab; any other one is gone, and is asked for again."""
    service, key = keyed
    watched = await asked_for_a_key(open_page, service)
    await watched.page.get_by_label("Keep it").set_checked(is_kept)
    await use(watched, key)
    await watched.page.get_by_role("table").wait_for()
    await watched.page.reload()
    shown = "table" if is_kept else "textbox"
    await watched.page.get_by_role(shown).or_(watched.page.get_by_label("API key")).first.wait_for()
    assert is_kept == (await watched.page.get_by_label("API key").count() == 0)


async def test_a_key_is_forgotten(open_page: Open, keyed: tuple[Client, str]) -> None:
    """Forgetting the key takes its data away at once, and the page asks for one again."""
    service, key = keyed
    watched = await asked_for_a_key(open_page, service)
    await watched.page.get_by_label("Keep it").check()
    await use(watched, key)
    await watched.page.get_by_role("table").wait_for()
    await watched.page.get_by_text("Settings").click()
    await watched.page.get_by_role("button", name="Forget the key").click()
    await watched.page.get_by_role("heading", name="The service needs a key").wait_for()
    assert 0 == await watched.page.get_by_role("table").count()
    assert "{}" == await watched.page.evaluate("JSON.stringify({...sessionStorage})")


async def test_a_key_that_expires_while_live_is_asked_for(open_page: Open, keyed: tuple[Client, str]) -> None:
    """When a key is refused later, the page says so, and the next key shows the same view."""
    service, key = keyed
    watched = await asked_for_a_key(open_page, service)
    await use(watched, key)
    await watched.page.get_by_role("table").wait_for()
    unknown = new_key("bob").key
    refusing = "**/api/v1/tracking/**"

    async def refuse(route: object) -> None:
        await route.continue_(headers={"Authorization": f"Bearer {unknown}"})  # type: ignore[attr-defined]

    await watched.page.get_by_role("combobox", name="Filter").focus()
    await watched.page.route(refusing, refuse)
    await watched.page.keyboard.type("momentum")  # unless it asked by itself meanwhile
    await watched.page.get_by_role("heading", name="The service does not take this key").wait_for()
    await watched.page.unroute(refusing)
    await use(watched, key)
    await watched.page.get_by_role("combobox", name="Filter").wait_for()
    assert "type=cpcv" in watched.page.url


@pytest.mark.parametrize("key", ["etk_a b", "etk_“x”", "etk_\u200bx", "ключ", "🔑"])
async def test_a_key_that_no_header_carries_is_refused_here(
    open_page: Open, keyed: tuple[Client, str], key: str
) -> None:
    """A text with characters that no key has is not sent, and the field says which character it is."""
    watched = await asked_for_a_key(open_page, keyed[0])
    before = len(watched.requests)
    await use(watched, key)
    await watched.page.get_by_role("alert").get_by_text("which no key has").wait_for()
    field = watched.page.get_by_label("API key or token")
    assert "true" == await field.get_attribute("aria-invalid")
    assert await field.evaluate("(element) => element === document.activeElement")
    assert before == len(watched.requests)


async def test_spaces_around_a_key_are_no_part_of_it(module_page: Watched) -> None:
    """What people copy beside a key is cut off, and what is left is checked."""
    faults = await evaluated(
        module_page, "parts/key.js", "['etk_Ab-_9', 'a.b.c', 'é', 'a\\tb'].map(m.faultOf)"
    )
    assert ["", "", ""] == faults[:3]
    assert "character 2 is a space or a line break" in faults[3]


async def test_a_refused_caller_reads_who_it_is(module_page: Watched) -> None:
    """403 says whom the token names, with any characters, and what the service says is missing."""
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "zoë <b>"}).encode()).decode().rstrip("=")
    assert "zoë <b>" == await evaluated(module_page, "parts/key.js", "m.nameIn(values[0])", f"a.{claims}.c")
    for text in ("etk_x", "a.b.c", "a..c", "a.eyJzdWIiOjF9.c"):
        assert "" == await evaluated(module_page, "parts/key.js", "m.nameIn(values[0])", text)


async def test_a_refused_caller_is_told_what_is_missing(watched: Watched) -> None:
    """403 is no question for just any key: it says what this one lacks, and the request to tell."""
    await watched.go("health")
    await watched.has_title("Health")
    error = {"status": 403, "code": "forbidden", "detail": "The token does not grant access to runs."}
    await mount(watched, "parts/key.js", "KeyForm", {"error": {**error, "requestId": "abc-1"}})
    text = await watched.page.locator("form").inner_text()
    assert "This key may not read runs" in text
    assert error["detail"] in text
    assert "abc-1" in text
