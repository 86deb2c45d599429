"""The table of runs on paper."""

import re

import pytest

from tests.console.modules import evaluated
from tests.console.table import ROWS, expects
from tests.console.watched import Watched

pytestmark = pytest.mark.console

OF_TRAINING = "runs?q=tags.run_type+%3D+%27training%27"


async def test_paper_says_what_is_on_it(sample_page: Watched) -> None:
    """It has the filter, which rows of how many, the time of the data and the address, and no controls."""
    page = sample_page.page
    await sample_page.go(OF_TRAINING)
    await expects(page.locator(ROWS)).to_have_count(25)
    await page.pdf()  # which says so before it prints
    await page.emulate_media(media="print")
    text = await page.locator(".runs-printed").inner_text()
    assert "Filter: tags.run_type = 'training'" in text
    assert re.search(r"25 runs\. Data of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\.", text)
    assert page.url in text
    assert await page.locator(".runs-table tbody tr[data-id]").first.is_visible()
    for control in ("button:visible:not(thead button)", "input:visible", ".facets:visible"):
        assert 0 == await page.locator(control).count()


async def test_no_column_is_cut_off(sample_page: Watched) -> None:
    """All columns stand within the width of a sheet across."""
    await sample_page.go(OF_TRAINING)
    await expects(sample_page.page.locator(ROWS)).to_have_count(25)
    await sample_page.page.emulate_media(media="print")
    await sample_page.page.set_viewport_size({"width": 1047, "height": 700})  # 277 mm: A4 and its margins
    assert await sample_page.page.locator(".runs-table").evaluate("(one) => one.offsetWidth") <= 1047
    assert 1047 >= await sample_page.page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize(
    ("first", "last", "total", "text"),
    [
        (1, 25, 25, "25 runs."),
        (1, 1, 1, "1 run."),
        (31, 70, 1200, "Rows 31 to 70 of 1,200: those around the screen. Copy has all of them."),
        (1, 40, None, "Rows 1 to 40: those around the screen. Copy has all of them."),
    ],
)
async def test_what_is_not_on_paper_is_said(
    module_page: Watched, first: int, last: int, total: int | None, text: str
) -> None:
    """Of a long table paper has the rows around the screen, and says so."""
    assert text == await evaluated(module_page, "runs/printed.js", "m.textOf(...values)", first, last, total)
