"""Filters with any text, on the fake and on a real MLflow: each finds the runs whose tag is that text."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.live.contract import Page, page_of
from tests.live.logbook import Logbook

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = [
    "plain",
    "Plain",
    "it's",
    'say "hi"',
    "both ' and \"",
    "both ' and \" and \\",
    "''",
    '""',
    "'",
    '"',
    "\\",
    "\\\\",
    "\\'",
    '\\"',
    "back\\slash",
    "ends in one\\",
    "ends in 'one\\",
    "`tick`",
    "a; b",
    "-- comment",
    "/* comment */",
    "# comment",
    "50%",
    "5__",
    "50_",
    "a\nb",
    "a\r\nb",
    "a\tb",
    " padded ",
    "   ",
    "é",
    "É",
    "e\u0301",
    "日本語",
    "🎲",
    "\u2028",
    "\ufeff",
    "\x01",
    "NULL",
    "1",
    "1.0",
    "x' OR tags.a = 'y",
    "x' AND tags.strategy_id != '",
    "x' AND tags.strategy_id != \"",
    "tags.run_type = 'x'",
    "IN ('a', 'b')",
    "LIKE '%'",
    "%" * 10,
    "_" * 10,
    "x" * 5_000,
    "'\"" * 300,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(mlflow: Logbook) -> AsyncIterator[Page]:
    """A page with a run for each value, under both tags."""
    async with page_of(mlflow) as page:
        for value in HOSTILE:
            await mlflow.create_run(page.experiment, "n", tags={"run_type": value, "strategy_id": value})
        yield page


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:30])
async def test_a_filter_finds_the_runs_whose_tag_is_the_text(page: Page, value: str) -> None:
    """A filter by either tag, or by both, finds the one run whose tag is exactly the text."""
    for query in ({"run_type": value}, {"strategy_id": value}, {"run_type": value, "strategy_id": value}):
        assert [value] == [run["tags"]["run_type"] for run in await page.listed(**query)]


@pytest.mark.parametrize(
    ("run_type", "strategy_id"),
    [
        ("ends in one\\", " AND tags.z != 'b"),
        ("ends in one\\", ' AND tags.z != "b'),
        ("\\", " OR tags.run_type != "),
        ("plain", "' OR '1' = '1"),
        ('" OR "1" = "1', "plain"),
        ("it's", '" AND tags.z != "'),
        ("plain", "Plain"),
    ],
)
async def test_two_filters_never_widen_each_other(page: Page, run_type: str, strategy_id: str) -> None:
    """Texts that would swallow, end or add a comparison find nothing."""
    assert [] == await page.listed(run_type=run_type, strategy_id=strategy_id)
