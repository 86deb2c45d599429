"""The page "Health"."""

import re
from typing import Any

import pytest

from tests.api.serving import Client, serving
from tests.console.conftest import Open
from tests.console.data import becomes
from tests.console.modules import evaluated
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console
READY = {"status": "ready", "upstream": "ok", "breaker": "closed", "experiment": "ok", "index": "complete"}


async def shown(watched: Watched) -> str:
    await watched.is_settled()
    return str(await watched.page.locator("main").inner_text())


async def test_all_is_well(sample_page: Watched) -> None:
    """The page says that everything works, how many runs the index has, and of when."""
    await sample_page.go("health")
    text = await shown(sample_page)
    assert "Every run has been read." in text
    assert re.search(r"Runs\s+73\b", text)
    assert await sample_page.page.locator("dl time").count() == 2


async def test_mlflow_fails(sample_page: Watched, sampled: Client, fake: FakeMlflow) -> None:
    """While MLflow fails the page says so, and goes on showing what the index has."""
    await sample_page.go("health")
    assert "Everything works." in await shown(sample_page)
    await fake.stop()
    await becomes(sampled, "upstream", "failing")
    await sample_page.page.get_by_role("button", name="Look again").click()
    await sample_page.page.get_by_role("row", name=re.compile("^MLflow failing")).wait_for()
    assert "Not everything works" in await shown(sample_page)


async def test_a_replica_about_to_stop_says_so(sample_page: Watched, sampled: Client) -> None:
    """A readiness that comes with a 503 is shown as what it says, and not as a failure."""
    sample_page.expected.append("503")
    sampled.service.capacity.drain()
    await sample_page.go("health")
    assert "about to stop" in await shown(sample_page)


async def test_the_index_is_switched_off(open_page: Open, fake: FakeMlflow) -> None:
    """Without an index the page says what becomes of searches."""
    async with serving(fake.url) as client:
        watched = await open_page(client)
        await watched.go("health")
        assert "It is switched off" in await shown(watched)


async def test_the_service_is_not_reached(sample_page: Watched) -> None:
    """What was known stays, with its time; the requests that got no answer are listed."""
    await sample_page.go("health")
    await sample_page.is_settled()
    await sample_page.goes_offline()
    await sample_page.page.get_by_role("button", name="Look again").click()
    await sample_page.page.get_by_text("The service was not reached").wait_for()
    assert await sample_page.page.get_by_role("cell", name="no answer").count()
    assert "Every run has been read." in await shown(sample_page)
    await sample_page.comes_back()
    await sample_page.page.get_by_role("button", name="Look again").click()
    await sample_page.page.get_by_text("The service was not reached").wait_for(state="detached")


async def test_a_text_for_the_operator(open_page: Open, sampled: Client) -> None:
    """It has the ids of the last requests and the states, in a form that can be sent."""
    watched = await open_page(sampled, permissions=["clipboard-read", "clipboard-write"])
    await watched.go("health")
    await watched.is_settled()
    await watched.page.get_by_role("button", name="Copy for the operator").click()
    await watched.page.get_by_text("Copied").wait_for()
    text = await watched.page.evaluate("navigator.clipboard.readText()")
    ids = await watched.page.locator("main table td code").all_inner_texts()
    assert [one for one in ids if "/" not in one and one not in text] == []
    assert '"breaker":"closed"' in text
    assert "GET /readyz" in text


async def test_a_reader_gives_a_key(open_page: Open, keyed: tuple[Client, str]) -> None:
    """A page that is refused asks for a key, and shows its data once it has one."""
    client, key = keyed
    watched = await open_page(client)
    watched.expected.append("401")
    await watched.go("health")
    await watched.page.get_by_label("API key or token").fill(key)
    await watched.page.get_by_role("button", name="Use the key").click()
    await watched.page.get_by_text("Every run has been read.").wait_for()
    assert not any(key in url for url in watched.requests)


@pytest.mark.parametrize(
    ("change", "summary"),
    [
        ({}, "Everything works."),
        ({"index": "reading"}, "It works, but: Index reading."),
        ({"breaker": "half_open"}, "It works, but: Circuit breaker half open."),
        (
            {"upstream": "failing", "breaker": "open"},
            "Not everything works: MLflow failing, Circuit breaker open.",
        ),
        ({"index": "sleeping"}, "It works, but: Index sleeping."),
    ],
)
async def test_the_state_in_one_sentence(module_page: Watched, change: dict[str, Any], summary: str) -> None:
    """What is bad is named first; a state of a newer service is shown as it is."""
    said = await evaluated(
        module_page, "health/words.js", "m.summary(m.parts(values[0]))", {**READY, **change}
    )
    assert summary == said
