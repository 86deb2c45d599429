"""The page "Runs", narrowed: filter, facets, experiments, and what stands in place of rows."""

import re
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.api.serving import Client
from tests.console.conftest import Open, fixture
from tests.console.data import all_read
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console


def add_runs(fake: FakeMlflow, experiment_id: str = "0") -> None:
    """Nine runs: two types, three data sets, one failed."""
    for number in range(9):
        fake.add_run(
            experiment_id,
            name=f"{'momentum' if number % 2 else 'carry'} {number}",
            status="FAILED" if number == 8 else "FINISHED",
            metrics={"oos_sharpe": number / 10},
            tags={"run_type": "cpcv" if number % 2 else "training", "dataset_version": f"v{number % 3}"},
        )


async def expect_count(watched: Watched, text: str) -> None:
    from playwright.async_api import expect  # noqa: PLC0415 - `make console` installs it

    await expect(watched.page.locator(".runs-count")).to_have_text(re.compile(text))


def query_of(watched: Watched) -> dict[str, list[str]]:
    return parse_qs(urlsplit(watched.page.url).query)


def facet(watched: Watched, title: str) -> Any:
    return watched.page.locator(".facet").filter(has_text=re.compile(f"^{title}"))


@fixture
async def narrowed(open_page: Open, indexed: Client, fake: FakeMlflow) -> Watched:
    """The page over those nine runs."""
    add_runs(fake)
    await all_read(indexed, runs=9)
    watched = await open_page(indexed)
    await watched.go("runs")
    await expect_count(watched, "^9 ")
    return watched


async def test_a_filter_is_typed_and_undone(narrowed: Watched) -> None:
    """A bare name and a number narrow the rows and the address; the back button undoes it, in the bar too."""
    bar = narrowed.page.get_by_role("combobox", name="Filter")
    await bar.fill("oos_sharpe > 0.55")
    await expect_count(narrowed, "^3 of 9")
    assert {"q": ["metrics.oos_sharpe > 0.55"]} == query_of(narrowed)
    await narrowed.page.go_back()
    await expect_count(narrowed, "^9 ")
    assert "" == await bar.input_value()


async def test_values_are_offered_with_their_counts(narrowed: Watched) -> None:
    """Behind an operator the bar offers the field's values, with the number of runs that have each."""
    bar = narrowed.page.get_by_role("combobox", name="Filter")
    await bar.press_sequentially("run_type = cp")
    await narrowed.page.get_by_role("option").filter(has_text="4 runs").wait_for()
    await bar.press("ArrowDown")
    await bar.press("Enter")
    await expect_count(narrowed, "^4 of 9")
    assert "run_type = 'cpcv' " == await bar.input_value()


async def test_facets_count_and_narrow(narrowed: Watched) -> None:
    """Two values of a facet are either of them; its own counts stay whole, those of others are narrowed."""
    types = facet(narrowed, "Run type")
    await types.locator("label").first.wait_for()
    assert ["training\n5", "cpcv\n4"] == await types.locator("label").all_inner_texts()
    await facet(narrowed, "Data set").get_by_label("v0").check()
    await facet(narrowed, "Data set").get_by_label("v1").check()
    await expect_count(narrowed, "^6 of 9")
    await types.get_by_label("cpcv").check()
    await expect_count(narrowed, "^3 of 9")
    assert {"dataset": ["v0,v1"], "type": ["cpcv"]} == query_of(narrowed)
    await types.locator("label").filter(has_text="training").get_by_text("3").wait_for()
    await narrowed.page.go_back()
    await expect_count(narrowed, "^6 of 9")
    assert not await types.get_by_label("cpcv").is_checked()


async def test_an_address_of_a_view_shows_it(narrowed: Watched) -> None:
    """A link with a filter and choices shows the same rows, choices and text to whoever opens it."""
    from playwright.async_api import expect  # noqa: PLC0415 - `make console` installs it

    words = quote("run_name ILIKE '%momentum%' OR run_id LIKE 'momentum%'")
    await narrowed.go(f"runs?q={words}&type=cpcv&status=FINISHED")
    await expect_count(narrowed, "^4 of 9")
    bar = narrowed.page.get_by_role("combobox", name="Filter")
    await expect(bar).to_have_value("momentum")
    assert await facet(narrowed, "Run type").get_by_label("cpcv").is_checked()


async def test_no_hit_says_which_part_excludes_how_many(narrowed: Watched) -> None:
    """Where nothing matches, each part says how many runs it excludes, and is dropped by one press."""
    await narrowed.go("runs?q=metrics.oos_sharpe%20%3E%205%20AND%20tags.run_type%20=%20%27cpcv%27&dataset=v0")
    parts = narrowed.page.locator(".nothing .parts li")
    await parts.get_by_text("excludes 1 run").wait_for()
    assert 3 == await parts.count()
    await narrowed.page.get_by_role("button", name="Drop it: metrics.oos_sharpe > 5").click()
    await expect_count(narrowed, "^1 of 9")
    assert {"q": ["tags.run_type = 'cpcv'"], "dataset": ["v0"]} == query_of(narrowed)


async def test_rows_come_back_after_a_filter_without_hits(narrowed: Watched) -> None:
    """Once a filter that nothing matches is cleared, all rows are there again, and can be scrolled."""
    bar = narrowed.page.get_by_role("combobox", name="Filter")
    await bar.fill("oos_sharpe > 5")
    await narrowed.page.get_by_role("heading", name="No run matches").wait_for()
    assert not await narrowed.page.get_by_role("table").is_visible()
    await narrowed.page.get_by_role("button", name="Show all runs").click()
    await expect_count(narrowed, "^9 ")
    await narrowed.page.get_by_role("row").filter(has_text="carry 0").wait_for()


async def test_a_filter_that_cannot_be_read_is_marked_once(narrowed: Watched) -> None:
    """What the service refuses is said under the bar, at its place, and not as a failure of the page."""
    narrowed.expected.append("422")
    await narrowed.page.get_by_role("combobox", name="Filter").fill("start_time > '2026-02-31'")
    await narrowed.page.locator("#filter-remark mark").get_by_text("'2026-02-31'").wait_for()
    assert 0 == await narrowed.page.locator(".failure").count()


async def test_an_empty_experiment_says_how_to_log_a_run(
    open_page: Open, indexed: Client, fake: FakeMlflow
) -> None:
    """An experiment without runs has its name, lines that log one, and shows the first run when it comes."""
    await all_read(indexed)
    watched = await open_page(indexed)
    await watched.go("runs")
    await watched.page.get_by_role("heading", name="No runs in Default yet").wait_for()
    lines = await watched.page.locator(".nothing pre").inner_text()
    assert 'mlflow.set_experiment("Default")' in lines
    compile(lines, "lines", "exec")
    fake.add_run(name="first")
    await watched.page.get_by_role("table").get_by_text("first").wait_for()


async def test_a_run_that_ends_changes_in_its_row(narrowed: Watched, fake: FakeMlflow) -> None:
    """A running run whose row is shown ends: its row says so by itself, and facets count it anew."""
    run_id = fake.add_run(name="late", status="RUNNING", tags={"run_type": "sweep"})
    await narrowed.page.get_by_role("button", name="1 new run").click()
    row = narrowed.page.get_by_role("row").filter(has_text="late")
    await row.get_by_text("running").wait_for()
    fake.store.runs[run_id].update(status="FINISHED", end_time=1_700_000_000_000)
    await row.get_by_text("finished").wait_for()


async def test_live_updates_are_paused(narrowed: Watched, fake: FakeMlflow) -> None:
    """A reader who pauses sees nothing new; going on tells what came meanwhile, and the address has it."""
    switch = narrowed.page.get_by_role("switch", name="Live")
    await narrowed.page.locator('.live[data-state="live"]').wait_for()
    await switch.click()
    await narrowed.page.locator(".live").get_by_text("paused").wait_for()
    assert {"live": ["0"]} == query_of(narrowed)
    fake.add_run(name="meanwhile")
    await switch.click()
    await narrowed.page.get_by_role("button", name="1 new run").wait_for()


async def test_experiments_are_chosen(open_page: Open, fake: FakeMlflow, indexed: Client) -> None:
    """The default experiment is marked; others are chosen beside it or alone, and stand in the address."""
    add_runs(fake)
    await all_read(indexed, runs=9)
    other = fake.add_experiment("value <b>&</b>")
    watched = await open_page(indexed)
    watched.expected.append("422")  # the index does not hold it
    await watched.go("runs")
    await expect_count(watched, "^9 ")
    await watched.page.locator(".experiments summary").click()
    await watched.page.locator(".experiments").get_by_text("(default)").wait_for()
    await watched.page.get_by_role("checkbox", name="value <b>&</b>").check()
    assert {"exp": [f"0,{other}"]} == query_of(watched)
    await watched.page.get_by_role("button", name="Only Default").click()
    assert {} == query_of(watched)
