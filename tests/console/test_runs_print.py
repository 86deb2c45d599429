"""The table of runs on paper."""

import re
from typing import Any

import pytest

from tests.console.modules import evaluated
from tests.console.table import expects
from tests.console.watched import Watched

pytestmark = pytest.mark.console

OF_TRAINING = "runs?q=tags.run_type+%3D+%27training%27&sort=-metrics.oos_sharpe"
WIDTH = 1047  # px of 277 mm: A4 across, without its margins


async def printed(watched: Watched, path: str, rows: int) -> Any:
    """The page as it is printed; what stands on paper."""
    page = watched.page
    await watched.go(path)
    await expects(page.locator(".runs-count strong")).to_have_text(str(rows))
    await page.locator(".runs-paper").wait_for(state="attached")
    await watched.is_seen(width=WIDTH, height=700)
    await page.evaluate("() => void dispatchEvent(new Event('beforeprint'))")
    await watched.is_seen(media="print")
    return page.locator(".runs-paper")


async def test_paper_says_what_is_on_it(sample_page: Watched) -> None:
    """It has the filter, the number and the order of the runs, the time of the data, and the address."""
    text = await (await printed(sample_page, OF_TRAINING, 25)).inner_text()
    assert "Filter: tags.run_type = 'training'" in text
    assert re.search(r"25 runs, .*oos_sharpe, descending\.", text)
    assert re.search(r"Data of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\.", text)
    assert sample_page.page.url in text


async def test_paper_has_all_runs_and_columns(sample_page: Watched) -> None:
    """All runs are on paper, not only those on the screen; no column is cut off, and there is no control."""
    page = sample_page.page
    paper = await printed(sample_page, "runs", 73)
    assert 73 == await paper.locator("tbody tr").count()
    assert "run" == await paper.locator("th").first.inner_text()
    assert await paper.locator("table").evaluate("(one) => one.offsetWidth") <= WIDTH
    assert WIDTH >= await page.evaluate("document.documentElement.scrollWidth")
    assert 0 == await page.locator("button:visible, input:visible, .runs-region:visible").count()


async def test_what_was_printed_leaves_the_document(sample_page: Watched) -> None:
    """The browser's own printing puts the table there, and takes it away."""
    await sample_page.go("runs")
    await sample_page.page.locator(".runs-paper").wait_for(state="attached")
    await expects(sample_page.page.locator(".runs-count strong")).to_have_text("73")
    pdf: bytes = await sample_page.page.pdf(prefer_css_page_size=True)
    assert 2 <= len(re.findall(rb"/Type /Page\b", pdf)) <= 4
    assert 0 == await sample_page.page.locator(".runs-paper table").count()


@pytest.mark.parametrize(
    ("shown", "total", "text"),
    [
        (25, 25, "25 runs"),
        (1, 1, "1 run"),
        (1000, 5310, "The first 1,000 of 5,310 runs; a copy as CSV has all of them"),
        (1000, None, "The first 1,000 runs"),
    ],
)
async def test_what_is_not_on_paper_is_said(
    module_page: Watched, shown: int, total: int | None, text: str
) -> None:
    """Of very many runs paper has the first ones, and says so."""
    assert text == await evaluated(module_page, "runs/printed.js", "m.inWords(...values)", shown, total)
