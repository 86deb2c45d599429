"""The table of runs in a real browser: what it shows, and what a reader does with it."""

import re
from typing import Any, Final

import pytest

from tests.api.serving import Client
from tests.console.conftest import Open, fixture
from tests.console.data import BEGIN, all_read, sample_ids
from tests.console.watched import MILLISECONDS, Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console

ROWS: Final = "tbody:not(.top) tr[data-id]"
SHARPES: Final = (0.5, 1.5, None, float("nan"), 1.0)


def expects(locator: Any) -> Any:
    """What Playwright waits for."""
    from playwright.async_api import expect  # noqa: PLC0415 - `make console` installs it

    expect.set_options(timeout=MILLISECONDS)
    return expect(locator)


@pytest.fixture
def runs(fake: FakeMlflow) -> list[str]:
    """Five runs, oldest first, with a Sharpe ratio each: one lacks it, that of one is NaN."""
    ids = []
    for number, sharpe in enumerate(SHARPES):
        metrics = {"max_drawdown": -0.1 * (number + 1), "turnover": 3.0 - number}
        ids.append(
            fake.add_run(
                run_id=f"{number}{'ab' * 15}0",
                name=f"trial {number}",
                start_time=BEGIN + number * 60_000,
                end_time=BEGIN + number * 60_000 + 3_840_000,
                params={"lookback": str(5 * (number + 1)), "method": "rolling"},
                metrics=metrics if sharpe is None else {"oos_sharpe": sharpe, **metrics},
            )
        )
    return ids


@fixture
async def table(runs: list[str], indexed: Client, open_page: Open) -> Watched:
    """The page over those runs, which the index has read."""
    await all_read(indexed, runs=len(runs))
    return await open_page(indexed)


async def shown(watched: Watched, path: str = "runs", rows: int = len(SHARPES)) -> Any:
    """The page with the table, once it has so many rows and their metrics."""
    await watched.go(path)
    await expects(watched.page.locator(ROWS)).to_have_count(rows)
    await expects(watched.page.locator("thead th").filter(has_text="oos_sharpe")).to_have_count(1)
    return watched.page


async def order(page: Any) -> list[str]:
    return list(await page.locator(f"{ROWS} .name bdi").all_inner_texts())


async def heads(page: Any) -> list[str]:
    """The names of the columns."""
    return list(await page.locator("thead th bdi").all_inner_texts())


async def cells(page: Any, column: str) -> list[str]:
    """The texts of a column, from the first row to the last."""
    place = (await heads(page)).index(column) + 2
    return list(await page.locator(f"{ROWS} > :nth-child({place})").all_inner_texts())


async def test_the_newest_runs_come_first(table: Watched, runs: list[str]) -> None:
    """Without a choice the newest run is first, and the head says by what the rows are sorted."""
    page = await shown(table)
    assert [f"trial {number}" for number in (4, 3, 2, 1, 0)] == await order(page)
    assert "started UTC ▼" == re.sub(r"\s+", " ", await page.locator("[aria-sort=descending]").inner_text())
    assert str(len(runs)) == await page.locator(".runs-count strong").inner_text()


async def test_a_missing_value_is_not_nan(table: Watched, runs: list[str]) -> None:
    """A metric that a run lacks is a dash, one that is no number is NaN; both come last, always."""
    assert runs
    page = await shown(table)
    button = page.locator("thead th").filter(has_text="oos_sharpe").get_by_role("button")
    await button.click()
    await expects(page.get_by_role("status").filter(has_text="oos_sharpe, descending, 5 runs")).to_have_count(
        1
    )
    assert ["1.5", "1", "0.5", "NaN", "\N{EN DASH}"] == await cells(page, "oos_sharpe")
    await button.click()
    await expects(page.get_by_role("status").filter(has_text="oos_sharpe, ascending")).to_have_count(1)
    assert ["0.5", "1", "1.5", "NaN", "\N{EN DASH}"] == await cells(page, "oos_sharpe")


async def test_the_address_holds_the_view(table: Watched, runs: list[str]) -> None:
    """Order, columns, selection and baseline are there again when the page is loaded anew."""
    columns = "cols=metrics.oos_sharpe,params.lookback&pin=params.lookback"
    path = f"runs?sort=-metrics.oos_sharpe&{columns}&base={runs[0]}&sel={runs[1]}"
    page = await shown(table, path)
    for _ in range(2):
        await expects(page.locator("thead th")).to_have_count(3)
        assert ["run", "lookback", "oos_sharpe"] == await heads(page)
        await expects(page.locator("[aria-sort=descending] bdi")).to_have_text("oos_sharpe")
        assert await page.get_by_role("checkbox", name="Select trial 1").first.is_checked()
        await expects(page.locator("tbody.top tr")).to_have_count(1)
        await page.reload()
    await expects(page.locator(ROWS)).to_have_count(5)


async def test_differences_from_the_baseline_say_which_way_is_better(table: Watched, runs: list[str]) -> None:
    """A higher Sharpe ratio, a drawdown nearer to zero and a lower turnover are better, as the rules say."""
    page = await shown(
        table, f"runs?base={runs[0]}&cols=metrics.oos_sharpe,metrics.max_drawdown,metrics.turnover"
    )
    row = page.locator(f"{ROWS}[data-id='{runs[1]}']")
    await expects(row.locator(".delta")).to_have_count(3)
    texts = [re.sub(r"\s+", " ", text).strip() for text in await row.locator(".delta").all_text_contents()]
    assert ["▲+1 better", "▼\N{MINUS SIGN}0.1 worse", "▼\N{MINUS SIGN}1 better"] == texts


async def test_the_table_is_used_by_keys_alone(table: Watched, runs: list[str]) -> None:
    """Down, select, extend, baseline, compare: each has a key."""
    page = await shown(table)
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expects(page.locator("tr[data-active] a")).to_be_focused()
    await page.keyboard.press("Shift+ArrowDown")
    await page.keyboard.press("Shift+ArrowDown")
    await expects(page.locator(f"{ROWS}[data-selected]")).to_have_count(3)
    await page.keyboard.press("b")
    await expects(page.locator(f"{ROWS}[data-base]")).to_have_attribute("data-id", runs[2])
    await page.keyboard.press("c")
    await table.has_title("Comparison")
    assert page.url.endswith(f"compare?ids={runs[4]},{runs[3]},{runs[2]}&base={runs[2]}")


async def test_brackets_sort_by_the_next_column(table: Watched, runs: list[str]) -> None:
    """The keys [ and ] walk through the columns."""
    assert runs
    page = await shown(table, "runs?cols=status,metrics.oos_sharpe&sort=status")
    await page.keyboard.press("]")
    await expects(page.locator("[aria-sort=descending]")).to_contain_text("oos_sharpe")
    await page.keyboard.press("[")
    await expects(page.locator("[aria-sort=ascending]")).to_contain_text("status")


async def test_shift_and_a_click_select_all_between(table: Watched, runs: list[str]) -> None:
    """A click with Shift selects the rows from the one before to this one, and the bar says how many."""
    assert runs
    page = await shown(table)
    box = page.get_by_role("checkbox", name=re.compile("^Select trial"))
    await box.nth(1).click()
    await expects(page.get_by_text("Select at least two runs to compare.")).to_be_visible()
    await box.nth(3).click(modifiers=["Shift"])
    await expects(page.get_by_role("region", name="Selected runs")).to_contain_text("3 selected")
    assert await page.get_by_role("button", name="Compare").is_enabled()


async def test_columns_are_chosen_moved_and_pinned(table: Watched, runs: list[str]) -> None:
    """The dialog finds a field by a part of its name, and nothing changes before it is applied."""
    assert runs
    page = await shown(table, "runs?cols=status,metrics.oos_sharpe")
    await page.get_by_role("button", name="Columns").click()
    dialog = page.get_by_role("dialog", name="Columns")
    await dialog.get_by_role("searchbox").fill("draw")
    await expects(dialog.locator("label")).to_have_count(1)
    assert "max_drawdown 5 of 5" == re.sub(r"\s+", " ", await dialog.locator("label").inner_text()).strip()
    await dialog.get_by_role("checkbox").check()
    await dialog.get_by_role("button", name="Move up: metrics.max_drawdown").click()
    await dialog.get_by_role("button", name="Pin: metrics.oos_sharpe").click()
    await expects(page.locator("thead th")).to_have_count(3)
    await dialog.get_by_role("button", name="Apply").click()
    await expects(page.locator("thead th")).to_have_count(4)
    assert page.url.endswith(
        "cols=run_name,status,metrics.max_drawdown,metrics.oos_sharpe&pin=metrics.oos_sharpe"
    )


async def test_going_into_a_run_and_back_keeps_the_place(sample_page: Watched) -> None:
    """The rows are there at once, scrolled as they were, and the run that was opened is the active one."""
    page = sample_page.page
    await sample_page.go("runs")
    await expects(page.locator(".runs-count strong")).to_have_text("73")
    await page.keyboard.press("j")
    for _ in range(40):
        await page.keyboard.press("j")
    await expects(page.locator("tr[data-place='40'] a")).to_be_focused()
    before = await page.locator(".runs-region").evaluate("(region) => region.scrollTop")
    await page.keyboard.press("Enter")
    await sample_page.has_title("Run")
    await page.go_back()
    await expects(page.locator("tr[data-place='40'][data-active]")).to_be_visible()
    assert before == await page.locator(".runs-region").evaluate("(region) => region.scrollTop") > 0


async def test_new_runs_wait_and_changes_come_in_place(
    table: Watched, indexed: Client, fake: FakeMlflow, runs: list[str]
) -> None:
    """A run that ends changes its row; a run that begins is counted, and comes when the reader says so."""
    running = fake.add_run(
        name="running", status="RUNNING", start_time=BEGIN + 10**6, metrics={"oos_sharpe": 0.1}
    )
    await all_read(indexed, runs=len(runs) + 1)
    page = await shown(table, rows=len(runs) + 1)
    await expects(page.locator(".live[data-state=live]")).to_be_visible()
    row = page.locator(f"{ROWS}[data-id='{running}']")
    await expects(row.locator(".status")).to_have_text("running")
    await row.evaluate("(tr) => { tr.isSame = true; }")
    fake.store.runs[running].update(status="FINISHED", end_time=BEGIN + 2 * 10**6)
    await expects(row.locator(".status")).to_have_text("finished")
    assert await row.evaluate("(tr) => tr.isSame")
    fake.add_run(name="newer", start_time=BEGIN + 3 * 10**6)
    await page.get_by_role("button", name="1 new run ↑").click()
    await expects(page.locator(f"{ROWS} .name bdi").first).to_have_text("newer")


async def test_a_run_that_begins_while_rows_are_read_is_not_lost(
    table: Watched, indexed: Client, fake: FakeMlflow, runs: list[str]
) -> None:
    """What is told of runs before the answer to an older search comes is told of, once that is there."""
    answered: list[Any] = []

    async def answer_late(route: Any) -> None:
        response = await route.fetch()
        if not answered:
            answered.append(response)
            fake.add_run(name="meanwhile", start_time=BEGIN + 10**6)
            await all_read(indexed, runs=len(runs) + 1)
            await expects(table.page.locator(".live[data-state=live]")).to_be_visible()
        await route.fulfill(response=response)

    await table.page.route("**/runs/search?*", answer_late)
    page = await shown(table, "runs?cols=metrics.oos_sharpe")
    await page.get_by_role("button", name="1 new run ↑").click()
    await expects(page.locator(f"{ROWS} .name bdi").first).to_have_text("meanwhile")


async def test_the_selected_runs_are_copied_as_csv(table: Watched, runs: list[str]) -> None:
    """What is copied has the columns of the table, the runs' ids, and numbers in full."""
    page = await shown(table, f"runs?cols=metrics.oos_sharpe&sel={runs[3]},{runs[1]}")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.keyboard.press("y")
    await page.get_by_role("dialog", name="Copy runs").get_by_role("button", name="Copy").click()
    await expects(page.get_by_role("dialog", name="Copy runs")).to_be_hidden()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert [
        "run_name,metrics.oos_sharpe,run_id",
        f"trial 3,NaN,{runs[3]}",
        f"trial 1,1.5,{runs[1]}",
    ] == copied.splitlines()


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
