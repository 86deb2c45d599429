"""The page of a run."""

import math
import re
from typing import Any

import pytest

from tests.api.serving import serving
from tests.console.conftest import QUICK_INDEX, Open
from tests.console.data import BEGIN, ODD_NAMES, all_read, odd_id, sample_ids
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console


async def shown(watched: Watched, run_id: str, more: str = "") -> Any:
    """Show a run; the page's main part, once it waits for nothing."""
    await watched.go(f"run?id={run_id}{more}")
    await watched.page.locator("article.run").wait_for()
    await watched.is_settled()
    return watched.page.locator("main")


def row(watched: Watched, name: str) -> Any:
    """The row of the metric, param or tag of exactly this name."""
    return watched.page.locator("tr", has=watched.page.locator("th bdi").get_by_text(name, exact=True))


def add_trials(fake: FakeMlflow, values: list[float | None]) -> list[str]:
    """Backtests of one strategy with these Sharpe ratios."""
    tags = {"strategy_id": "s-1", "run_type": "backtest"}
    return [
        fake.add_run(
            run_id=f"{number:032x}",
            name=f"trial-{number}",
            start_time=BEGIN + number,
            end_time=BEGIN + number + 3_840_000,
            tags=tags,
            metrics={"oos_sharpe": math.nan if value is None else value, "max_drawdown": -0.1 * number},
        )
        for number, value in enumerate(values)
    ]


async def test_a_run_is_named_and_found_elsewhere(sample_page: Watched) -> None:
    """Its head has name, id, status and duration, and leads to its strategy, other runs and its JSON."""
    run_id = sample_ids("backtest")[0]
    main = await shown(sample_page, run_id)
    await sample_page.has_title("Run backtest")
    text = await main.locator("header").inner_text()
    for part in (run_id, "finished", "Took", "20.0", "Strategy"):
        assert part in text
    names = await main.locator(".run-links a").all_inner_texts()
    assert {"Runs of its strategy and type", "JSON"} <= set(names)


async def test_a_metric_has_its_place_among_the_runs_of_its_strategy(
    fake: FakeMlflow, watched: Watched
) -> None:
    """The rank goes by the metric's direction; a run whose value is NaN has none and is not counted."""
    ids = add_trials(fake, [0.5, 1.5, 1.0, None])
    await shown(watched, ids[2])
    rank = row(watched, "oos_sharpe").locator(".run-rank")
    await rank.get_by_text("2nd of 3", exact=True).wait_for()
    assert "best 1.5" in await rank.inner_text()
    assert "higher" in await row(watched, "oos_sharpe").inner_text()
    assert "3rd of 4" in await row(watched, "max_drawdown").inner_text()
    assert "2nd of 3. The values reach from 0.5 to 1.5." == await rank.locator("svg").get_attribute(
        "aria-label"
    )


async def test_the_best_run_is_one_click_away(fake: FakeMlflow, watched: Watched) -> None:
    """The best value leads to the comparison with the run that has it."""
    ids = add_trials(fake, [0.5, 1.5])
    await shown(watched, ids[0])
    link = row(watched, "oos_sharpe").get_by_role("link", name="best 1.5")
    assert f"compare?ids={ids[1]},{ids[0]}&base={ids[1]}" == await link.get_attribute("href")
    head = watched.page.get_by_role("link", name="Compare with the best by oos_sharpe")
    assert await head.get_attribute("href") == await link.get_attribute("href")


async def test_a_baseline_gives_differences(fake: FakeMlflow, watched: Watched) -> None:
    """A difference has its sign, says whether it is better, and the baseline stays in the address."""
    ids = add_trials(fake, [0.5, 1.5])
    await shown(watched, ids[0])
    await watched.page.get_by_label("Baseline").fill(ids[1])
    await watched.page.get_by_role("button", name="Compare").click()
    await row(watched, "oos_sharpe").get_by_text("\u22121").wait_for()
    assert "worse" in await row(watched, "oos_sharpe").inner_text()
    assert watched.page.url.endswith(f"&base={ids[1]}")
    await watched.page.go_back()
    await row(watched, "oos_sharpe").get_by_text("worse").wait_for(state="detached")


async def test_a_value_that_is_no_number_is_not_a_missing_one(odd_page: Watched) -> None:
    """NaN and infinities are written as NaN, negative zero and tiny numbers as they are."""
    await shown(odd_page, odd_id(3))
    texts = {}
    for name in ("nan", "infinite", "minus_zero", "tiny", "huge"):
        texts[name] = await row(odd_page, name).locator("td").first.inner_text()
    assert "NaN" == texts["nan"] == texts["infinite"]
    assert {"\u22120", "1E\u221212", "1E15"} == {texts["minus_zero"], texts["tiny"], texts["huge"]}


@pytest.mark.parametrize("number", range(len(ODD_NAMES)))
async def test_any_name_is_text(odd_page: Watched, number: int) -> None:
    """A name with markup, of a property of all objects, long, or from right to left is shown as it is."""
    name = ODD_NAMES[number]
    main = await shown(odd_page, odd_id(number))
    assert name.strip() == (await main.locator("h1").text_content()).strip()
    names = await main.locator("th bdi").all_text_contents()
    assert 3 == names.count(name)  # a metric, a param and a tag
    assert 0 == await main.locator("img, script").count()
    assert await odd_page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_params_have_types(fake: FakeMlflow, watched: Watched) -> None:
    """Numbers stand to the right, lists and yes or no are named; they are copied as JSON."""
    run_id = fake.add_run(
        params={"depth": "6", "rate": "1e-3", "shuffle": "True", "grid": "21,63", "model": "gbm", "x": ""}
    )
    await shown(watched, run_id)
    kinds = {
        name: await row(watched, name).locator("td").last.inner_text()
        for name in ("depth", "rate", "shuffle", "grid", "model", "x")
    }
    expected = ("number", "number", "yes or no", "list", "text", "empty")
    assert dict(zip(kinds, expected, strict=True)) == kinds
    await watched.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await watched.page.get_by_role("button", name="Copy as JSON the params").click()
    await watched.page.get_by_text("copied").wait_for()
    assert '"rate": "1e-3"' in await watched.page.evaluate("navigator.clipboard.readText()")


async def test_tags_of_mlflow_are_folded_and_a_note_is_text(fake: FakeMlflow, watched: Watched) -> None:
    """A note is read as text, whatever is in it, and what MLflow has set is there on demand."""
    note = "# Result\n<b>Good</b> [link](javascript:alert(1))"
    run_id = fake.add_run(
        tags={"team": "alpha", "mlflow.source.name": "train.py", "mlflow.note.content": note}
    )
    main = await shown(watched, run_id)
    assert note == await main.locator(".run-note").inner_text()
    assert await row(watched, "team").is_visible()
    assert not await row(watched, "mlflow.source.name").is_visible()
    await main.locator("summary", has_text="set by MLflow").click()
    assert await row(watched, "mlflow.source.name").is_visible()


async def test_lineage_is_a_row_of_versions(sample_page: Watched) -> None:
    """Each version leads to what hangs on it; the session is counted."""
    main = await shown(sample_page, sample_ids("backtest")[0])
    steps = main.locator(".run-origin")
    hrefs = await steps.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    kinds = [re.match(r"lineage\?ref=(\w+)", href) for href in hrefs]
    assert ["dataset", "feature", "model", "signal"] == [kind[1] for kind in kinds[:4] if kind]
    await main.get_by_text("Session of").wait_for()


async def test_what_lineage_lacks_is_said(fake: FakeMlflow, watched: Watched) -> None:
    """A tag that is not there is named."""
    main = await shown(watched, fake.add_run(tags={"dataset_version": "v1"}, metrics={"a": 1.0}))
    text = await main.locator(".run-origin").inner_text()
    assert "no tag feature_version" in text
    assert "no tag git_commit" in await main.locator(".run-code").inner_text()
    assert "no tag strategy_id" in await main.inner_text()


async def test_an_unknown_run_is_an_error(watched: Watched) -> None:
    """The page says that there is no such run, with the id of the request."""
    watched.expected.append("404")
    await watched.go(f"run?id={'f' * 32}")
    await watched.page.get_by_role("heading", name="There is no such run").wait_for()
    assert "Request" in await watched.page.locator(".failure").inner_text()


async def test_without_an_id_the_page_asks_for_one(fake: FakeMlflow, watched: Watched) -> None:
    """An address without a run leads to one that is typed."""
    run_id = fake.add_run(name="typed")
    await watched.go("run")
    await watched.page.get_by_label("Run id").fill(f" {run_id} ")
    await watched.page.get_by_role("button", name="Show").click()
    await watched.page.get_by_role("heading", name="typed").wait_for()


async def test_a_deleted_run_is_shown_as_deleted(fake: FakeMlflow, watched: Watched) -> None:
    """Its data are there, and the page says that MLflow has it among the deleted ones."""
    run_id = fake.add_run(metrics={"loss": 1.0}, lifecycle_stage="deleted")
    main = await shown(watched, run_id)
    await main.get_by_text("has been deleted in MLflow").wait_for()
    assert await row(watched, "loss").is_visible()


async def test_a_run_without_metrics_says_so(fake: FakeMlflow, watched: Watched) -> None:
    """An empty run is not an empty page."""
    main = await shown(watched, fake.add_run())
    text = await main.inner_text()
    for part in ("This run has logged no metric", "This run has logged no param"):
        assert part in text


async def test_of_a_thousand_metrics_some_are_shown(fake: FakeMlflow, watched: Watched) -> None:
    """The others are a click or a few letters away, and MLflow is not asked for a thousand histories."""
    metrics = {f"metric_{number:04}": float(number) for number in range(1_000)}
    run_id = fake.add_run(metrics=metrics)
    await shown(watched, run_id)
    rows = watched.page.locator(".run-metrics tbody tr")
    assert 50 == await rows.count()
    await watched.page.get_by_role("button", name="Show more").click()
    assert 100 == await rows.count()
    await watched.page.get_by_label("Find").fill("0987")
    await row(watched, "metric_0987").wait_for()
    assert 1 == await rows.count()
    assert watched.page.url.endswith("&find=0987")
    assert await watched.page.get_by_text("980 metrics have not been looked at yet").is_visible()
    assert fake.count("metrics/get-history") <= 20


async def test_the_view_survives_a_reload(fake: FakeMlflow, watched: Watched) -> None:
    """Axis, scale, curves and the text that is looked for are in the address."""
    run_id = fake.add_run(metrics={"a": 1.0, "b": 1.0})
    for key in ("a", "b"):
        fake.log(run_id, key, [(step, BEGIN + step, 1.0 + step) for step in range(5)])
    await shown(watched, run_id, "&axis=time&log=1&keys=b")
    await watched.page.locator(".chart canvas").wait_for()
    assert ["b"] == await watched.page.locator(".chart-legend bdi").all_inner_texts()
    assert await watched.page.get_by_role("radio", name="time").is_checked()
    assert await watched.page.get_by_label("logarithmic").is_checked()
    await watched.page.locator(".run-keys label", has_text="a").click()
    await watched.page.locator(".chart canvas").nth(1).wait_for()
    assert watched.page.url.endswith("&axis=time&log=1&keys=b,a")


async def test_mlflows_own_page_is_linked(fake: FakeMlflow, open_page: Open) -> None:
    """Where the service knows MLflow's address for browsers, the run leads to its page there."""
    run_id = fake.add_run(metrics={"loss": 1.0})
    console = {"mlflow_url": "https://mlflow.example/ui/"}
    async with serving(fake.url, index=QUICK_INDEX, console=console) as client:
        await all_read(client)
        watched = await open_page(client)
        main = await shown(watched, run_id)
        link = main.get_by_role("link", name="MLflow's page")
        address = f"https://mlflow.example/ui/#/experiments/0/runs/{run_id}"
        assert address == await link.get_attribute("href")


async def test_without_ranks_the_page_says_why(fake: FakeMlflow, watched: Watched) -> None:
    """A run of an experiment that the index does not hold has its metrics, and the service's reason."""
    watched.expected.append("422")
    run_id = fake.add_run(fake.add_experiment("other"), metrics={"loss": 1.0})
    main = await shown(watched, run_id)
    await main.get_by_text("Ranks and directions cannot be had").wait_for()
    assert await row(watched, "loss").is_visible()


async def test_a_run_fits_on_one_sheet_of_paper(sample_page: Watched) -> None:
    """A backtest of the sample, with a baseline, is one page."""
    backtests = sample_ids("backtest")
    await shown(sample_page, backtests[0], f"&base={backtests[1]}")
    await row(sample_page, "perf_sharpe_ratio").locator("svg").wait_for()
    pdf: bytes = await sample_page.page.pdf(format="A4")
    assert 1 == len(re.findall(rb"/Type /Page\b", pdf))


async def test_a_run_is_printed_light_and_with_its_source(open_page: Open, sampled: Any) -> None:
    """On paper a dark page is light, has no controls, and says where it is from and of when it is."""
    watched = await open_page(sampled, color_scheme="dark")
    main = await shown(watched, sample_ids("walk_forward")[0])
    await watched.is_seen(media="print")
    assert await main.locator(".run-printed").is_visible()
    text = await main.locator(".run-printed").inner_text()
    assert watched.page.url in text
    assert "Data of" in text
    assert not await main.locator(".run-links").is_visible()
    colours = await watched.page.evaluate(
        "[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color]"
    )
    assert ["rgb(255, 255, 255)", "rgb(26, 31, 38)"] == colours
