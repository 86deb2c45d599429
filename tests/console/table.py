"""The table of runs, as a reader sees it."""

from typing import Any, Final

from tests.console.watched import MILLISECONDS

ROWS: Final = "tbody:not(.top) tr[data-id]"


def expects(locator: Any) -> Any:
    """What Playwright waits for."""
    from playwright.async_api import expect  # noqa: PLC0415 - `make console` installs it

    expect.set_options(timeout=MILLISECONDS)
    return expect(locator)


async def order(page: Any) -> list[str]:
    """The names of the runs, from the first row to the last."""
    return list(await page.locator(f"{ROWS} .name bdi").all_inner_texts())


async def heads(page: Any) -> list[str]:
    """The names of the columns."""
    return list(await page.locator("thead th bdi").all_inner_texts())


async def cells(page: Any, column: str) -> list[str]:
    """The texts of a column, from the first row to the last."""
    place = (await heads(page)).index(column) + 2
    return list(await page.locator(f"{ROWS} > :nth-child({place})").all_inner_texts())
