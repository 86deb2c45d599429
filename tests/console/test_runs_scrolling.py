"""The table of runs while it is scrolled, and once the scrolling has ended."""

from typing import Any, Final

import pytest

from tests.api.serving import Client
from tests.console.conftest import Open, fixture
from tests.console.data import BEGIN, all_read
from tests.console.modules import evaluated
from tests.console.table import expects
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console

RUNS: Final = 300
BODY: Final = "tbody.rows"
# Of each row in the document: the number of its place, from 2 on, and what it says.
ROWS: Final = f"""() => [...document.querySelectorAll("{BODY} tr")]
  .map((tr) => [Number(tr.ariaRowIndex), tr.querySelector(".name bdi").textContent])"""


@fixture
async def table(fake: FakeMlflow, indexed: Client, open_page: Open) -> Watched:
    """A table of 300 runs, too wide for its region."""
    for number in range(RUNS):
        metrics = {f"metric_{key}": number + key / 10 for key in range(12)}
        fake.add_run(name=f"trial {number}", start_time=BEGIN + number, metrics=metrics)
    await all_read(indexed, runs=RUNS)
    watched = await open_page(indexed)
    await watched.go("runs")
    await expects(watched.page.locator(".runs-count strong")).to_have_text(str(RUNS))
    await expects(watched.page.locator("tr.unread")).to_have_count(0)
    await expects(watched.page.locator("thead th").filter(has_text="metric_")).not_to_have_count(0)
    return watched


async def scroll(watched: Watched, **to: int) -> Any:
    """Scroll the region and wait for the frame that shows it; how often rows came into it or left it."""
    return await watched.page.locator(".runs-region").evaluate(
        """async (region, to) => {
          const observer = new MutationObserver(() => undefined);
          observer.observe(region, { childList: true, subtree: true });
          region.scrollTo(to);
          for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
          return observer.takeRecords().filter(({ target }) => target.tagName === "TBODY").length;
        }""",
        to,
    )


async def rests(watched: Watched) -> None:
    """The scrolling has ended, and the rows stand in their order."""
    await expects(watched.page.locator(".runs-region[data-moving=false]")).to_have_count(1)
    in_order = f"""() => {{
      const places = [...document.querySelectorAll("{BODY} tr")].map((tr) => Number(tr.ariaRowIndex));
      return places.every((place, number) => number === 0 || place === places[number - 1] + 1);
    }}"""
    for _ in range(200):
        if await watched.page.evaluate(in_order):
            return
        await watched.page.evaluate("new Promise(requestAnimationFrame)")
    assert await watched.page.evaluate(in_order)


async def test_no_row_is_put_into_the_document_while_it_is_scrolled(table: Watched) -> None:
    """Rows that come into sight are shown by elements that are there; each says its place and its run."""
    await rests(table)
    assert 0 == await scroll(table, top=40 * 28)
    assert 0 == await scroll(table, top=75 * 28)
    for index, name in await table.page.evaluate(ROWS):
        assert f"trial {RUNS + 1 - index}" == name
    seen = {index for index, _ in await table.page.evaluate(ROWS)}
    assert set(range(78, 95)) <= seen


async def test_rows_stand_in_their_order_once_the_scrolling_has_ended(table: Watched) -> None:
    """A screen reader reads on from row to row: the order of the document is that of the places."""
    rows: list[Any] = []
    for top in (40 * 28, 7 * 28, RUNS * 28):
        await scroll(table, top=top)
        await rests(table)
        rows = await table.page.evaluate(ROWS)
        assert sorted(rows) == rows
    assert "trial 0" == rows[-1][1]


async def test_all_cells_are_written_once_the_scrolling_has_ended(table: Watched) -> None:
    """Columns out of sight have their values, for readers who find, copy or print."""
    await scroll(table, top=80 * 28)
    await rests(table)
    texts = await table.page.locator(f"{BODY} tr > :not(.check)").all_text_contents()
    assert texts
    assert all(text.strip() for text in texts)


async def test_all_cells_are_written_once_an_answer_is_shown(table: Watched) -> None:
    """What is seen of other rows comes first, and all of them a moment later."""
    await table.page.get_by_role("combobox", name="Filter").fill("metrics.metric_0 < 100")
    await expects(table.page.locator(".runs-count strong")).to_have_text("100")
    await rests(table)
    empty = table.page.locator(f"{BODY} tr > :not(.check):empty")
    await expects(empty).to_have_count(0)
    assert 30 < await table.page.locator(f"{BODY} tr").count() <= 60


async def test_rows_that_are_scrolled_to_at_once_are_those_of_the_answer(table: Watched) -> None:
    """Rows off the screen are drawn later than the others, but not later than they come onto it."""
    rows = await table.page.evaluate(f"""async () => {{
      const region = document.querySelector(".runs-region");
      const changed = new Promise((done) => new MutationObserver((_, observer) => {{
        if (document.querySelector("{BODY} tr .name bdi").textContent !== "trial 0") return;
        observer.disconnect();
        done();
      }}).observe(region, {{ subtree: true, characterData: true, childList: true }}));
      const heads = [...document.querySelectorAll("thead button")];
      heads.find(({{ title }}) => title.startsWith("start_time")).click();
      await changed;
      region.scrollTop = 6 * 28;
      for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
      return ({ROWS})();
    }}""")
    assert len(rows) > 20
    for index, name in rows:
        assert f"trial {index - 2}" == name


async def test_columns_that_stay_do_so_while_the_rows_are_scrolled(table: Watched) -> None:
    """A table that is scrolled to the right keeps the runs' names at its left edge, moving or not."""
    name = table.page.locator(f"{BODY} .name").first
    before = await name.bounding_box()
    await scroll(table, left=150)
    await rests(table)
    await table.page.locator(".runs-region").evaluate(
        "(region) => { region.scrollTop = 30 * 28; region.dispatchEvent(new Event('scroll')); }"
    )
    await expects(table.page.locator(".runs-region[data-moving=true]")).to_have_count(1)
    moving = await name.bounding_box()
    await rests(table)
    resting = await name.bounding_box()
    assert before["x"] == moving["x"] == resting["x"]


async def test_the_focus_stays_with_its_run(table: Watched) -> None:
    """A link keeps the focus when rows are put in order; once its run is gone, the table has it."""
    await table.page.keyboard.press("j")
    await table.page.keyboard.press("j")
    link = table.page.locator("tr[data-place='1'] a")
    await expects(link).to_be_focused()
    await scroll(table, top=6 * 28)
    await rests(table)
    await expects(link).to_be_focused()
    await scroll(table, top=150 * 28)
    await expects(table.page.locator(".runs-region")).to_be_focused()
    await rests(table)
    await table.page.keyboard.press("ArrowDown")
    await expects(table.page.locator("tr[data-place='2'] a")).to_be_focused()


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"first": 0, "size": 4, "settled": 0}, [(0, 0), (1, 1), (2, 2), (3, 3)]),
        ({"first": 2, "size": 4, "settled": 0}, [(4, 0), (5, 1), (2, 2), (3, 3)]),
        ({"first": 2, "size": 4, "settled": 2}, [(2, 2), (3, 3), (4, 0), (5, 1)]),
        ({"first": 0, "size": 2, "settled": 0}, [(0, 0), (1, 1)]),
    ],
)
async def test_a_place_keeps_its_element(
    module_page: Watched, window: dict[str, int], expected: list[tuple[int, int]]
) -> None:
    """A place is shown by the same element for as long as it is in the window."""
    call = """m.slotsOf(values[0].size, values[0].settled)
      .map((slot) => [m.placeOf(slot, values[0].first, values[0].size), slot])"""
    places = await evaluated(module_page, "runs/window.js", call, window)
    assert expected == [tuple(one) for one in places]
