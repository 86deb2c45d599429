"""The dialog that all dialogs of the console are made of, drawn on its own."""

import pytest

from service.console.files import digest
from tests.console.conftest import fixture
from tests.console.table import expects
from tests.console.watched import Watched

pytestmark = pytest.mark.console

# One button opens a dialog that stays in the document, another one that is there only while it is open.
_DRAW = """
async (base) => {
  const { h, render } = await import("preact");
  const { signal } = await import("@preact/signals");
  const { Dialog } = await import(`${base}parts/dialog.js`);
  window.isOpen = signal("");
  window.closings = [];
  const Drawn = () => {
    const dialog = (which) => h(Dialog, {
      isOpen: isOpen.value === which, name: which, title: `The ${which} one`,
      onClose: () => { closings.push(which); isOpen.value = ""; },
      children: () => h("button", { onClick: () => { isOpen.value = ""; } }, "Done"),
    });
    const open = (which) => () => { isOpen.value = which; };
    const opener = (which) => h("button", { onClick: open(which) }, `Open the ${which} one`);
    return h("main", null, opener("lasting"), opener("passing"), dialog("lasting"),
      isOpen.value === "passing" && dialog("passing"));
  };
  const place = document.querySelector("#console");
  render(null, place);
  render(h(Drawn), place);
}
"""
# Closed and open again; then the browser tells of the closing.
_AGAIN = """async (which) => {
  const drawn = () => new Promise((done) => setTimeout(done));
  const first = document.querySelector("dialog:modal");
  isOpen.value = "";
  await drawn();
  isOpen.value = which;
  await drawn();
  first.dispatchEvent(new Event("close"));
  await drawn();
  return isOpen.value;
}"""
BOTH = pytest.mark.parametrize("which", ["lasting", "passing"])


@fixture
async def drawn(watched: Watched) -> Watched:
    """A page with the dialogs, which are closed."""
    await watched.go("health")
    await watched.has_title("Health")
    await watched.page.evaluate(_DRAW, f"{watched.base}assets/{digest()}/js/")
    return watched


@BOTH
async def test_it_has_a_name_and_holds_the_focus(drawn: Watched, which: str) -> None:
    """It is modal, named by its title, what is in it is drawn while it is open, and the focus is in it."""
    done = drawn.page.locator("dialog button")
    assert 0 == await done.count()
    await drawn.page.get_by_role("button", name=f"Open the {which} one").click()
    await drawn.page.get_by_role("dialog", name=f"The {which} one").wait_for()
    assert 1 == await drawn.page.locator("dialog:modal").count()
    await expects(done).to_be_focused()


@BOTH
@pytest.mark.parametrize("key", ["Enter", "Escape"])
async def test_the_focus_returns(drawn: Watched, which: str, key: str) -> None:
    """Closed by its button or by Escape, it gives the focus back to what opened it, and its owner knows."""
    opener = drawn.page.get_by_role("button", name=f"Open the {which} one")
    await opener.press("Enter")
    await expects(drawn.page.locator("dialog button")).to_be_focused()
    await drawn.page.keyboard.press(key)
    await expects(drawn.page.locator("dialog button")).to_have_count(0)
    await expects(opener).to_be_focused()
    assert "" == await drawn.page.evaluate("() => isOpen.value")
    assert ([which] if key == "Escape" else []) == await drawn.page.evaluate("() => closings")


@BOTH
async def test_it_opens_again_at_once(drawn: Watched, which: str) -> None:
    """What the browser says late of an earlier closing does not close a dialog that is open again."""
    await drawn.page.get_by_role("button", name=f"Open the {which} one").click()
    await drawn.page.get_by_role("dialog").wait_for()
    assert which == await drawn.page.evaluate(_AGAIN, which)
    assert 1 == await drawn.page.locator("dialog:modal").count()
    assert [] == await drawn.page.evaluate("() => closings")
