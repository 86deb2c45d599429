"""The console for readers without a mouse, with large letters, in forced colours, and without motion."""

import time
from typing import Any

import pytest

from tests.api.serving import Client
from tests.console.accessibility import too_wide
from tests.console.conftest import Open
from tests.console.data import sample_ids
from tests.console.states import STATES, addresses, has_data
from tests.console.table import ROWS, expects, heads, order
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console

PAGES = pytest.mark.parametrize("page", addresses())
# What has the focus: its name, whether it is seen, and whether it shows that it has the focus.
_FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const { outlineStyle, boxShadow } = getComputedStyle(one);
  const { width, height } = one.getBoundingClientRect();
  return {
    name: `<${one.localName} class="${one.getAttribute("class") ?? ""}"> ${one.textContent.trim()}`,
    isShown: width > 0 && height > 0,
    isMarked: outlineStyle !== "none" || boxShadow !== "none",
  };
}"""
_MOST = 400  # elements of a page that can have the focus


async def stops(page: Any) -> list[dict[str, Any]]:
    """What Tab goes through, from the beginning of the page to its end."""
    found: list[dict[str, Any]] = []
    while len(found) < _MOST:
        await page.keyboard.press("Tab")
        if (stop := await page.evaluate(_FOCUS)) is None:
            return found
        found.append(stop)
    return found


@PAGES
async def test_tab_goes_through_a_page(sample_page: Watched, page: str) -> None:
    """Tab comes to the end of the page, and what has the focus is always seen to have it."""
    await has_data(sample_page, addresses()[page])
    found = await stops(sample_page.page)
    assert 5 < len(found) < _MOST
    assert [] == [one["name"] for one in found if not (one["isShown"] and one["isMarked"])]


async def test_the_best_run_is_found_by_keys_alone(open_page: Open, sampled: Client) -> None:
    """Filter, sort, and open the first: by keys; the address shows another reader the same rows."""
    watched = await open_page(sampled)
    page = watched.page
    await watched.go("runs?cols=status,metrics.max_drawdown,metrics.oos_sharpe")
    await expects(page.locator(ROWS).first).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("tags.run_type = 'training' AND metrics.max_drawdown > -0.15")
    await page.keyboard.press("Enter")
    await expects(page.locator(".runs-count strong")).not_to_have_text("73")
    await page.keyboard.press("Tab")
    sorted_by = page.locator("thead [aria-sort]").filter(has_text="oos_sharpe")
    for _ in range(4):
        if not await sorted_by.count():
            await page.keyboard.press("]")
            await expects(page.locator("thead [aria-sort]")).to_have_count(1)
    await expects(page.get_by_role("status").filter(has_text="oos_sharpe, descending")).to_have_count(1)
    rows, address = await order(page), page.url
    best = await page.locator(ROWS).first.get_attribute("data-id")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expects(page.locator("tr[data-active] a")).to_be_focused()
    await page.keyboard.press("Enter")
    await watched.has_title("Run ")
    assert page.url.endswith(f"run?id={best}")
    other = await open_page(sampled)
    await other.page.goto(address)
    await expects(other.page.locator(ROWS)).to_have_count(len(rows))
    assert best == await other.page.locator(ROWS).first.get_attribute("data-id")
    assert rows == await order(other.page)


async def test_a_run_is_found_by_the_beginning_of_its_id(sample_page: Watched) -> None:
    """The beginning of an id, typed into the filter, leaves the run that it is of."""
    run_id = sample_ids("backtest")[0]
    await sample_page.go("runs")
    await sample_page.page.get_by_role("combobox", name="Filter").fill(run_id[:32])
    await expects(sample_page.page.locator(ROWS)).to_have_count(1)
    assert run_id == await sample_page.page.locator(ROWS).get_attribute("data-id")


async def test_shortcuts_are_switched_off(sample_page: Watched) -> None:
    """Who has switched them off presses single keys, and nothing happens."""
    page = sample_page.page
    await has_data(sample_page, "runs")
    await page.get_by_text("Settings").click()
    await page.get_by_label("Shortcuts of single keys").uncheck()
    await page.get_by_text("Settings").click()
    for key in ("j", "x", "y", "v", "?"):
        await page.keyboard.press(key)
    assert 0 == await page.locator("dialog[open], tr[data-selected]").count()
    await page.reload()
    await expects(page.locator(ROWS).first).to_be_visible()
    await page.keyboard.press("?")
    assert 0 == await page.locator("dialog[open]").count()


@PAGES
async def test_a_page_at_twice_its_size(open_page: Open, sampled: Client, page: str) -> None:
    """At a zoom of 200 % nothing is wider than the window but tables and plots, which scroll themselves."""
    half = {"width": 640, "height": 400}
    watched = await open_page(sampled, viewport=half, device_scale_factor=2)
    await has_data(watched, addresses()[page])
    assert [] == await too_wide(watched)


async def test_forced_colours_keep_what_colours_say(open_page: Open, sampled: Client) -> None:
    """With the colours of the system buttons have borders, selected rows stand out, and better is a word."""
    watched = await open_page(sampled, forced_colors="active")
    page = watched.page
    ids = sample_ids("training")[:3]
    of_training = "q=tags.run_type+%3D+'training'&cols=metrics.oos_sharpe"
    await watched.go(f"runs?{of_training}&sel={ids[0]}&base={ids[1]}")
    await expects(page.locator(f"{ROWS} .delta").first).to_be_visible()
    ground = "(one) => getComputedStyle(one.children[1]).backgroundColor"
    selected = page.locator(f"{ROWS}[data-id='{ids[0]}']")
    plain = page.locator(f"{ROWS}[data-id='{ids[2]}']")
    assert await selected.evaluate(ground) != await plain.evaluate(ground)
    assert (await page.locator(f"{ROWS} .delta").first.text_content()).endswith(("better", "worse"))
    bare = """() => [...document.querySelectorAll("button:not(.quiet, thead button)")]
      .filter((one) => one.checkVisibility() && getComputedStyle(one).borderTopStyle === "none")
      .map((one) => one.textContent)"""
    assert [] == await page.evaluate(bare)
    current = page.locator("nav [aria-current=page]")
    assert "none" != await current.evaluate("(one) => getComputedStyle(one).outlineStyle")


@pytest.mark.parametrize("state", ["loading", "data"])
@PAGES
async def test_nothing_moves_for_readers_who_want_that(
    open_page: Open, sampled: Client, page: str, state: str
) -> None:
    """No part of a page is animated, while it loads or afterwards."""
    watched = await open_page(sampled, reduced_motion="reduce")
    await STATES[state](watched, addresses()[page])
    assert 0 == await watched.page.evaluate("document.getAnimations().length")


async def test_columns_stay_when_a_run_brings_other_metrics(
    open_page: Open, sampled: Client, fake: FakeMlflow
) -> None:
    """A new run with new metrics changes no column of a reader who looks."""
    watched = await open_page(sampled)
    await watched.go("runs")
    await expects(watched.page.locator(ROWS).first).to_be_visible()
    before = await heads(watched.page)
    now = int(time.time() * 1_000)
    fake.add_run(
        name="late", start_time=now, end_time=now, metrics={f"new_{number}": 1.0 for number in range(20)}
    )
    await watched.page.get_by_role("button", name="1 new run").click()
    await expects(watched.page.locator(".runs-count strong")).to_have_text("74")
    assert before == await heads(watched.page)
