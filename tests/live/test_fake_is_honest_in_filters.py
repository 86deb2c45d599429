"""The fake against a real MLflow, the filter grammar: both find the same runs, or both refuse."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.mlflow import FakeMlflow
from tests.live.filter_cases import MATCHES, REFUSED, VALUES
from tests.live.logbook import Logbook, Reply, names, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The fake and a real MLflow, each with an experiment of the same runs.
Both = tuple[tuple[Logbook, str], tuple[Logbook, str]]


async def seeded(logbook: Logbook) -> str:
    """An experiment whose run N started at N, has VALUES[N] as tag k and b as tag z, and some numbers."""
    experiment = await logbook.create_experiment(unique("filters"))
    for index, value in enumerate(VALUES):
        tags = {"k": value, "z": "b", "a-b": "x", "dotted.key": f"{index}"}
        run_id = await logbook.create_run(experiment, f"{index}", tags=tags, start_time=index)
        metrics = {"m": float(index)} if index < 4 else {"m": float("nan")} if index == 4 else {}
        await logbook.log(run_id, metrics=metrics, params={"p": "1"} if index < 2 else {})
        if index == 0:
            await logbook.finish(run_id, "FINISHED", 50)
    return experiment


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def experiment(mlflow: Logbook) -> str:
    return await seeded(mlflow)


async def search(logbook: Logbook, experiment: str, text: str) -> Reply:
    return await logbook.post("runs/search", experiment_ids=[experiment], filter=text)


def indexes(reply: Reply) -> tuple[int, ...]:
    return tuple(sorted(int(name) for name in names(reply)))


@pytest.mark.parametrize("text", MATCHES)
async def test_a_filter_matches(mlflow: Logbook, experiment: str, text: str) -> None:
    """A filter finds the runs that MLflow's grammar and SQLite's comparisons say."""
    assert MATCHES[text] == indexes(await search(mlflow, experiment, text))


@pytest.mark.parametrize("text", REFUSED)
async def test_a_filter_is_refused(mlflow: Logbook, experiment: str, text: str) -> None:
    """What the grammar does not know is INVALID_PARAMETER_VALUE."""
    reply = await search(mlflow, experiment, text)
    assert (reply.status, reply.body.get("error_code")) == (400, "INVALID_PARAMETER_VALUE")


async def test_a_list_of_bare_words_is_an_internal_error(mlflow: Logbook, experiment: str) -> None:
    """An IN list is read as Python: bare words make it a 500."""
    reply = await search(mlflow, experiment, "run_id IN (a, b)")
    assert (reply.status, reply.body["error_code"]) == (500, "INTERNAL_ERROR")


async def test_a_list_of_ids(mlflow: Logbook, experiment: str) -> None:
    """run_id IN finds the runs of a list, in the order of a search; Python's escapes are read."""
    found = (await search(mlflow, experiment, "start_time < 3")).body["runs"]
    ids = {run["info"]["run_name"]: run["info"]["run_id"] for run in found}
    assert indexes(await search(mlflow, experiment, f"run_id IN ('{ids['0']}', 'x', \"{ids['2']}\")")) == (
        0,
        2,
    )
    escaped = f"\\x{ord(ids['1'][0]):x}{ids['1'][1:]}"
    assert indexes(await search(mlflow, experiment, f"attributes.run_id IN ('{escaped}')")) == (1,)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(real_mlflow: str) -> AsyncIterator[Both]:
    async with (
        FakeMlflow().serve() as fake,
        aiohttp.ClientSession(fake.url) as to_fake,
        aiohttp.ClientSession(real_mlflow) as to_real,
    ):
        books = Logbook(to_fake), Logbook(to_real)
        first, second = [(book, await seeded(book)) for book in books]
        yield first, second


EXAMPLES = settings(max_examples=60, derandomize=True, deadline=None, database=None)
quotes = st.sampled_from(["'", '"'])
comparators = st.sampled_from(["=", "!=", "LIKE", "ILIKE"])
values = st.sampled_from(VALUES) | st.text("a'\"\\%_ `é;-\nB", max_size=6)


async def assert_same(both: Both, text: str) -> None:
    fake, real = [await search(logbook, experiment, text) for logbook, experiment in both]
    assert real.status == fake.status, (text, real.text)
    if real.status == 200:
        assert indexes(real) == indexes(fake), text
    else:
        assert real.body["error_code"] == fake.body["error_code"], text


@pytest.mark.live
@given(quote=quotes, comparator=comparators, value=values)
@EXAMPLES
async def test_any_quoted_value_finds_the_same(both: Both, quote: str, comparator: str, value: str) -> None:
    """A comparison with any text between quotes finds the same runs in both, or is refused by both."""
    await assert_same(both, f"tags.k {comparator} {quote}{value}{quote}")


@pytest.mark.live
@given(first=values, second=values)
@EXAMPLES
async def test_two_quoted_values_find_the_same(both: Both, first: str, second: str) -> None:
    """Two comparisons in one filter are read alike, even where the first text swallows the second."""
    await assert_same(both, f"tags.k = '{first}' AND tags.z != '{second}'")
