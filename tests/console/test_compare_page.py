"""The comparison as researchers meet it: what is on the screen, what the keys do, what is missing."""

import json
import math
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.console.conftest import Open
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console

METRICS = ({"oos_sharpe": 1.0, "turnover": 2.0}, {"oos_sharpe": 1.5, "turnover": 3.0})


def two_runs(fake: FakeMlflow) -> list[str]:
    """Two finished runs, the second with a higher Sharpe ratio and a higher turnover."""
    return [
        fake.add_run(run_id=run_id, name="training", metrics=metrics, params={"window": window}, end_time=1)
        for run_id, metrics, window in zip(("aaaa", "bbbb"), METRICS, ("63", "252"), strict=True)
    ]


async def compared(watched: Watched, ids: list[str], more: str = "") -> Any:
    """The page of a comparison, shown; its table."""
    await watched.go(f"compare?ids={','.join(ids)}{more}")
    table = watched.page.locator(".sheet table")
    await table.wait_for()
    return table


def cell(table: Any, row: str, run_id: str) -> Any:
    """The cell of a field and a run."""
    rows = table.locator("tbody tr").filter(has=table.page.locator("th", has_text=row))
    return rows.locator(f'td[data-run="{run_id}"]')


async def said(element: Any) -> str:
    """The text of an element, with single spaces."""
    return " ".join((await element.inner_text()).split())


async def order(table: Any) -> list[str]:
    """The ids of the runs, as their columns stand."""
    heads = await table.locator("thead th[data-run]").all()
    return [await head.get_attribute("data-run") for head in heads]


def query_of(watched: Watched) -> dict[str, list[str]]:
    """The query of the page's address."""
    return parse_qs(urlsplit(watched.page.url).query)


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
    warning = watched.page.locator(".warnings li", has_text="another dataset")
    assert (await said(warning)).startswith("B These runs have another dataset")
    assert (await warning.bounding_box())["y"] < (await table.bounding_box())["y"]


async def test_a_run_that_does_not_exist_is_named_and_can_be_dropped(
    watched: Watched, fake: FakeMlflow
) -> None:
    """The runs that exist are compared; the others are named, and leave the address on demand."""
    watched.expected.append("404")
    table = await compared(watched, [*two_runs(fake), "gone1234"])
    notice = watched.page.locator(".stale", has_text="gone1234")
    assert "1 run does not exist" in await said(notice)
    assert ["aaaa", "bbbb"] == await order(table)
    await notice.get_by_role("button").click()
    await notice.wait_for(state="detached")
    assert ["aaaa,bbbb"] == query_of(watched)["ids"]


async def test_a_deleted_run_is_compared_and_said_to_be_deleted(watched: Watched, fake: FakeMlflow) -> None:
    """A deleted run has its figures, its name and the word for what it is."""
    gone = fake.add_run(run_id="cccc", name="old", lifecycle_stage="deleted", end_time=1)
    table = await compared(watched, [*two_runs(fake), gone])
    head = table.locator('th[data-run="cccc"]', has_text="old")
    await head.wait_for()
    assert "deleted" in await said(head)


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ([], "A comparison has two runs or more."),
        (["aaaa"], "There is one run here"),
        (["aaaa", "aaaa"], "There is one run here"),
        ([f"run{number}" for number in range(101)], "101 runs are asked for, and at most 100"),
    ],
)
async def test_too_few_or_too_many_runs_are_said(watched: Watched, ids: list[str], text: str) -> None:
    """Nothing is asked of the API where it would be refused; the page says what to do."""
    await watched.go(f"compare?ids={','.join(ids)}")
    await watched.page.get_by_text(text).wait_for()


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


async def test_nan_is_told_from_what_is_missing(watched: Watched, fake: FakeMlflow) -> None:
    """NaN in a run is NaN, a metric that a run lacks is a dash, and neither is a number."""
    ids = [
        fake.add_run(run_id="a1", metrics={"x_sharpe": math.nan}, end_time=1),
        fake.add_run(run_id="b1", metrics={"x_sharpe": math.inf}, end_time=1),
        fake.add_run(run_id="c1", metrics={"y": 1.0}, end_time=1),
        fake.add_run(run_id="d1", metrics={"x_sharpe": 1.0}, end_time=1),
    ]
    table = await compared(watched, ids)
    texts = [await said(cell(table, "x_sharpe", run_id).locator(".value")) for run_id in ids]
    assert ["NaN", "NaN", "–", "best 1"] == texts
    assert "the baseline is NaN" == await said(cell(table, "x_sharpe", "d1").locator(".delta"))


async def test_odd_names_are_shown_as_they_are(watched: Watched, fake: FakeMlflow) -> None:
    """Markup, words of JavaScript and long names are text, and break nothing."""
    names = ("<script>alert(1)</script>", "constructor", "__proto__", "n" * 250)
    ids = [
        fake.add_run(
            run_id=run_id,
            name="<b>bold</b>",
            params=dict.fromkeys(names, run_id),
            metrics={name: float(value) for name in names if name.isalpha() or name == "__proto__"},
            end_time=1,
        )
        for value, run_id in enumerate(("constructor", "toString"))
    ]
    table = await compared(watched, ids)
    for name in names:
        await table.locator("th.field bdi", has_text=name).first.wait_for()
    assert 7 == await table.locator("tbody th.field").count()
    await table.locator("thead bdi", has_text="<b>bold</b>").first.wait_for()


async def test_a_run_that_ends_is_seen_to_end(watched: Watched, fake: FakeMlflow) -> None:
    """While a run is active the page looks again by itself, until it has ended."""
    first, _ = two_runs(fake)
    active = fake.add_run(run_id="cccc", status="RUNNING", metrics={"oos_sharpe": 0.1})
    table = await compared(watched, [first, active])
    await table.locator('th[data-run="cccc"]', has_text="running").wait_for()
    fake.store.runs[active].update(status="FINISHED", end_time=1_700_000_999_000)
    await table.locator('th[data-run="cccc"]', has_text="finished").wait_for()


async def test_a_failure_is_no_empty_comparison(watched: Watched, fake: FakeMlflow) -> None:
    """Where MLflow does not answer, the page says so, with the request's id and a button to ask again."""
    ids = two_runs(fake)
    await fake.stop()
    watched.forget()
    await watched.go(f"compare?ids={','.join(ids)}")
    failure = watched.page.locator(".failure")
    await failure.get_by_role("button", name="Retry").wait_for()
    assert "Request" in await said(failure)


async def test_a_hundred_runs_scroll_both_ways(watched: Watched, fake: FakeMlflow) -> None:
    """Of a hundred runs with 200 metrics only what is seen is in the document, wherever one scrolls."""
    ids = [
        fake.add_run(
            run_id=f"r{number:03}",
            metrics={f"m{key:03}": float(number + key) for key in range(200)},
            params={"number": str(number)},
            end_time=1,
        )
        for number in range(100)
    ]
    table = await compared(watched, ids)
    region = watched.page.locator(".sheet")
    await region.evaluate("(element) => element.scrollTo(1e6, 1e6)")
    await table.locator('thead th[data-run="r099"]').wait_for()
    await cell(table, "m199", "r099").wait_for()
    assert "best 298 ▲ +99 (+49.75 %) better" == await said(cell(table, "m199", "r099"))
    assert 1000 > await table.locator("td").count()
    assert "201" < await table.get_attribute("aria-rowcount")


async def test_a_long_question_is_posted(watched: Watched, fake: FakeMlflow) -> None:
    """Ids that would make an address of more than 6,000 characters are sent in a body."""
    ids = [fake.add_run(run_id=f"{number:0120}", end_time=1) for number in range(60)]
    methods: list[str] = []
    watched.page.on(
        "request",
        lambda request: methods.append(request.method) if "compare/analysis" in request.url else None,
    )
    await compared(watched, ids)
    assert {"POST"} == set(methods)


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
