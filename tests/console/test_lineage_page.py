"""The page of lineage over the sample session, in which a version of a dataset has two contents."""

import re

import pytest

from tests.api.serving import Client
from tests.console.conftest import Open
from tests.console.data import add_session, all_read, sample_id
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console

CURRENCIES = "dataset:currencies-2026.02"


def backtest_of(fake: FakeMlflow, dataset_version: str) -> str:
    """The id of a backtest on this version."""
    return next(
        run_id
        for run_id, run in fake.store.runs.items()
        if (run.tags.get("run_type"), run.tags.get("dataset_version")) == ("backtest", dataset_version)
    )


async def test_from_a_backtest_to_every_run_on_its_data_in_two_clicks(
    fake: FakeMlflow, sample_page: Watched
) -> None:
    """The backtest's data set is a link in the graph, and what it leads to lists all runs on it."""
    await sample_page.go(f"lineage?ref={backtest_of(fake, 'currencies-2026.02')}")
    graph = sample_page.page.get_by_role("region", name="From data to backtest")
    await graph.get_by_role("link", name="currencies-2026.02 dataset_version").click()
    await sample_page.page.get_by_role("heading", name=f"10 runs of {CURRENCIES}").wait_for()
    makers = sample_page.page.get_by_role("region", name=f"10 runs of {CURRENCIES}")
    assert 10 == await makers.get_by_role("link").count()
    await sample_page.page.get_by_role("link", name="every run with it").first.wait_for()


async def test_a_pasted_text_is_read_and_the_guess_is_said(sample_page: Watched) -> None:
    """A commit without its prefix finds the runs, and other readings are offered."""
    await sample_page.go("lineage")
    field = sample_page.page.get_by_role("searchbox")
    await field.fill(" b04e7d8 ")
    await field.press("Enter")
    await sample_page.page.wait_for_url("**/lineage?ref=b04e7d8")
    await sample_page.page.get_by_role("heading", name="34 runs of git:b04e7d8").wait_for()
    guess = sample_page.page.locator(".guess")
    assert "Read as git:b04e7d8, a commit." in " ".join((await guess.inner_text()).split())
    await guess.get_by_role("link", name="dataset:b04e7d8").wait_for()


async def test_the_field_shows_a_whole_reference(fake: FakeMlflow, sample_page: Watched) -> None:
    """A run's id, and the longer ones of a model, can be read to their end."""
    reference = f"models:/m-{backtest_of(fake, 'currencies-2026.02')}"
    await sample_page.go("lineage")
    field = sample_page.page.get_by_role("searchbox")
    await field.fill(reference)
    assert await field.evaluate("(field) => field.scrollWidth <= field.clientWidth")


async def test_what_is_not_found_says_what_was_tried(sample_page: Watched) -> None:
    """A reference of nobody's is an answer, not a failure of the page: each attempt and its outcome."""
    sample_page.expected.append("404")
    await sample_page.go("lineage?ref=git:deadbeef")
    await sample_page.page.get_by_role("heading", name="Nothing is known of this").wait_for()
    tried = sample_page.page.get_by_role("listitem").filter(has_text="tags.git_commit 'deadbeef'")
    assert "there is none, or none that this service may read" in await tried.inner_text()


async def test_a_reference_that_is_none_is_refused_with_its_kinds(sample_page: Watched) -> None:
    """What the API does not take is shown with what it takes."""
    sample_page.expected.append("422")
    await sample_page.go("lineage?ref=models:/forecast/Production")
    await sample_page.page.get_by_text("query.ref", exact=True).wait_for()


async def test_runs_that_are_alike_are_one_node(fake: FakeMlflow, sample_page: Watched) -> None:
    """The twelve walk forwards of the sweep are one node, which leads to their list."""
    await sample_page.go(f"lineage?ref={backtest_of(fake, 'equity-index-2026.02')}")
    node = sample_page.page.get_by_role("link", name=re.compile("12 × walk_forward"))
    href = str(await node.get_attribute("href"))
    assert href.startswith("runs?q=run_id%20IN%20(")
    assert 12 == href.count("5a0000")


async def test_the_keyboard_says_how_a_node_is_known(fake: FakeMlflow, sample_page: Watched) -> None:
    """A node that has the focus says what it is joined to and by which evidence, and its lines are marked."""
    await sample_page.go(f"lineage?ref={backtest_of(fake, 'currencies-2026.02')}")
    await sample_page.page.get_by_role("link", name="currencies-2026.02 dataset_version").focus()
    said = sample_page.page.locator(".graph-said")
    await said.get_by_text("leads to v3 (tag)").wait_for()
    assert 0 < await sample_page.page.locator(".edge.on").count()
    assert 0 == await sample_page.page.locator('.edge.on:not([data-evidence="tag"])').count()


async def test_the_graph_is_a_list_where_it_is_narrow(
    fake: FakeMlflow, sampled: Client, open_page: Open
) -> None:
    """At 320 pixels the same is an indented list, with relation and evidence in words; nothing overflows."""
    watched = await open_page(sampled, viewport={"width": 320, "height": 700})
    await watched.go(f"lineage?ref={backtest_of(fake, 'currencies-2026.02')}")
    items = watched.page.locator(".lineage-list")
    await items.get_by_text(
        "leads to (tag, tags.dataset_version and tags.feature_version of one run)"
    ).wait_for()
    assert 0 >= await watched.page.evaluate("document.documentElement.scrollWidth - innerWidth")


async def test_contradictions_come_first(fake: FakeMlflow, indexed: Client, open_page: Open) -> None:
    """Two contents of one version are an alert above all else, with the runs of each."""
    add_session(fake)
    runs = [
        run for run in fake.store.runs.values() if run.tags.get("dataset_version") == "currencies-2026.02"
    ]
    for number, run in enumerate(runs):
        digest = "a1b7e879" if number == len(runs) - 1 else "3550afd9"
        dataset = {"name": "currencies", "digest": digest, "source_type": "code", "source": "{}"}
        run.inputs = {"dataset_inputs": [{"dataset": dataset}]}
    await all_read(indexed, runs=len(fake.store.runs))
    watched = await open_page(indexed)
    await watched.go(f"lineage?ref={CURRENCIES}")
    alert = watched.page.get_by_role("alert")
    await alert.get_by_role("heading", name="One version of a dataset has several contents").wait_for()
    assert "a1b7e879" in await alert.inner_text()
    heads = await watched.page.get_by_role("heading", level=2).all_inner_texts()
    assert "One version of a dataset" in heads[0]
    assert "What is missing" == heads[1]
    assert 2 == await watched.page.locator('.node[data-doubted="true"]').count()


async def test_gaps_are_said(fake: FakeMlflow, indexed: Client, open_page: Open) -> None:
    """A run without lineage tags lacks them by name, and code that was not committed is said aloud."""
    dirty = {"mlflow.source.git.dirty": "true"}
    run_id = fake.add_run(name="bare", run_id=sample_id(0), tags={"run_type": "backtest", **dirty})
    await all_read(indexed, runs=len(fake.store.runs))
    watched = await open_page(indexed)
    await watched.go(f"lineage?ref={run_id}")
    gaps = watched.page.get_by_role("region", name="What is missing")
    text = " ".join((await gaps.inner_text()).split())
    assert "lacks strategy_id, git_commit, dataset_version, feature_version" in text
    assert "its code had changes that were not committed" in text


async def test_without_a_reference_the_page_says_what_can_be_asked(sample_page: Watched) -> None:
    """Each kind of reference stands there with an example."""
    await sample_page.go("lineage")
    await sample_page.page.get_by_text("models:/forecast@champion, models:/forecast/3").wait_for()
