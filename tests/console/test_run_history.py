"""The histories of a run's metrics, its folds, and a run that goes on."""

import math
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.serving import serving
from tests.console.conftest import QUICK_INDEX, Open, fixture
from tests.console.data import BEGIN, odd_id, sample_ids
from tests.console.test_run_page import row, shown
from tests.console.watched import Watched
from tests.fakes.faults import answering, only
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console


def histories(watched: Watched) -> list[dict[str, list[str]]]:
    """The queries of the requests for histories so far."""
    asked = [urlsplit(url) for url in watched.requests if "/metrics/history" in url]
    return [parse_qs(url.query) for url in asked]


async def charts(watched: Watched) -> list[str]:
    """The metrics of the charts that are shown, in their order."""
    await watched.page.locator(".run-curve canvas").first.wait_for()
    texts: list[str] = await watched.page.locator(".run-curve .chart-legend bdi").all_inner_texts()
    return texts


async def test_equity_stands_above_drawdown(fake: FakeMlflow, watched: Watched) -> None:
    """Of metrics with a history the curves are drawn, on one x axis; one zoom is for all."""
    run_id = fake.add_run(metrics={"drawdown": 0.0, "equity": 1.0, "loss": 1.0, "single": 2.0})
    for key in ("drawdown", "equity", "loss"):
        fake.log(run_id, key, [(step, BEGIN + step, 1.0 / step) for step in range(1, 50)])
    await shown(watched, run_id)
    assert ["equity", "drawdown"] == await charts(watched)
    assert ["drawdown", "equity", "loss"] == await watched.page.locator(".run-keys bdi").all_inner_texts()
    await watched.page.get_by_role("button", name="Zoom in").click()
    await watched.page.get_by_role("button", name="Zoom out", disabled=False).wait_for()
    places = "plots => plots.map((plot) => [plot.offsetLeft, plot.offsetWidth].join())"
    assert 1 == len(set(await watched.page.locator(".u-over").evaluate_all(places)))
    assert re.search(r"&zoom=[\d.]+,[\d.]+", watched.page.url)


async def test_zooming_asks_for_finer_values(fake: FakeMlflow, watched: Watched) -> None:
    """A long history comes in buckets; a part of it is asked for by itself, and comes point by point."""
    run_id = fake.add_run(metrics={"equity": 0.0})
    fake.log(run_id, "equity", [(step, BEGIN + step, math.sin(step / 99)) for step in range(1, 20_000)])
    await shown(watched, run_id)
    assert ["equity"] == await charts(watched)
    await watched.page.get_by_text("20,000 points").wait_for()
    for _ in range(4):
        await watched.page.get_by_role("button", name="Zoom in").click()
    await watched.page.get_by_text("20,000 points").wait_for(state="detached")
    last = histories(watched)[-1]
    assert 1_000 < int(last["to"][0]) - int(last["from"][0]) < 2_000
    await watched.page.get_by_role("button", name="Show all").click()
    await watched.page.get_by_text("20,000 points").wait_for()


async def test_a_short_history_is_not_asked_for_again(fake: FakeMlflow, watched: Watched) -> None:
    """Where every point is there already, zooming asks for nothing."""
    run_id = fake.add_run(metrics={"equity": 0.0})
    fake.log(run_id, "equity", [(step, BEGIN + step, 1.0) for step in range(1, 100)])
    await shown(watched, run_id)
    await charts(watched)
    before = len(histories(watched))
    await watched.page.get_by_role("button", name="Zoom in").click()
    await watched.page.get_by_role("button", name="Zoom out", disabled=False).wait_for()
    assert before == len(histories(watched))


async def test_the_axis_is_step_or_time(fake: FakeMlflow, watched: Watched) -> None:
    """Over time the values are read with their times, in the zone of the reader."""
    run_id = fake.add_run(metrics={"equity": 0.0}, start_time=BEGIN)
    fake.log(run_id, "equity", [(step, BEGIN + step * 60_000, 1.0) for step in range(1, 4)])
    await shown(watched, run_id)
    await charts(watched)
    await watched.page.get_by_role("radio", name="time").click()
    await watched.page.locator(".chart-plot[aria-label*='2025-11-27']").wait_for()
    await watched.page.locator(".chart-plot").focus()
    await watched.page.keyboard.press("End")
    said = watched.page.locator('.chart [aria-live="polite"]')
    assert "2025-11-27 00:03:00: equity 1" == await said.inner_text()


async def test_values_that_are_no_numbers_are_read_as_such(odd_page: Watched) -> None:
    """A curve with NaN and infinity is drawn with breaks, and its table says NaN there."""
    await shown(odd_page, odd_id(2), "&keys=equity")
    assert ["equity"] == await charts(odd_page)
    await odd_page.page.get_by_role("button", name="As table").click()
    await odd_page.page.get_by_role("button", name="Rows after").click()
    assert "NaN" in await odd_page.page.locator(".chart-values tbody tr").first.inner_text()


async def test_folds_are_dots_with_their_mean(sample_page: Watched) -> None:
    """A walk forward shows each fold, the interval of the mean, the worst and the share above 0."""
    await shown(sample_page, sample_ids("walk_forward")[0])
    table = sample_page.page.locator(".dots-summary")
    await table.wait_for()
    head = await table.locator("thead").inner_text()
    for part in ("Mean", "95 % interval", "Worst", "Share > 0"):
        assert part in head
    assert "fold_oos_sharpe" == await sample_page.page.locator("[aria-labelledby=folds] select").input_value()


@fixture
async def quick_page(open_page: Open, fake: FakeMlflow) -> AsyncIterator[Watched]:
    """A page of a service that remembers active runs for a moment only; the page's clock is the test's."""
    cache = {"active_ttl": 0.05}
    async with serving(fake.url, index=QUICK_INDEX, cache=cache) as client:
        watched = await open_page(client)
        await watched.page.clock.install()
        yield watched


async def test_a_run_that_goes_on_is_looked_at_again(fake: FakeMlflow, quick_page: Watched) -> None:
    """New values and points appear by themselves, nothing else moves, and once it has ended nobody asks."""
    watched = quick_page
    run_id = fake.add_run(status="RUNNING", metrics={"equity": 1.0}, start_time=BEGIN)
    fake.log(run_id, "equity", [(step, BEGIN + step, 2.0) for step in range(1, 5)])
    await shown(watched, run_id)
    await charts(watched)
    assert "running" in await watched.page.locator(".run-facts").inner_text()
    top = await watched.page.locator("#history").bounding_box()
    fake.log(run_id, "equity", [(5, BEGIN + 5, 7.5)])
    await until(watched, row(watched, "equity").get_by_text("7.5"))
    await until(watched, watched.page.locator(".chart-plot[aria-label*='last 7.5']"))
    assert top == await watched.page.locator("#history").bounding_box()
    fake.store.runs[run_id].update(status="FINISHED", end_time=BEGIN + 3_840_000)
    await until(watched, watched.page.locator(".run-facts").get_by_text("finished"))
    await watched.page.clock.run_for(4_000)  # in which answers that were renewed are asked for again
    await watched.is_settled()
    before = len(watched.requests)
    await watched.page.clock.run_for(60_000)
    assert before == len(watched.requests)


async def until(watched: Watched, locator: Any) -> None:
    """Let the page's time go on, from one look at the run to the next, until something is there."""
    for _ in range(50):
        if await locator.count():
            return
        async with watched.page.expect_response(re.compile(r"/tracking/runs/[0-9a-f]{32}$")):
            await watched.page.clock.run_for(4_000)
    raise AssertionError(locator)


async def test_where_mlflow_fails_the_rest_stays(fake: FakeMlflow, watched: Watched) -> None:
    """Without histories the page has its metrics, and says why there is no curve."""
    run_id = fake.add_run(metrics={"equity": 1.0}, tags={"strategy_id": "s"})
    watched.expected.append("502")
    fake.before = only("metrics/get-history", answering(500))
    await watched.go(f"run?id={run_id}")
    await watched.page.locator(".failure").get_by_role("button", name="Retry").wait_for()
    assert "1" in await row(watched, "equity").inner_text()
    fake.before = None
    await watched.page.locator(".failure").get_by_role("button", name="Retry").click()
    await watched.page.get_by_text("Each metric has one value").wait_for()


async def test_a_history_that_takes_long_is_waited_for(fake: FakeMlflow, watched: Watched) -> None:
    """Where the first answer comes too late the page says that it is being read, and asks again by itself."""
    run_id = fake.add_run(metrics={"equity": 0.0})
    fake.log(run_id, "equity", [(step, BEGIN + step, 1.0) for step in range(1, 100)])
    watched.expected.append("504")
    late = {
        "type": "about:blank",
        "title": "Late",
        "status": 504,
        "code": "upstream_timeout",
        "detail": "Late.",
    }
    answers = 0

    async def answer(route: Any) -> None:
        nonlocal answers
        answers += 1
        if answers > 1:
            await watched.page.get_by_text("a very long one takes MLflow a while").wait_for()
            await route.continue_()
        else:
            await route.fulfill(status=504, json=late, headers={"Retry-After": "1"})

    await watched.page.route("**/metrics/history*", answer)
    await watched.go(f"run?id={run_id}")
    assert ["equity"] == await charts(watched)
    assert 2 == answers
