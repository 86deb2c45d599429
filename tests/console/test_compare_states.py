"""The comparison where runs lack, fail, run on, are many, or have odd names and values."""

import math

import pytest

from tests.api.serving import Client
from tests.console.comparing import cell, compared, order, query_of, said, two_runs
from tests.console.conftest import Open
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console


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
    assert ["NaN", "NaN", "–", "1"] == texts
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


async def test_runs_have_names_without_an_index(api: Client, open_page: Open, fake: FakeMlflow) -> None:
    """A service that holds no runs in memory still says what the runs are called, and their status."""
    ids = two_runs(fake)
    watched = await open_page(api)
    table = await compared(watched, ids)
    await table.locator('th[data-run="bbbb"]', has_text="training").wait_for()


async def test_runs_of_other_experiments_have_names(watched: Watched, fake: FakeMlflow) -> None:
    """A run of an experiment that is not the default one is found, too, and said to be of another."""
    other = fake.add_run(fake.add_experiment("other"), run_id="cccc", name="elsewhere", end_time=1)
    table = await compared(watched, [*two_runs(fake), other])
    await table.locator('th[data-run="cccc"]', has_text="elsewhere").wait_for()
    await watched.page.locator(".warnings li", has_text="another experiment").wait_for()
