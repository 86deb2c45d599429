"""The comparison as researchers meet it: what is on the screen, and what keys and buttons do."""

import json
import math
from typing import Any

import pytest

from tests.console.comparing import cell, compared, order, query_of, said, two_runs
from tests.console.conftest import Open
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console


async def test_three_of_117_parameters_differ_and_are_seen_at_once(
    watched: Watched, fake: FakeMlflow
) -> None:
    """What differs is in sight without scrolling; the 114 parameters that are equal are a click away."""
    params = {f"param_{number:03}": "1" for number in range(117)}
    other = params | dict.fromkeys(("param_007", "param_070", "param_100"), "2")
    ids = [fake.add_run(params=one, end_time=1) for one in (params, other)]
    table = await compared(watched, ids)
    for name in ("param_007", "param_070", "param_100"):
        box = await table.locator("tbody th", has_text=name).bounding_box()
        assert box["y"] + box["height"] < 800
    assert 0 == await table.locator("th", has_text="param_001").count()
    await table.get_by_role("button", name="Show 114 equal parameters").click()
    assert 1 == await table.locator("th", has_text="param_001").count()
    assert ["params"] == query_of(watched)["equal"]


async def test_a_difference_is_said_in_words_and_signs(watched: Watched, fake: FakeMlflow) -> None:
    """A difference has its sign, its share and the word for it, by the rule that stands beside the name."""
    table = await compared(watched, two_runs(fake))
    assert "best 1.5 ▲ +0.5 (+50 %) better" == await said(cell(table, "oos_sharpe", "bbbb"))
    assert "3 ▲ +1 (+50 %) worse" == await said(cell(table, "turnover", "bbbb"))
    assert "higher is better, rule *_sharpe_*" in await said(table.locator("th", has_text="oos_sharpe"))
    assert "best 2" == await said(cell(table, "turnover", "aaaa"))


async def test_the_key_b_makes_another_run_the_baseline(watched: Watched, fake: FakeMlflow) -> None:
    """The baseline comes first, the differences turn round, and the address says so; "back" undoes it."""
    table = await compared(watched, two_runs(fake))
    await watched.page.keyboard.press("b")
    await cell(table, "oos_sharpe", "aaaa").locator(".delta").wait_for()
    assert "1 ▼ −0.5 (−33.33 %) worse" == await said(cell(table, "oos_sharpe", "aaaa"))
    assert ["bbbb", "aaaa"] == await order(table)
    assert ["bbbb"] == query_of(watched)["base"]
    await watched.page.go_back()
    await cell(table, "oos_sharpe", "bbbb").locator(".delta").wait_for()
    assert ["aaaa", "bbbb"] == await order(table)


async def test_the_key_t_makes_runs_rows(watched: Watched, fake: FakeMlflow) -> None:
    """Transposed, each run is a row with the same cells; the key pressed again turns it back."""
    table = await compared(watched, two_runs(fake))
    await watched.page.keyboard.press("t")
    rows = table.locator("tbody tr")
    await rows.locator("th[data-run]").first.wait_for()
    assert 2 == await rows.count()
    assert "best 1.5 ▲ +0.5 (+50 %) better" in await said(rows.nth(1))
    assert ["runs"] == query_of(watched)["rows"]
    await watched.page.keyboard.press("t")
    await table.locator("thead th[data-run]").first.wait_for()


async def test_the_key_d_leaves_only_differences(watched: Watched, fake: FakeMlflow) -> None:
    """Only what differs is left, without a line for what is equal."""
    ids = [fake.add_run(params={"seed": "1", "window": window}, end_time=1) for window in ("63", "252")]
    table = await compared(watched, ids)
    await table.get_by_role("button", name="Show 1 equal parameter").wait_for()
    await watched.page.keyboard.press("d")
    await table.get_by_role("button", name="Show 1 equal parameter").wait_for(state="detached")
    assert 1 == await table.locator("tbody th.field").count()
    assert ["1"] == query_of(watched)["diff"]


async def test_warnings_stand_before_the_table(watched: Watched, fake: FakeMlflow) -> None:
    """Another dataset is said before any figure, with the letter of the run that it concerns."""
    ids = [
        fake.add_run(metrics={"oos_sharpe": 1.0}, tags={"dataset_version": version}, end_time=1)
        for version in ("v1", "v2")
    ]
    table = await compared(watched, ids)
    warning = watched.page.locator(".warnings li", has_text="in their dataset")
    assert (await said(warning)).startswith("B These runs differ from the baseline in their dataset")
    assert (await warning.bounding_box())["y"] < (await table.bounding_box())["y"]


async def test_a_run_is_added_by_a_pasted_address(watched: Watched, fake: FakeMlflow) -> None:
    """The address of a run's page adds that run."""
    first, second = two_runs(fake)
    await watched.go(f"compare?ids={first}")
    await watched.page.get_by_label("Run id, or the address").fill(
        f"http://mlflow/#/experiments/0/runs/{second}"
    )
    await watched.page.get_by_role("button", name="Add the run").click()
    await watched.page.locator(".sheet table").wait_for()
    assert [f"{first},{second}"] == query_of(watched)["ids"]


async def test_the_focus_stays_with_a_run_that_moves(watched: Watched, fake: FakeMlflow) -> None:
    """Moving a run by the keyboard again and again needs no search for its button."""
    ids = [
        fake.add_run(run_id=run_id, end_time=1, params={"p": run_id}) for run_id in ("a1", "b1", "c1", "d1")
    ]
    table = await compared(watched, ids)
    button = table.get_by_role("button", name="Move right: run B")
    await button.focus()
    for expected in (["a1", "c1", "b1", "d1"], ["a1", "c1", "d1", "b1"]):
        await watched.page.keyboard.press("Enter")
        await table.locator(f'thead th:nth-child({2 + expected.index("b1")})[data-run="b1"]').wait_for()
        assert expected == await order(table)
        assert "b1" == await watched.page.evaluate(
            "document.activeElement.closest('[data-run]')?.dataset.run"
        )


async def test_a_run_is_left_out(watched: Watched, fake: FakeMlflow) -> None:
    """The run goes, and the baseline with it where it was that."""
    ids = [fake.add_run(run_id=run_id, end_time=1) for run_id in ("a1", "b1", "c1")]
    table = await compared(watched, ids, "&base=b1")
    assert ["b1", "a1", "c1"] == await order(table)
    await table.get_by_role("button", name="Leave it out: run B").click()
    await table.locator('th[data-run="b1"]').first.wait_for(state="detached")
    assert ["a1", "c1"] == await order(table)
    assert "base" not in query_of(watched)


async def test_the_copy_is_what_is_shown(indexed: Any, open_page: Open, fake: FakeMlflow) -> None:
    """The key y copies the table in the chosen form, with numbers in full as CSV."""
    watched = await open_page(indexed, permissions=["clipboard-read", "clipboard-write"])
    ids = [
        fake.add_run(run_id=run_id, metrics={"oos_sharpe": value}, params={"window": window}, end_time=1)
        for run_id, value, window in (("aaaa", 1 / 3, "63"), ("bbbb", math.nan, "252"))
    ]
    table = await compared(watched, ids)
    await table.locator("thead", has_text="window=63").wait_for()
    copies = {}
    for form in ("CSV", "Markdown", "LaTeX", "Python"):
        await watched.page.keyboard.press("y")
        dialog = watched.page.get_by_role("dialog", name="Copy the comparison")
        await dialog.get_by_role("radio", name=form).check()
        await dialog.get_by_role("button", name="Copy").click()
        await dialog.wait_for(state="hidden")
        copies[form] = await watched.page.evaluate("navigator.clipboard.readText()")
    assert "field,aaaa,bbbb\nparams.window,63,252\nmetrics.oos_sharpe,0.3333333333333333,NaN\n" == copies[
        "CSV"
    ].replace("\r\n", "\n")
    assert "| oos_sharpe | 0.3333 | NaN |" in copies["Markdown"]
    assert "oos\\_sharpe & $0.3333$ & NaN \\\\" in copies["LaTeX"]
    compile(copies["Python"], "copied", "exec")
    assert json.dumps("run_id IN ('aaaa', 'bbbb')") in copies["Python"]
