"""What tests of the console stand on: the fixtures work, and a fault in a page fails its test."""

import math
from collections.abc import Callable

import pytest

from tests.api.serving import API, Client
from tests.console.conftest import Open
from tests.console.data import ODD_NAMES, odd_id
from tests.console.modules import evaluated
from tests.console.watched import Watched

pytestmark = pytest.mark.console

BREAKS = {
    "an exception": "setTimeout(() => { throw new Error('oops') })",
    "error on the console": "console.error('oops')",
    "a request to another host": "new Image().src = 'http://127.0.0.2:9/'",
    "style-src": "document.body.setAttribute('style', 'color: red')",
    "require-trusted-types-for": "try { document.body.innerHTML = '<b>x</b>' } catch {}",
}


@pytest.mark.parametrize("fault", BREAKS)
async def test_a_fault_in_a_page_fails_its_test(watched: Watched, fault: str) -> None:
    """Exceptions, errors on the console, other hosts and violations of the policy are seen."""
    await watched.go("health")
    await watched.has_title("Health")
    await watched.page.evaluate(BREAKS[fault])
    await watched.page.evaluate("() => new Promise((done) => setTimeout(done))")
    with pytest.raises(AssertionError, match=fault):
        await watched.end()
    watched.forget()


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.23456, "1.235"), (-0.5, "\u22120.5"), (math.nan, "NaN"), (math.inf, "\u221e"), (1e15, "1E15")],
)
async def test_a_function_of_a_module_is_called_in_the_browser(
    module_page: Watched, value: float, text: str
) -> None:
    """Modules without a page are tested where they run, with arguments and results of Python."""
    assert text == await evaluated(module_page, "format.js", "m.number(values[0])", value)


async def test_odd_names_reach_the_api(odd: Client) -> None:
    """The fake MLflow and the service pass them on as they are."""
    for number, name in enumerate(ODD_NAMES):
        run = await (await odd.get(f"{API}/runs/{odd_id(number)}")).json()
        assert (name, name, float(number)) == (run["run_name"], run["params"][name], run["metrics"][name])


async def test_the_sample_is_searched(sampled: Client) -> None:
    """The index holds the whole session."""
    body = await (await sampled.get(f"{API}/runs/search?page_size=1")).json()
    assert 73 == body["total"]


async def test_the_console_works_behind_a_prefix(open_page: Open, prefixed: str) -> None:
    """Below a path prefix the page, its modules and its links are found."""
    watched = await open_page(prefixed)
    await watched.go("")
    await watched.has_title("Runs")
    assert watched.page.url.startswith(f"{prefixed}runs")
    await watched.page.get_by_role("link", name="Health").click()
    await watched.has_title("Health")
    assert all(url.startswith(prefixed.removesuffix("console/")) for url in watched.requests)


async def test_ten_thousand_runs_are_there(open_page: Open, of_many: Callable[[int], str]) -> None:
    """Figures and long tables are tested over a service with many runs."""
    watched = await open_page(of_many(10_000))
    await watched.go("runs")
    question = 'await m.ask("runs/search", { query: { page_size: 1 } })'
    answer = await evaluated(watched, "api.js", question)
    assert 10_000 == answer["data"]["total"]
