"""The pages of strategies over the sample session, which knows what is luck."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.serving import Client
from tests.console.conftest import Open
from tests.console.data import all_read
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console

EQUITY = "a6d092e0-60d0-5a30-9cc8-6ffb3c65dab0"
COMMODITIES = "7f7563d2-9899-5968-9926-704bf8680fc3"
CONTROL = "ba07da87-93e3-599d-b98f-4387402acd3d"


async def statistic(watched: Watched, name: str) -> str:
    """What the page says of a statistic."""
    text = await watched.page.locator(f'[data-statistic="{name}"]').first.inner_text()
    return " ".join(text.split())


async def test_the_list_has_each_strategy_with_its_metric(sample_page: Watched) -> None:
    """Runs, run types and the metric's n, mean, interval and maximum; sorting is kept in the address."""
    await sample_page.go("strategy")
    row = sample_page.page.get_by_role("row").filter(has_text=EQUITY)
    await row.get_by_text("0.6372 to 0.9591").wait_for()
    text = " ".join((await row.inner_text()).split())
    assert f"{EQUITY} 23 14 walk_forward, 5 training, 2 backtest, 1 cpcv, 1 sweep" in text
    assert "14 0.7981 0.6372 to 0.9591 1.228" in text
    await sample_page.page.get_by_role("button", name="Mean").click()
    await sample_page.page.wait_for_url("**sort=-mean")
    first = sample_page.page.locator("tbody tr").first
    await first.get_by_text(COMMODITIES).wait_for()
    head = sample_page.page.locator('th[aria-sort="descending"]')
    assert "Mean" in await head.inner_text()


async def test_the_list_is_filtered_by_a_part_of_the_id(sample_page: Watched) -> None:
    """A text finds ids, the address keeps it, and without a hit the page leads back to all."""
    await sample_page.go("strategy")
    field = sample_page.page.get_by_role("searchbox")
    await field.fill("a6d0")
    await field.press("Enter")
    await sample_page.page.get_by_text("1 strategy; n, mean and max are of").wait_for()
    await sample_page.go("strategy?q=nobody")
    await sample_page.page.get_by_role("heading", name="No strategy has a run that matches").wait_for()
    await sample_page.page.get_by_role("link", name="Show all strategies").click()
    await sample_page.page.get_by_text("4 strategies; n, mean and max are of").wait_for()


async def test_the_best_of_the_control_is_luck(sample_page: Watched) -> None:
    """The verdict, the DSR below its level and the PSR above it, each with its method on demand."""
    await sample_page.go(f"strategy?id={CONTROL}")
    await sample_page.page.get_by_role("heading", name="No more than luck").wait_for()
    assert "0.6802 below 0.95" in await statistic(sample_page, "dsr")
    assert "0.9672 reaches 0.95" in await statistic(sample_page, "psr")
    assert "1 trials" in await statistic(sample_page, "break_even_trials")
    assert "folds: steps of fold_oos_sharpe" in await statistic(sample_page, "pbo")
    await sample_page.page.locator('[data-statistic="dsr"] summary').click()
    method = await statistic(sample_page, "dsr")
    assert "The Deflated Sharpe Ratio, Journal of Portfolio Management" in method
    assert "metrics.n_obs" in method


async def test_the_best_of_the_equities_is_more_than_luck(sample_page: Watched) -> None:
    """The verdict stands beside a plot with the best of noise, whose dots lead to their runs."""
    await sample_page.go(f"strategy?id={EQUITY}")
    await sample_page.page.get_by_role("heading", name="More than luck", exact=True).wait_for()
    plot = sample_page.page.get_by_role("img", name=re.compile("14 trials: best run 1.228"))
    name = str(await plot.get_attribute("aria-label"))
    assert "expected best of noise 0.7111" in name
    await plot.focus()
    await sample_page.page.keyboard.press("End")
    await sample_page.page.keyboard.press("Enter")
    await sample_page.page.wait_for_url("**/run?id=*")


async def test_trials_over_time_can_be_read_as_a_table(sample_page: Watched) -> None:
    """The best so far is said, and the table has a link for each run."""
    await sample_page.go(f"strategy?id={EQUITY}")
    section = sample_page.page.get_by_role("region", name="Trials over time")
    await section.get_by_role(
        "img", name=re.compile("the best so far became better 5 times, to 1.228")
    ).wait_for()
    await section.get_by_text("expected best of noise after so many trials").wait_for()
    await section.get_by_role("button", name="Show as table").click()
    assert 14 == await section.get_by_role("link").count()


async def test_folds_stand_beside_paths(sample_page: Watched) -> None:
    """The best and the latest walk forwards and the CPCV run, with the fold that carries a mean named."""
    await sample_page.go(f"strategy?id={CONTROL}")
    section = sample_page.page.get_by_role("region", name="Folds beside CPCV paths")
    await section.get_by_role("img", name=re.compile("fold_oos_sharpe and path_sharpe")).wait_for()
    assert 2 == await section.get_by_text(re.compile(r"fold 0 \(1.358\) carries the mean")).count()
    await section.get_by_text("no interval and no test holds").wait_for()


async def test_what_moved_together_is_said(sample_page: Watched) -> None:
    """Pairs have their interval or the reason why not, and confounded parameters are named plainly."""
    await sample_page.go(f"strategy?id={COMMODITIES}&metric=oos_sharpe")
    section = sample_page.page.get_by_role("region", name="Which change did it?")
    await section.get_by_text(re.compile("holding_days, vol_target moved together in training")).wait_for()
    assert 7 == await section.get_by_text("an interval needs 5 pairs").count()
    await section.get_by_role("link", name="Compare").first.click()
    await sample_page.page.wait_for_url("**/compare?ids=*")


async def test_what_is_declared_stands_in_the_address(sample_page: Watched) -> None:
    """A reader's unit and numbers are in the address and in the inputs; a wrong one is named where it is."""
    await sample_page.go(f"strategy?id={EQUITY}")
    await sample_page.page.get_by_role("heading", name="More than luck", exact=True).wait_for()
    await sample_page.page.get_by_text("Declare what the Sharpe ratio is").click()
    await sample_page.page.get_by_label("Number of returns").fill("100")
    await sample_page.page.get_by_role("button", name="Use").click()
    await sample_page.page.wait_for_url("**obs=100")
    await sample_page.page.get_by_role("heading", name="No more than luck").wait_for()
    await sample_page.page.get_by_text("Inputs of the verdict").click()
    await sample_page.page.get_by_role("cell", name="declared here").first.wait_for()
    sample_page.expected.append("422")
    await sample_page.page.get_by_label("Returns a year").fill("many")
    await sample_page.page.get_by_role("button", name="Use").click()
    await sample_page.page.get_by_text("query.periods_per_year", exact=True).wait_for()


async def test_links_lead_to_the_runs(sample_page: Watched) -> None:
    """The head's numbers are links to the page of runs with the filter that they are of."""
    await sample_page.go(f"strategy?id={CONTROL}")
    await sample_page.page.get_by_role("link", name="24 runs").wait_for()
    links = sample_page.page.locator(".strategy-head a")
    hrefs = [str(await link.get_attribute("href")) for link in await links.all()]
    filters = [parse_qs(urlsplit(href).query)["q"][0] for href in hrefs]
    assert f"tags.strategy_id = '{CONTROL}'" == filters[0]
    assert f"tags.strategy_id = '{CONTROL}' AND tags.run_type = 'walk_forward'" == filters[1]
    assert f"tags.strategy_id = '{CONTROL}' AND status = 'RUNNING'" in filters


async def test_a_strategy_that_nobody_knows(sample_page: Watched) -> None:
    """The page says so and leads to the list."""
    await sample_page.go("strategy?id=nobody")
    await sample_page.page.get_by_role("heading", name="No run belongs to this strategy").wait_for()
    await sample_page.page.get_by_role("link", name="Show all strategies").click()
    await sample_page.page.get_by_text("4 strategies").wait_for()


async def page_of(fake: FakeMlflow, indexed: Client, open_page: Open, **run: Any) -> Watched:
    """A page over an MLflow with one run of the strategy "one"."""
    fake.add_run(name="only", tags={"strategy_id": "one", "run_type": "training"}, **run)
    await all_read(indexed, runs=1)
    return await open_page(indexed)


async def test_one_trial_without_a_unit(fake: FakeMlflow, indexed: Client, open_page: Open) -> None:
    """Nothing can be computed, and each statistic says why; the form to declare the unit is open."""
    watched = await page_of(fake, indexed, open_page, metrics={"oos_sharpe": 1.5})
    await watched.go("strategy?id=one")
    await watched.page.get_by_role("heading", name="Undecided").wait_for()
    assert "Not computable:" in await statistic(watched, "dsr")
    assert "Not computable:" in await statistic(watched, "haircut.holm")
    assert await watched.page.get_by_label("Unit").is_visible()
    await watched.page.get_by_text("No finished run of this strategy has run_type = cpcv.").wait_for()
    await watched.page.get_by_text("differ in one parameter alone").wait_for()


async def test_a_strategy_without_a_metric(fake: FakeMlflow, indexed: Client, open_page: Open) -> None:
    """Where no run has logged a metric, there is nothing to judge, and the page says what to do."""
    watched = await page_of(fake, indexed, open_page)
    await watched.go("strategy?id=one")
    await watched.page.get_by_role("heading", name="has logged a metric yet").wait_for()


async def test_no_strategies(watched: Watched, indexed: Client) -> None:
    """Over an empty MLflow the page says how runs come to belong to a strategy."""
    await all_read(indexed)
    await watched.go("strategy")
    await watched.page.get_by_role("heading", name="No run belongs to a strategy yet").wait_for()


async def test_names_are_texts(odd_page: Watched) -> None:
    """Strategies with markup, quotes and odd letters in their ids are listed, opened and linked."""
    await odd_page.go("strategy")
    await odd_page.page.get_by_role("link", name="a,b\\c \"d\" 'e' | f & g % h").click()
    await odd_page.page.get_by_role("heading", name="Strategy a,b\\c \"d\" 'e'").wait_for()
    await odd_page.page.get_by_role("link", name="1 run", exact=True).wait_for()


async def test_without_an_index_the_page_says_why(api: Client, open_page: Open) -> None:
    """Where the service keeps no index, there is no list of strategies, and the page says so."""
    watched = await open_page(api)
    watched.expected.append("422")
    await watched.go("strategy")
    await watched.page.get_by_role("alert").get_by_text("index").first.wait_for()


async def test_the_list_is_paged(fake: FakeMlflow, indexed: Client, open_page: Open) -> None:
    """Above fifty strategies there is a next page, with an address of its own, and a way back."""
    for number in range(51):
        fake.add_run(tags={"strategy_id": f"s{number:02}"}, metrics={"oos_sharpe": 1.0})
    await all_read(indexed, runs=51)
    watched = await open_page(indexed)
    await watched.go("strategy?sort=key")
    await watched.page.get_by_role("link", name="s49").wait_for()
    await watched.page.get_by_role("link", name="Next page").click()
    await watched.page.get_by_role("link", name="s50").wait_for()
    await watched.page.get_by_role("link", name="First page").click()
    await watched.page.get_by_role("link", name="s00").wait_for()
