"""The table of runs with many runs, odd names and little room."""

import pytest

from tests.api.serving import Client
from tests.console.conftest import Open
from tests.console.data import BEGIN, all_read, sample_ids
from tests.console.table import ROWS, cells, expects, heads, order
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console


@pytest.fixture
def many(fake: FakeMlflow) -> None:
    """1,500 runs."""
    for number in range(1_500):
        fake.add_run(name=f"trial {number}", start_time=BEGIN + number, metrics={"oos_sharpe": number / 7})


@pytest.mark.usefixtures("many")
async def test_few_rows_are_in_the_document(indexed: Client, open_page: Open) -> None:
    """Of 1,500 runs the document has what the screen shows, and the last one can be scrolled to."""
    await all_read(indexed, runs=1_500)
    watched = await open_page(indexed)
    await watched.go("runs?sort=-metrics.oos_sharpe")
    page = watched.page
    await expects(page.locator(".runs-count")).to_have_text("1,500 runs")
    assert "1501" == await page.get_by_role("table", name="Runs").get_attribute("aria-rowcount")
    region = page.get_by_role("region", name="Runs", exact=True)
    for share, name in ((0.0, "trial 1499"), (0.5, None), (1.0, "trial 0")):
        await region.evaluate("(one, share) => { one.scrollTop = share * one.scrollHeight; }", share)
        if name is not None:
            await expects(page.get_by_role("link", name=name, exact=True)).to_be_visible()
        await expects(page.locator("tr.unread")).to_have_count(0)
        assert await page.locator("tr").count() <= 60


async def test_odd_names_are_shown_as_they_are(odd_page: Watched) -> None:
    """Names that look like markup or like parts of the language are texts, in cells and in heads."""
    await odd_page.go("runs?cols=metrics.constructor,metrics.__proto__,tags.hasOwnProperty&sort=run_name")
    page = odd_page.page
    await expects(page.locator(ROWS)).to_have_count(13)
    assert "<script>alert(1)</script>" in await order(page)
    assert ["run", "constructor", "__proto__", "hasOwnProperty"] == await heads(page)
    assert ["2"] == [text for text in await cells(page, "constructor") if text != "\N{EN DASH}"]
    assert ["3"] == [text for text in await cells(page, "__proto__") if text != "\N{EN DASH}"]
    assert 1 == (await cells(page, "hasOwnProperty")).count("hasOwnProperty")


async def test_a_narrow_page_scrolls_in_the_table_alone(open_page: Open, sampled: Client) -> None:
    """At 320 px the page is no wider than the screen, and the table's region can be reached by Tab."""
    narrow = await open_page(sampled, viewport={"width": 320, "height": 640})
    await narrow.go(f"runs?sel={','.join(sample_ids('backtest'))}")
    await expects(narrow.page.locator(".runs-count strong")).to_have_text("73")
    assert 320 == await narrow.page.evaluate("document.documentElement.scrollWidth")
    region = narrow.page.get_by_role("region", name="Runs", exact=True)
    assert "0" == await region.get_attribute("tabindex")
