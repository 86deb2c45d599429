"""The page of a comparison in tests: runs to compare, and what stands where in its table."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

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
