"""What a reader sees while MLflow, the service or the network is away, and afterwards."""

import pytest

from tests.api.serving import Client
from tests.console.conftest import Open
from tests.console.states import STATES, addresses
from tests.console.table import ROWS, expects
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console

# The others say it in a list of the service's parts, and ask nothing without a reference.
ASKING = [page for page in addresses() if page not in {"health", "lineage"}]


async def test_an_outage_of_mlflow_is_said_and_ends_by_itself(
    open_page: Open, sampled: Client, fake: FakeMlflow
) -> None:
    """The page says since when data are old; what was seen stays of use, and it comes back by itself."""
    watched = await open_page(sampled)
    page = watched.page
    await watched.go("runs")
    await expects(page.locator(".runs-count strong")).to_have_text("73")
    await expects(page.locator(".live[data-state=live]")).to_be_visible()
    await fake.stop()
    watched.forget()
    old = page.locator(".live").get_by_text("MLflow does not answer since 20")
    await expects(old).to_be_visible()
    await page.locator("thead th").filter(has_text="duration").get_by_role("button").click()
    await expects(page.get_by_role("status").filter(has_text="duration, descending, 73 runs")).to_have_count(
        1
    )
    await expects(page.locator(ROWS).first).to_be_visible()
    await fake.start()
    await expects(old).to_have_count(0)


@pytest.mark.parametrize("page", ASKING)
async def test_a_failure_is_never_shown_as_no_data(sample_page: Watched, page: str) -> None:
    """Where nothing is known and the service fails, the page has its words and the id of the request."""
    await STATES["error"](sample_page, addresses()[page])
    main = sample_page.page.locator("main")
    failure = main.locator(".failure:visible").first
    await expects(failure.get_by_text("0123456789abcdef")).to_be_visible()
    await expects(failure.get_by_text("MLflow answered with status 500.")).to_be_visible()
    assert 0 == await main.get_by_text("No run").count()
    assert 0 == await main.get_by_text("yet").count()


async def test_a_lost_network_is_said_and_ends_by_itself(open_page: Open, sampled: Client) -> None:
    """Rows stay while nobody is reached; the page says that it tries again, and then it is live again."""
    watched = await open_page(sampled)
    page = watched.page
    await watched.go("runs")
    await expects(page.locator(".live[data-state=live]")).to_be_visible()
    watched.expected.append("ERR_INTERNET_DISCONNECTED")
    await watched.goes_offline()
    await page.get_by_role("switch", name="Live").click()  # which ends the stream
    await page.get_by_role("switch", name="Live").click()
    await expects(
        page.locator(".live").get_by_text("The service was not reached. Reconnecting")
    ).to_be_visible()
    await expects(page.locator(ROWS).first).to_be_visible()
    await watched.comes_back()
    await expects(page.locator(".live[data-state=live]")).to_be_visible()
